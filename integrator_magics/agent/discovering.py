"""Tools that look at systems, reading only. The docstrings are what the model reads."""

from __future__ import annotations

import json
from typing import Any

from pydantic_ai import RunContext
from pydantic_ai.messages import ToolReturn

from integrator_drivers import DriverError, Mode, errors, registry

from ..discovery import field_rows, objects_table
from ..errors import IntegratorError, RunFailed
from ..events import Table
from . import describe
from .describe import ago
from .failures import Failures
from .steps import Shown, shown
from .uses import objects_named
from .values import fill, masked, plain
from .workspace import Schema, Workspace, resolved

__all__ = ["TOOLS", "get_fields", "list_objects", "run_discovery", "sample"]

Context = RunContext[Workspace]
SAMPLE = 50
ROWS = 200  # rows of a table that are kept with a step


async def list_objects(ctx: Context, system: str, about: str = "") -> ToolReturn:
    """Objects or tables of a system, live and read-only. `about`: only those about a word."""
    workspace = ctx.deps

    def work(step: Shown) -> ToolReturn:
        name = registry.resolve(system)
        verified = name not in workspace.standard
        if verified:
            found = workspace.runner.call(name, "describe_objects")
            rows = [dict(entry) if isinstance(entry, dict) else dict(vars(entry)) for entry in found]
        else:
            rows = _standard_objects(name)
        workspace.objects[name] = rows
        step.detail = f"{registry.manifest(name).label}: {len(rows):,} objects{_standard_note(verified)}"
        step.tables = [objects_table({"system": name, "objects": rows})]
        text = describe.objects_text(name, rows, about, verified=verified)
        return ToolReturn(text, metadata={"system": name, "objects": plain(rows), "verified": verified})

    step = Shown("Looking at", f"the objects of {system}, reading only", done_title="Looked at")
    return await shown(workspace, step, work, systems=[resolved(system)], call=_live(workspace, system, "objects"))


async def get_fields(ctx: Context, system: str, object: str, about: str = "") -> ToolReturn:
    """Fields of one object, live and read-only: type (! = never empty), label, key, references, choices.

    `about`: only fields about a word. Look before you use a name; names are never guessed.
    """
    workspace = ctx.deps

    def work(step: Shown) -> ToolReturn:
        name = registry.resolve(system)
        verified = name not in workspace.standard
        recent = workspace.recent(name, object) if verified else None
        if recent:
            fields = recent.fields
        else:
            fields = workspace.runner.call(name, "get_fields", object) if verified else _standard_fields(name, object)
            workspace.keep(name, object, plain(fields), verified=verified)
        step.detail = f"{object}: {len(fields):,} fields{_age(recent)}{_standard_note(verified)}"
        step.tables = [_dictionary(name, object, fields)]
        text = describe.fields_text(name, object, fields, verified=verified, about=about)
        told = {"system": name, "object": object, "fields": plain(fields), "verified": verified}
        return ToolReturn(text, metadata=told)

    step = Shown("Looking at", f"the fields of {object}, reading only", done_title="Looked at")
    call = _live(workspace, system, f"fields {object}")
    return await shown(workspace, step, work, systems=[resolved(system)], call=call)


async def sample(ctx: Context, system: str, object: str, n: int = 20) -> ToolReturn:
    """How full the fields of an object are in the first records, and what values look like (personal ones masked)."""
    workspace = ctx.deps

    def work(step: Shown) -> ToolReturn:
        name = registry.resolve(system)
        _require_live(workspace, [name])
        if workspace.seen(name, object) is None:
            workspace.keep(name, object, plain(workspace.runner.call(name, "get_fields", object)), verified=True)
        found = workspace.runner.call(name, "sample", object, max(1, min(n, SAMPLE)))
        rows = masked(workspace, found, [(name, object)])
        step.detail = f"{len(rows)} records of {object}"
        step.tables = [Table(f"{name}.{object}.sample", list(rows[0]) if rows else [], rows, len(rows))]
        filled = fill(rows)
        text = describe.sample_text(name, object, rows, filled)
        return ToolReturn(text, metadata={"system": name, "object": object, "rows": rows, "fill": filled})

    step = Shown("Looking at", f"a few records of {object}, reading only", done_title="Looked at")
    call = f"{resolved(system)} sample {object}"
    return await shown(workspace, step, work, systems=[resolved(system)], call=call)


