"""The schema-grounded gate: every object and field a script names must have been seen, before a run is spent."""

from __future__ import annotations

import ast
import re

from integrator_drivers import Mode, registry
from integrator_drivers.errors import near_matches

from .uses import Use, uses
from .workspace import Schema, Workspace

__all__ = ["check"]

_SHAPE = (
    (r"^# /// script$", 'the header "# /// script" with the dependencies is missing at the top'),
    (r"^SCHEDULE = ", "the line SCHEDULE = None (or a cron text) is missing after the imports"),
    (r"^def main\(\)", "the function main() is missing"),
    (r"^    run\(main, SCHEDULE\)$", 'the end is missing: if __name__ == "__main__": run(main, SCHEDULE)'),
)


def check(code: str, workspace: Workspace) -> tuple[list[str], list[str]]:
    """(problems, notes): sentences, with line numbers where there is a line.

    Problems stop the script; notes ("not verified") belong into its explanation.
    """
    from ..errors import PolicyRefused
    from ..policy import allowed

    try:
        tree = ast.parse(code)
    except SyntaxError as exc:
        return [f"Line {exc.lineno}: this is not valid Python ({exc.msg})."], []
    try:
        allowed(code, Mode.APPLY)
    except PolicyRefused as exc:
        return [str(exc)], []
    problems = [f"Shape: {what}." for pattern, what in _SHAPE if not re.search(pattern, code, re.MULTILINE)]
    unverified: dict[str, list[str]] = {}
    for use in uses(tree):
        problems += _problems(use, workspace)
        schema = _schema(workspace, use)
        if schema and not schema.verified and use.kind != "lost key":
            label = registry.manifest(use.system).label
            names = unverified.setdefault(f"{use.object} in {label}", [])
            names += [name for name in use.fields if name not in names]
    notes = [
        f"Not verified: {name}{': ' + ', '.join(fields) if fields else ''} (from the vendor's standard schema)."
        for name, fields in sorted(unverified.items())
    ]
    return list(dict.fromkeys(problems)), notes


def _problems(use: Use, workspace: Workspace) -> list[str]:
    if use.kind == "lost key":
        return [f"Line {use.line}: the key {use.fields[0]!r} is not among the columns that are written."]
    is_table = registry.manifests()[use.system].kind == "sql"
    schema = _schema(workspace, use)
    if schema is None:
        # A table that is not there yet is made by the sync.
        return [] if is_table and use.kind != "read" else _unknown_object(use, workspace)
    if is_table and use.kind == "write":
        return []  # columns that are not there yet are added by the sync
    return [problem for name in use.fields if (problem := _field_problem(use, name, schema, workspace))]


def _unknown_object(use: Use, workspace: Workspace) -> list[str]:
    label = registry.manifest(use.system).label
    listed = [entry["name"] for entry in workspace.objects.get(use.system, ())]
    looked_at = [obj for system, obj in workspace.schemas if system == use.system]
    known = list(dict.fromkeys([*listed, *looked_at, *registry.standard_schema(use.system)]))
    if use.object in known or not listed:
        near = [name for name in near_matches(use.object, known) if name != use.object]
        hint = f" Or did you mean {near[0]}?" if near else ""
        return [f"Line {use.line}: look at {use.object} with get_fields first; its fields were not seen yet.{hint}"]
    hint = _close(use.object, known)
    return [f"Line {use.line}: {label} has no object {use.object!r} that this user can see.{hint}"]


def _field_problem(use: Use, name: str, schema: Schema, workspace: Workspace) -> str:
    label = registry.manifest(use.system).label
    owner, rest = use.object, name
    while "." in rest and rest not in schema.fields:
        head, _, rest = rest.partition(".")
        parents = _parents(head, schema)
        if not parents:
            via = [field.removesuffix("Id") for field, entry in schema.fields.items() if entry.get("references")]
            return f"Line {use.line}: {owner} in {label} has no parent {head!r} (in {name!r}).{_close(head, via)}"
        found = [(obj, known) for obj in parents if (known := _schema_of(workspace, use.system, obj))]
        if not found:
            return ""  # the parent was not looked at; the preview tells
        if len(found) > 1:  # an owner may be a user or a group: one that has the field is enough
            found.sort(key=lambda entry: rest not in entry[1].fields)
        owner, schema = found[0]
    field = schema.fields.get(rest)
    if field is None:
        if not schema.verified:
            return (
                f"Line {use.line}: {rest!r} is not in the standard schema of {owner} in {label}; "
                f"look at {owner} with get_fields to see this system's own fields.{_close(rest, schema.fields)}"
            )
        return (
            f"Line {use.line}: {owner} in {label} has no field {rest!r} that this user can see; "
            f"it may be hidden by its rights.{_close(rest, schema.fields)}"
        )
    if use.kind == "write" and field.get("writable") is False and not field.get("primary_key"):
        return f"Line {use.line}: {rest} of {owner} in {label} can't be written; the system sets it."
    return ""


def _parents(head: str, schema: Schema) -> list[str]:
    """The objects behind `Campaign.`, `Owner.` or `Region__r.`, by the reference field."""
    wanted = {head, f"{head}Id", f"{head}_id"} | ({f"{head[:-3]}__c"} if head.endswith("__r") else set())
    for name in wanted & schema.fields.keys():
        if references := schema.fields[name].get("references"):
            return list(references)
    return []


def _close(name: str, known: object) -> str:
    near = near_matches(name, known)  # type: ignore[arg-type]
    return f" Close matches: {', '.join(near)}." if near else ""


def _schema(workspace: Workspace, use: Use) -> Schema | None:
    return _schema_of(workspace, use.system, use.object)


def _schema_of(workspace: Workspace, system: str, obj: str) -> Schema | None:
    if found := workspace.seen(system, obj):
        return found
    standard = registry.standard_schema(system).get(obj)
    return Schema(standard["fields"], verified=False, at=0.0) if standard else None
