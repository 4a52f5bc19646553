"""The tools of the agent: few, small, typed. Each returns short text for a model and plain data for the planner.

The docstrings are what the model reads. Blocking work runs in a thread; every step is shown as it begins and ends.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Callable
from typing import Any

from pydantic_ai import CallDeferred, FunctionToolset, RunContext
from pydantic_ai.messages import ToolReturn

from integrator_drivers import DriverError, Mode, registry, schedule

from ..credentials import mask
from ..errors import IntegratorError, RunFailed
from ..events import Explained, Step, Table, Wrote
from ..export import get_schedule
from . import describe, gate
from .workspace import Workspace

__all__ = ["toolset"]

Context = RunContext[Workspace]
README = 6_000  # characters of a README given at once
SAMPLE = 20


def toolset() -> FunctionToolset[Workspace]:
    """All tools, in the order of the work."""
    return FunctionToolset(
        [
            find_drivers,
            load_driver,
            search_docs,
            read_doc,
            list_objects,
            get_fields,
            sample,
            run_discovery,
            ask_user,
            current_scripts,
            write_script,
            run_script,
        ]
    )


async def find_drivers(ctx: Context, text: str = "") -> ToolReturn:
    """Which systems can be connected. `text`: a name or purpose to look for; empty lists all."""

    def work() -> ToolReturn:
        found = [_driver_row(ctx.deps, name) for name in registry.names()]
        lines = [
            f"{row['name']}: {row['purpose']} ({'connected' if row['connected'] else 'not connected'})" for row in found
        ]
        return ToolReturn("\n".join(lines), metadata={"drivers": found})

    return await asyncio.to_thread(work)


async def load_driver(ctx: Context, name: str) -> ToolReturn:
    """Load a system's driver: what it can do, its README, its examples. Do this as soon as a system is named."""

    def work(step: _Step) -> ToolReturn:
        system = registry.resolve(name)
        manifest = registry.manifest(system)
        facts = _driver_facts(ctx.deps, system)
        state = ctx.deps.credentials.state(manifest)
        step.title = manifest.label
        if state.practice:
            step.detail = "practice system, connected"
        elif state.connected:
            step.detail = "ready to connect"
        else:
            step.detail = f"not connected: needs {', '.join(state.missing)}"
        documents = registry.docs(system)
        ctx.deps.audit.append({"event": "load", "system": system, "documents": sorted(documents)})
        joins = "".join(f"\njoin {join.start} -> {join.to} ({join.keep})" for join in manifest.joins)
        others = ", ".join(path for path in documents if path != "README.md")
        text = (
            f"{system}: {manifest.purpose}. State: {step.detail}.\n"
            f"Import: from {facts['module']} import {facts['client']}. Cursor field: {manifest.cursor or 'none'}; "
            f"creation time: {manifest.created or 'none'}.{joins}\n\n"
            f"{documents.get('README.md', '')[:README]}\n\nMore, through search_docs: {others}"
        )
        return ToolReturn(text, metadata={"driver": facts})

    return await _step(ctx, f"Loading {name}", "", work, system=name, call=("load_driver", name))


async def search_docs(ctx: Context, query: str, system: str = "") -> ToolReturn:
    """Find sections of the drivers' documents and examples. `system` limits it to one driver."""

    def work() -> ToolReturn:
        drivers = [registry.resolve(system)] if system else []
        hits = ctx.deps.index.search(query, drivers)
        lines = [f"{hit.id}: {hit.heading}\n  {hit.excerpt}" for hit in hits]
        found = [{"id": hit.id, "driver": hit.driver, "path": hit.path, "heading": hit.heading} for hit in hits]
        return ToolReturn("\n".join(lines) or "Nothing found.", metadata={"hits": found})

    return await asyncio.to_thread(work)


async def read_doc(ctx: Context, id: str) -> ToolReturn:
    """Read one section whole; `id` as search_docs gave it."""

    def work(step: _Step) -> ToolReturn:
        text = ctx.deps.index.read(id)
        step.detail = f"{id.partition('/')[0]}, {text.splitlines()[0].lstrip('# ')[:80]}"
        return ToolReturn(text, metadata={"doc": {"id": id}})

    return await _step(ctx, "Read", id, work, call=("read_doc", id))