async def run_discovery(ctx: Context, code: str, purpose: str) -> ToolReturn:
    """Run a short read-only script in the sandbox and see what its `show(...)` calls showed.

    `purpose`: one plain sentence for the user, shown before it runs. Only where the other tools do not suffice.
    """
    workspace = ctx.deps
    systems, objects = objects_named(code)

    def work(step: Shown) -> ToolReturn:
        _require_live(workspace, systems)
        outcome = workspace.runner.run(code, mode=Mode.DISCOVERY, purpose=purpose)
        if outcome.status != "ok":
            raise _run_error(outcome)
        lines = [line for line in outcome.report if line["kind"] == "table"]
        step.tables = [
            Table(line["name"], line["columns"], masked(workspace, line["rows"][:ROWS], objects), line["count"])
            for line in lines
        ]
        answers = [{line["name"]: line["value"]} for line in outcome.report if line["kind"] == "value"]
        values = {key: value for entry in masked(workspace, answers, objects) for key, value in entry.items()}
        share = describe.BUDGET // (len(step.tables) or 1)
        text = "\n".join(describe.rows_text("discovery", t.name, t.rows, t.count, share) for t in step.tables)
        if values:
            text += "\n" + describe.data("discovery", describe.clipped(json.dumps(values, ensure_ascii=False)))
        tables = [dict(vars(table)) for table in step.tables]
        return ToolReturn(
            text.strip() or "It ran and showed nothing; end with show(...) to see a result.",
            metadata={"tables": tables, "values": values},
        )

    step = Shown(purpose.strip().rstrip("."), code=code)
    return await shown(workspace, step, work, systems=systems, call=f"run {code.strip()}", is_script=True)


TOOLS = (list_objects, get_fields, sample, run_discovery)


def remember_failure(failures: Failures, tool: str, args: dict[str, Any], told: dict[str, Any]) -> None:
    """Take a failed call of the stored dialog up again, so that an answer given after a restart finds it."""
    error, system = told["error"], told.get("system", "")
    calls = {
        "list_objects": f"{system} objects",
        "get_fields": f"{system} fields {args.get('object')}",
        "sample": f"{system} sample {args.get('object')}",
        "run_discovery": f"run {str(args.get('code')).strip()}",
    }
    if tool in calls:
        failures.note(system, calls[tool], error)


def _require_live(workspace: Workspace, systems: list[str]) -> None:
    """Raises IntegratorError for a system that the user wants to do without for now."""
    for name in workspace.standard.intersection(systems):
        label = registry.manifest(name).label
        raise IntegratorError(
            f"You chose to go on from the standard schema of {label}, so nothing is read from it.",
            "Its objects and fields are known from get_fields; values are not.",
        )


def _live(workspace: Workspace, system: str, what: str) -> str:
    """The name of a call that asks a system; the standard schema asks nobody, so nothing can be repeated there."""
    name = resolved(system)
    return "" if name in workspace.standard else f"{name} {what}"


def _standard_objects(system: str) -> list[dict[str, Any]]:
    return [
        {
            "name": obj,
            "label": entry.get("label", obj),
            "purpose": entry.get("purpose", ""),
            "records": None,
            "fields": len(entry["fields"]),
        }
        for obj, entry in _standard(system).items()
    ]


def _standard_fields(system: str, obj: str) -> dict[str, Any]:
    schema = _standard(system)
    if obj not in schema:
        near = errors.near_matches(obj, schema)
        hint = f" Close matches: {', '.join(near)}." if near else ""
        label = registry.manifest(system).label
        raise errors.ObjectNotFoundError(f'The standard schema of {label} has no object "{obj}".{hint}', near)
    fields: dict[str, Any] = schema[obj]["fields"]
    return fields


def _standard(system: str) -> dict[str, dict[str, Any]]:
    schema = registry.standard_schema(system)
    if not schema:
        label = registry.manifest(system).label
        raise IntegratorError(f"{label} has no standard schema; its objects differ from place to place.", "Try again.")
    return schema


def _standard_note(verified: bool) -> str:
    return "" if verified else ", standard schema, not verified"


def _age(recent: Schema | None) -> str:
    return f", as seen {ago(recent.age)}" if recent else ""


def _dictionary(system: str, obj: str, fields: dict[str, dict[str, Any]]) -> Table:
    entries = [{"name": name, **field} for name, field in fields.items()]
    return field_rows({"system": system, "object": obj, "fields": entries, "sample": []})


def _run_error(outcome: Any) -> DriverError | IntegratorError:
    """Why a run did not end well; a driver's error as itself, so that an outage is known as one."""
    error = outcome.error
    if error is None:
        return RunFailed(f"The run ended without a result ({outcome.status}).", "Nothing was written.")
    kind = getattr(errors, error.type, None)
    if error.driver and isinstance(kind, type) and issubclass(kind, DriverError):
        return kind(error.message)
    return RunFailed(f"{error.sentence.rstrip('.')}.", "Nothing was written.")
