"""The tools of the agent: few, small, typed. Each returns short text for a model and plain data for the planner.

Here: all of them together, those about drivers and their documents, and the question to the user. The docstrings are
what the model reads.
"""

from __future__ import annotations

from typing import Any, NotRequired

from pydantic_ai import CallDeferred, FunctionToolset, RunContext
from pydantic_ai.messages import ToolReturn
from typing_extensions import TypedDict

from integrator_drivers import DriverError, registry

from ..errors import AuditUnavailable, IntegratorError
from . import describe, discovering, scripting
from .facts import driver_facts, driver_row, driver_state
from .failures import error_facts
from .steps import Shown, quiet, shown
from .workspace import Workspace, resolved

__all__ = ["toolset"]

Context = RunContext[Workspace]
README = 6_000  # characters of a README given at once
HITS = 5


class Choice(TypedDict):
    """One answer offered."""

    label: str
    hint: NotRequired[str]


def toolset() -> FunctionToolset[Workspace]:
    """All tools, in the order of the work."""
    return FunctionToolset(
        [find_drivers, load_driver, search_docs, read_doc, *discovering.TOOLS, ask_user, *scripting.TOOLS]
    )


async def find_drivers(ctx: Context, text: str = "") -> ToolReturn:
    """Which systems can be connected. `text`: a name or purpose to look for; empty lists all."""
    workspace = ctx.deps

    def work() -> ToolReturn:
        words = [word for word in text.casefold().split() if len(word) > 1]

        def fits(row: dict[str, Any]) -> int:
            about = f"{row['name']} {row['label']} {row['purpose']} {' '.join(row['aliases'])}".casefold()
            return sum(word in about for word in words)

        found = sorted((driver_row(workspace, name) for name in registry.names()), key=fits, reverse=True)
        lines = [
            f"{row['name']}: {row['purpose']} ({'connected' if row['connected'] else 'not connected'})" for row in found
        ]
        return ToolReturn("\n".join(lines), metadata={"drivers": found})

    return await quiet(workspace, work)


async def load_driver(ctx: Context, name: str) -> ToolReturn:
    """Load a system's driver: what it can do, its README, its examples. Do this as soon as a system is named."""
    workspace = ctx.deps

    def work(step: Shown) -> ToolReturn:
        system = registry.resolve(name)
        manifest = registry.manifest(system)
        facts = driver_facts(workspace, system)
        documents = registry.docs(system)
        workspace.audit.append(
            {"event": "load", "notebook": workspace.notebook, "system": system, "documents": sorted(documents)}
        )
        if system not in workspace.loaded:
            workspace.loaded.append(system)
        step.title = manifest.label
        step.detail, problem = _connection(workspace, system)
        step.failed = bool(problem)
        facts["problem"] = problem
        joins = "".join(f"\njoin {join.start} -> {join.to} ({join.keep})" for join in manifest.joins)
        others = ", ".join(f"{system}/{path}" for path in documents if path != "README.md")
        text = (
            f"{system}: {manifest.purpose}. State: {step.detail}.\n"
            f"Import: from {facts['module']} import {facts['client']}. Cursor field: {manifest.cursor or 'none'}; "
            f"creation time: {manifest.created or 'none'}.{joins}\n\n"
            f"{_cut(documents.get('README.md', ''), README)}\n\nMore (read_doc): {others}"
        )
        return ToolReturn(text, metadata={"driver": facts})

    return await shown(workspace, Shown(f"Loading {name}"), work, systems=[resolved(name)])


def _connection(workspace: Workspace, system: str) -> tuple[str, dict[str, Any] | None]:
    """As whom we are connected, from a live check, and what is wrong. An outage that is known is not met again."""
    if not workspace.credentials.state(registry.manifest(system)).connected:
        return driver_state(workspace, system), None
    problem = workspace.failures.find(system, "check")
    if problem is None:
        try:
            return driver_state(workspace, system, workspace.runner.call(system, "check")), None
        except AuditUnavailable:
            raise
        except (DriverError, IntegratorError) as exc:
            problem = error_facts(exc)
            workspace.failures.note(system, "check", problem)
    return f"loaded, but not connected: {problem['message']}", problem


async def search_docs(ctx: Context, query: str, system: str = "") -> ToolReturn:
    """Find sections of the documents and examples of the loaded drivers. `system` limits it to one driver."""
    workspace = ctx.deps

    def work() -> ToolReturn:
        hits = workspace.index.search(query, [registry.resolve(system)] if system else workspace.loaded, HITS)
        lines = [f"{hit.id}: {hit.heading}\n  {hit.excerpt}" for hit in hits]
        found = [{"id": hit.id, "driver": hit.driver, "path": hit.path, "heading": hit.heading} for hit in hits]
        return ToolReturn("\n".join(lines) or "Nothing found.", metadata={"hits": found})

    return await quiet(workspace, work)


async def read_doc(ctx: Context, id: str) -> ToolReturn:
    """Read a section, with the `id` that search_docs gave, or a whole document such as salesforce/README.md."""
    workspace = ctx.deps

    def work(step: Shown) -> ToolReturn:
        text = _document(id) or workspace.index.read(id)
        driver = id.partition("/")[0]
        label = registry.manifests()[driver].label if driver in registry.manifests() else driver
        path = id.partition("/")[2].partition("#")[0]
        step.detail = f"{label} {path.removesuffix('.md').rpartition('/')[2].replace('_', ' ')}, {_heading(text)}"
        return ToolReturn(describe.clipped(text), metadata={"doc": {"id": id}})

    return await shown(workspace, Shown("Read", id), work)


async def ask_user(ctx: Context, question: str, options: list[Choice] | None = None) -> str:
    """Ask the user one question. `options` are offered as buttons; free text is always possible."""
    offered = [{"label": entry["label"], "hint": entry.get("hint", "")} for entry in options or []]
    raise CallDeferred(metadata={"question": question, "options": offered}, kind="question")


def _document(id: str) -> str:
    driver, _, path = id.partition("/")
    if "#" in path or driver not in registry.manifests():
        return ""
    documents = registry.docs(driver)
    if path not in documents:
        raise IntegratorError(f'{driver} has no document "{path}".', f"It has {', '.join(documents)}.")
    return documents[path]


def _heading(text: str) -> str:
    """What a section is about: its heading, or the first line of a script's docstring."""
    lines = [line.strip() for line in text.splitlines()]
    heads = [line.lstrip("# ") for line in lines if line.startswith("#") and not line.startswith("# ///")]
    docs = [line.strip('" ') for line in lines if line.startswith('"""')]
    first = docs[0] if docs and not text.startswith(("## ", "# ", "### ")) else (heads[0] if heads else lines[0])
    return f'"{first.rstrip(".")[:80]}"'


def _cut(text: str, size: int) -> str:
    """The beginning of a text, ending with a whole paragraph."""
    if len(text) <= size:
        return text
    return text[: text.rfind("\n\n", 0, size)].rstrip() + "\n\n(cut; read_doc has the rest)"