async def list_objects(ctx: Context, system: str, about: str = "") -> ToolReturn:
    """Objects or tables of a system, live and read-only. `about`: only those about a word."""

    def work(step: _Step) -> ToolReturn:
        name = registry.resolve(system)
        label = registry.manifest(name).label
        verified = name not in ctx.deps.standard
        if verified:
            rows = [dict(entry) if isinstance(entry, dict) else vars(entry) for entry in _describe(ctx.deps, name)]
        else:
            schema = registry.standard_schema(name)
            rows = [
                {"name": obj, "label": entry.get("label", obj), "purpose": entry.get("purpose", "")}
                for obj, entry in schema.items()
            ]
        ctx.deps.objects[name] = rows
        step.detail = f"{label}: {len(rows):,} objects" + ("" if verified else ", standard schema, not verified")
        columns = ["name", "label", "purpose", "records", "fields"]
        step.tables = [Table(name, columns, [{key: row.get(key) for key in columns} for row in rows[:200]], len(rows))]
        return ToolReturn(
            describe.objects_text(name, rows, about),
            metadata={"system": name, "objects": rows, "verified": verified},
        )

    return await _step(ctx, "Looking at", f"the objects of {system}", work, "Looked at", system, ("objects", system))


async def get_fields(ctx: Context, system: str, object: str, about: str = "") -> ToolReturn:
    """Fields of one object, live and read-only: type (! = never empty), label, key, references, choices.

    `about`: only fields about a word. Discovery is for facts the documents do not hold; names are never guessed.
    """

    def work(step: _Step) -> ToolReturn:
        name = registry.resolve(system)
        verified = name not in ctx.deps.standard
        if verified:
            fields = ctx.deps.runner.call(name, "get_fields", object)
        else:
            schema = registry.standard_schema(name)
            if object not in schema:
                raise IntegratorError(
                    f"The standard schema of {name} has no object {object}.", f"It has {len(schema)}."
                )
            fields = schema[object]["fields"]
        ctx.deps.keep(name, object, fields, verified=verified)
        step.detail = f"{object}: {len(fields):,} fields" + ("" if verified else ", standard schema, not verified")
        step.tables = [_dictionary(name, object, fields)]
        return ToolReturn(
            describe.fields_text(name, object, fields, verified=verified, about=about),
            metadata={"system": name, "object": object, "fields": fields, "verified": verified},
        )

    return await _step(
        ctx,
        "Looking at",
        f"the fields of {object}, reading only",
        work,
        "Looked at",
        system,
        ("fields", system, object),
    )


async def sample(ctx: Context, system: str, object: str, n: int = 10) -> ToolReturn:
    """A few records, to see how full fields are and what values look like. Personal values are masked."""

    def work(step: _Step) -> ToolReturn:
        name = registry.resolve(system)
        known = ctx.deps.schemas.get((name, object))
        fields = known.fields if known else ctx.deps.runner.call(name, "get_fields", object)
        rows = ctx.deps.runner.call(name, "sample", object, min(n, SAMPLE))
        if not ctx.deps.settings.personal_values:
            rows = [{key: mask(value, fields.get(key, {})) for key, value in row.items()} for row in rows]
        fill = {
            key: sum(row.get(key) not in (None, "") for row in rows) / len(rows) for key in (rows[0] if rows else {})
        }
        step.detail = f"{len(rows)} records of {object}"
        step.tables = [Table(f"{name}.{object}.sample", list(rows[0]) if rows else [], rows, len(rows))]
        return ToolReturn(
            describe.rows_text(name, object, rows, len(rows)),
            metadata={"system": name, "object": object, "rows": rows, "fill": fill},
        )

    return await _step(
        ctx, "Looking at", f"a few records of {object}", work, "Looked at", system, ("sample", system, object)
    )


async def run_discovery(ctx: Context, code: str, purpose: str) -> ToolReturn:
    """Run a short read-only script in the sandbox and see what its `show(...)` calls showed.

    `purpose`: one plain sentence for the user, shown before it runs. Only when the other tools do not suffice.
    """

    def work(step: _Step) -> ToolReturn:
        step.code = code
        outcome = ctx.deps.runner.run(code, mode=Mode.DISCOVERY, purpose=purpose)
        if outcome.status != "ok":
            raise RunFailed(outcome.error.message if outcome.error else outcome.status, "Nothing was written.")
        tables = [
            Table(line["name"], line["columns"], _masked_table(ctx.deps, line["rows"]), line["count"])
            for line in outcome.report
            if line["kind"] == "table"
        ]
        values = {line["name"]: line["value"] for line in outcome.report if line["kind"] == "value"}
        step.tables = tables
        text = "\n".join(describe.rows_text("discovery", table.name, table.rows, table.count) for table in tables)
        text += describe.data("discovery", json.dumps(values, default=str, ensure_ascii=False)) if values else ""
        shown = [{"name": t.name, "columns": t.columns, "rows": t.rows, "count": t.count} for t in tables]
        return ToolReturn(text or "It showed nothing.", metadata={"tables": shown, "values": values})

    return await _step(ctx, purpose.rstrip("."), "", work, code=code, call=("discovery", code))


