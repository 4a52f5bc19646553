"""Tools that write scripts and try them in a preview. The docstrings are what the model reads."""

from __future__ import annotations

import asyncio
from typing import Any

from pydantic_ai import RunContext
from pydantic_ai.messages import ToolReturn

from integrator_drivers import registry, schedule

from ..errors import IntegratorError
from ..events import Explained, Previewed, Table, TargetCounts, Wrote
from ..export import get_schedule, sha256
from ..policy import secret_in
from . import describe, gate
from .mapping import mapped
from .steps import Shown, quiet, shown
from .uses import objects_named
from .values import masked, plain
from .workspace import REPAIRS, Workspace

__all__ = ["TOOLS", "current_scripts", "run_script", "write_script"]

Context = RunContext[Workspace]
ROWS = 5  # rows of a table that the model sees
ENOUGH = (
    f"Not done: the script failed and {REPAIRS} repairs did not help. Ask the user how to go on (ask_user): say in one "
    "sentence what fails, and offer what they could change."
)


async def current_scripts(ctx: Context) -> ToolReturn:
    """The scripts of this notebook as they are now, also where the user edited them. Look before you change one."""
    workspace = ctx.deps

    def work() -> ToolReturn:
        scripts = [
            {
                "name": version.name,
                "version": version.number,
                "code": version.code,
                "explanation": version.explanation,
                "schedule": get_schedule(version.code),
            }
            for version in workspace.scripts.all()
        ]
        text = "\n\n".join(f"{entry['name']}, version {entry['version']}:\n{entry['code']}" for entry in scripts)
        return ToolReturn(describe.clipped(text) or "There are none yet.", metadata={"scripts": scripts})

    return await quiet(workspace, work)


async def write_script(ctx: Context, name: str, code: str, explanation: list[str]) -> ToolReturn:
    """Put the whole script into the user's notebook cell, or a new version of it.

    `name`: lower case with underscores; the same name makes a new version. `explanation`: what it does, in business
    words, one line each. Names in it are checked against what was seen; with problems nothing is put anywhere.
    """
    workspace = ctx.deps
    if workspace.repairs_used_up:
        return _enough(name)

    def work() -> ToolReturn:
        problems, notes = gate.check(code, workspace)
        if found := secret_in(code, workspace.credentials.find_secret):
            problems = [f"Line {found[0]}: this looks like a credential ({found[1]}); drivers read theirs from .env."]
        if problems:
            workspace.failed_tries += 1
            text = "Not written, because:\n" + "\n".join(problems)
            facts = {"name": name, "sha256": "", "version": 0, "problems": problems, "notes": notes}
            return ToolReturn(text, metadata={"script": facts})
        facts = {"event": "script", "notebook": workspace.notebook, "name": name, "script_sha256": sha256(code)}
        workspace.audit.append(facts)
        version = workspace.scripts.save(name, code, [*explanation, *notes])
        diff = workspace.scripts.diff(version)
        lines = "\n".join(version.explanation)
        for mapping in mapped(name, code, workspace):
            workspace.emit(mapping)
        workspace.emit(Wrote(name, version.code, version.sha256, version.number, lines, diff))
        if cron := get_schedule(code):
            runs = [f"{run:%A}, {run.day} {run:%B %Y, %H:%M %Z}" for run in schedule.next_runs(cron, 3)]
            workspace.emit(Explained(name, [f"runs {schedule.describe(cron)}"], runs))
        facts = {"name": name, "sha256": version.sha256, "version": version.number, "problems": [], "notes": notes}
        text = "\n".join([f"Version {version.number} of {name} is in the notebook.", *notes])
        return ToolReturn(text, metadata={"script": facts})

    return await quiet(workspace, work)


async def run_script(ctx: Context, name: str) -> ToolReturn:
    """Preview a script: it reads for real, compares with the target and counts, and writes nothing."""
    workspace = ctx.deps
    if workspace.repairs_used_up:
        return _enough(name)
    digest, systems, objects = await asyncio.to_thread(_named_in, workspace, name)

    def work(step: Shown) -> ToolReturn:
        preview = workspace.preview(name)
        step.seconds = preview.seconds
        counts = [_counts(target) for target in preview.targets]
        files = [f"file {entry['path']}: {entry.get('rows')} rows" for entry in preview.files]
        tables = [
            Table(table.name, table.columns, masked(workspace, table.rows, objects), table.count)
            for table in preview.tables
        ]
        step.tables = tables
        step.detail = "; ".join([*counts, *files]) or "read-only run, it showed nothing"
        rejects = [describe.data(t.system, reasons) for t in preview.targets if (reasons := _reasons(t))]
        shown_rows = [describe.rows_text("preview", t.name, t.rows[:ROWS], t.count) for t in tables]
        lines = [*counts, *files, *rejects, *shown_rows]
        text = "\n".join(lines) or "It ran and showed nothing."
        return ToolReturn(text, metadata={"preview": _facts(workspace, preview, tables, objects)})

    step = Shown(f"Preview of {name}", "read-only run, nothing is written")
    call = f"preview {name} {digest}"  # the same text is not tried twice
    result = await shown(workspace, step, work, systems=systems, call=call, is_script=True)
    if isinstance(result.metadata, dict) and "error" in result.metadata:
        workspace.failed_tries += 1
    return result


TOOLS = (current_scripts, write_script, run_script)


def _enough(name: str) -> ToolReturn:
    error = {"type": "RepairsUsedUp", "message": f"{name} failed and {REPAIRS} repairs did not help.", "next": ""}
    return ToolReturn(ENOUGH, metadata={"error": error})


def _named_in(workspace: Workspace, name: str) -> tuple[str, list[str], list[tuple[str, str]]]:
    """Hash, systems and objects of the newest version."""
    try:
        version = workspace.scripts.latest(name)
    except IntegratorError:
        return "", [], []  # the preview says that there is no such script
    return version.sha256, *objects_named(version.code)


def _counts(target: TargetCounts) -> str:
    label = registry.manifest(target.system).label if target.system in registry.names() else target.system
    text = (
        f"{label} {target.object}: {target.add:,} to add, {target.update:,} to update, {target.unchanged:,} unchanged"
    )
    if target.reject:
        text += f", {target.reject:,} would be rejected"
    return text + (f", changes the table: {'; '.join(target.changes)}" if target.changes else "")


def _reasons(target: TargetCounts) -> str:
    return "\n".join(dict.fromkeys(str(entry.get("reason", "")) for entry in target.rejects[:ROWS]))


def _facts(
    workspace: Workspace, preview: Previewed, tables: list[Table], objects: list[tuple[str, str]]
) -> dict[str, Any]:
    targets = []
    for target in preview.targets:
        facts: dict[str, Any] = plain(vars(target))
        facts["rejects"] = [{"reason": entry.get("reason", "")} for entry in target.rejects]
        facts["differences"] = [
            {**entry, **dict.fromkeys([name for name in ("old", "new") if name in entry], "...")}
            for entry in facts["differences"]
        ]
        targets.append(facts)
    return {
        "targets": targets,
        "tables": [dict(vars(table)) for table in tables],
        "files": plain(preview.files),
        "writes": preview.writes,
    }