async def ask_user(ctx: Context, question: str, options: list[dict[str, str]] | None = None) -> str:
    """Ask the user one question. `options`: [{"label", "hint"}] offered as buttons; free text is always possible."""
    offered = [{"label": entry.get("label", ""), "hint": entry.get("hint", "")} for entry in options or []]
    raise CallDeferred(metadata={"question": question, "options": offered}, kind="question")


async def current_scripts(ctx: Context) -> ToolReturn:
    """The scripts of this notebook as they are now, also where the user edited them. Look before you change one."""

    def work() -> ToolReturn:
        scripts = [
            {
                "name": version.name,
                "version": version.number,
                "code": version.code,
                "explanation": version.explanation,
                "schedule": get_schedule(version.code),
            }
            for version in ctx.deps.scripts.all()
        ]
        text = "\n\n".join(f"{entry['name']}, version {entry['version']}:\n{entry['code']}" for entry in scripts)
        return ToolReturn(text or "There are none yet.", metadata={"scripts": scripts})

    return await asyncio.to_thread(work)


async def write_script(ctx: Context, name: str, code: str, explanation: list[str]) -> ToolReturn:
    """Put the whole script into the user's notebook cell, or a new version of it.

    `name`: lower case with underscores. `explanation`: what it does, in business words, one line each. The names it
    uses are checked against what was discovered; problems come back and nothing is put into the notebook then.
    """

    def work() -> ToolReturn:
        problems, notes = gate.check(code, ctx.deps)
        if problems:
            ctx.deps.repairs += 1
            text = "Not written, because:\n" + "\n".join(problems)
            return ToolReturn(
                text, metadata={"script": {"name": name, "sha256": "", "version": 0, "problems": problems}}
            )
        version = ctx.deps.scripts.save(name, code, [*explanation, *notes])
        ctx.deps.audit.append(
            {"event": "script", "name": name, "script_sha256": version.sha256, "version": version.number}
        )
        diff = ctx.deps.scripts.diff(version)
        ctx.deps.emit(Wrote(name, version.code, version.sha256, version.number, "\n".join(version.explanation), diff))
        if cron := get_schedule(code):
            runs = [f"{run:%A}, {run.day} {run:%B %Y, %H:%M %Z}" for run in schedule.next_runs(cron, 3)]
            ctx.deps.emit(Explained(name, [f"runs {schedule.describe(cron)}"], runs))
        facts = {"name": name, "sha256": version.sha256, "version": version.number, "problems": []}
        return ToolReturn(f"Version {version.number} of {name} is in the notebook.", metadata={"script": facts})

    return await _caught(work)


async def run_script(ctx: Context, name: str) -> ToolReturn:
    """Preview a script: it reads for real, compares with the target and counts, and writes nothing."""

    def work(step: _Step) -> ToolReturn:
        preview = ctx.deps.preview(name)
        step.seconds = preview.seconds
        targets = [vars(target) for target in preview.targets]
        lines = [
            f"{target.system} {target.object}: {target.add} to add, {target.update} to update, "
            f"{target.unchanged} unchanged, {target.reject} rejected"
            for target in preview.targets
        ]
        lines += [f"file {entry['path']}: {entry.get('rows')} rows" for entry in preview.files]
        lines += [describe.rows_text("preview", table.name, table.rows[:5], table.count) for table in preview.tables]
        facts = {
            "targets": targets,
            "tables": [vars(table) for table in preview.tables],
            "files": preview.files,
            "writes": preview.writes,
        }
        return ToolReturn("\n".join(lines) or "It ran and showed nothing.", metadata={"preview": facts})

    result = await _step(ctx, f"Preview of {name}", "read-only run", work)
    if isinstance(result.metadata, dict) and "error" in result.metadata:
        ctx.deps.repairs += 1
    return result


class _Step:
    """One step while it is under way."""

    def __init__(self, title: str, detail: str, code: str) -> None:
        self.id = uuid.uuid4().hex[:8]
        self.title = title
        self.detail = detail
        self.code = code
        self.tables: list[Table] = []
        self.seconds: float | None = None
        self.started = time.monotonic()

    def event(self, state: str) -> Step:
        seconds = None if state == "running" else self.seconds or time.monotonic() - self.started
        return Step(self.id, self.title, self.detail, state, seconds, self.tables, self.code)


async def _step(
    ctx: Context,
    title: str,
    detail: str,
    work: Callable[[_Step], ToolReturn],
    done_title: str = "",
    system: str = "",
    call: tuple[str, ...] = (),
    code: str = "",
) -> ToolReturn:
    """Do `work` in a thread and show it. A call that failed before the user spoke again is not made a second time."""
    key = "\n".join(call)
    if key and key in ctx.deps.failed:
        return ToolReturn(
            "This failed before and is not tried again by itself. Ask the user whether to try again.",
            metadata=ctx.deps.failed[key],
        )
    step = _Step(title, detail, code)
    ctx.deps.emit(step.event("running"))
    try:
        result = await asyncio.to_thread(work, step)
    except (DriverError, IntegratorError) as exc:
        step.detail = str(exc)
        ctx.deps.emit(step.event("failed"))
        metadata = {"error": _error(exc), "system": _resolved(system)}
        if key:
            ctx.deps.failed[key] = metadata
        return ToolReturn(f"Failed: {exc}", metadata=metadata)
    except asyncio.CancelledError:
        ctx.deps.emit(step.event("failed"))
        raise
    if done_title:
        step.title = done_title
    ctx.deps.emit(step.event("done"))
    return result


async def _caught(work: Callable[[], ToolReturn]) -> ToolReturn:
    try:
        return await asyncio.to_thread(work)
    except (DriverError, IntegratorError) as exc:
        return ToolReturn(f"Failed: {exc}", metadata={"error": _error(exc)})


def _error(exc: Exception) -> dict[str, Any]:
    message = str(exc.args[0]) if isinstance(exc, IntegratorError) else str(exc)
    return {
        "type": type(exc).__name__,
        "message": message,
        "next": getattr(exc, "next", ""),
        "near": getattr(exc, "near", []),
    }


def _resolved(system: str) -> str:
    try:
        return registry.resolve(system) if system else ""
    except DriverError:
        return ""


def _describe(workspace: Workspace, system: str) -> list[Any]:
    rows: list[Any] = workspace.runner.call(system, "describe_objects")
    return rows


def _dictionary(system: str, obj: str, fields: dict[str, dict[str, Any]]) -> Table:
    from ..discovery import field_rows

    entries = [{"name": name, **field} for name, field in fields.items()]
    return field_rows({"system": system, "object": obj, "fields": entries, "sample": []})


def _masked_table(workspace: Workspace, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Values under a column that is personal in any object seen so far are masked."""
    if workspace.settings.personal_values:
        return rows
    personal = {
        name.casefold(): field
        for schema in workspace.schemas.values()
        for name, field in schema.fields.items()
        if field.get("personal")
    }
    return [
        {key: mask(value, personal.get(key.rpartition(".")[2].casefold(), {})) for key, value in row.items()}
        for row in rows
    ]


def _driver_row(workspace: Workspace, name: str) -> dict[str, Any]:
    manifest = registry.manifest(name)
    state = workspace.credentials.state(manifest)
    return {
        "name": name,
        "label": manifest.label,
        "purpose": manifest.purpose,
        "aliases": list(manifest.aliases),
        "kind": manifest.kind,
        "stability": manifest.stability,
        "connected": state.connected,
        "practice": state.practice,
    }


def _driver_facts(workspace: Workspace, name: str) -> dict[str, Any]:
    manifest = registry.manifest(name)
    state = workspace.credentials.state(manifest)
    module, _, client = manifest.client.partition(":")
    joins = [{"start": j.start, "to": j.to, "keep": j.keep, "words": list(j.words)} for j in manifest.joins]
    questions = [
        {"words": list(q.words), "object": q.object, "choices": [dict(choice) for choice in q.choices]}
        for q in manifest.questions
    ]
    return {
        **_driver_row(workspace, name),
        "module": module,
        "client": client,
        "cursor": manifest.cursor,
        "created": manifest.created,
        "joins": joins,
        "questions": questions,
        "words": {obj: list(words) for obj, words in manifest.words.items()},
        "missing": list(state.missing),
    }
