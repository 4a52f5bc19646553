"""What can only be read, and has endpoints of its own: owners, pipelines, stages, and who belongs to whom."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from integrator_drivers import Field, Record
from integrator_drivers.protocols import FieldType

from .connection import Connection, object_path
from .settings import API_VERSION

__all__ = ["PAIRS", "TABLES", "Table", "pair_fields", "pair_rows"]

Rows = Callable[[Connection, "Sequence[str] | None"], Iterator[dict[str, Any]]]
Column = tuple[str, FieldType, str, dict[str, Any]]  # name, type, label, more facts
WITH_PIPELINES = ("deals", "tickets")
PAIRS = {  # name -> from, to
    "contact_to_company": ("contacts", "companies"),
    "deal_to_company": ("deals", "companies"),
    "deal_to_contact": ("deals", "contacts"),
    "ticket_to_contact": ("tickets", "contacts"),
    "ticket_to_company": ("tickets", "companies"),
}


@dataclass(frozen=True)
class Table:
    """One of them. `rows` gets the ids of the first column that are wanted, None for all; values are HubSpot's own."""

    label: str
    purpose: str
    columns: tuple[Column, ...]
    rows: Rows
    first_is_key: bool = True

    def fields(self) -> dict[str, Field]:
        """The fields by name."""
        found: dict[str, Field] = {}
        for position, (name, kind, label, more) in enumerate(self.columns):
            field: Field = {
                "type": kind,
                "native_type": kind,
                "nullable": position > 0,
                "label": label,
                "writable": False,
                "personal": False,
            }
            if position == 0 and self.first_is_key:
                field["primary_key"] = True
            field.update(more)  # type: ignore[typeddict-item]
            found[name] = field
        return found


def pair_rows(
    connection: Connection, start: str, to: str, ids: Sequence[str] | None, columns: tuple[str, str]
) -> Iterator[dict[str, Any]]:
    """One row for each two records that belong together, with all labels."""
    if ids is None:
        pages = connection.pages(object_path(start), {"properties": "hs_object_id"})
        groups: Iterator[list[str]] = ([str(row["id"]) for row in page] for page in pages)
    else:
        groups = iter([list(ids)])
    for group in groups:
        for found in connection.associated(start, to, group):
            for other in found.get("to") or ():
                kinds: list[dict[str, Any]] = other.get("associationTypes") or []
                labels = dict.fromkeys(str(kind["label"]) for kind in kinds if kind.get("label"))
                yield {
                    columns[0]: str(found["from"]["id"]),
                    columns[1]: str(other["toObjectId"]),
                    "label": ", ".join(labels) or None,
                    "type_ids": ", ".join(str(kind["typeId"]) for kind in kinds) or None,
                }


def pair_fields(start: str, to: str, columns: tuple[str, str]) -> dict[str, Field]:
    """The fields of associations between two objects."""
    return _pair(start, to, columns).fields()


def _pair(start: str, to: str, columns: tuple[str, str]) -> Table:
    def rows(connection: Connection, ids: Sequence[str] | None) -> Iterator[dict[str, Any]]:
        return pair_rows(connection, start, to, ids, columns)

    described: tuple[Column, ...] = (
        (columns[0], "reference", f"{_one(start)} ID", {"references": [start]}),
        (columns[1], "reference", f"{_one(to)} ID", {"references": [to]}),
        ("label", "text", "Association label", {"help": "Primary, or labels of the account's own"}),
        ("type_ids", "text", "Association types", {}),
    )
    label = f"{_one(start)} to {_one(to).lower()}"
    purpose = f"Which {start} belong to which {to}; a record can have several"
    return Table(label, purpose, described, rows, first_is_key=False)


def _one(plural: str) -> str:
    return {"companies": "Company"}.get(plural, plural.removesuffix("s").capitalize())


def _owners(connection: Connection, ids: Sequence[str] | None) -> Iterator[dict[str, Any]]:
    for archived in ("false", "true"):
        for page in connection.pages(f"/crm/owners/{API_VERSION}", {"archived": archived}):
            for raw in page:
                teams = [team.get("name") for team in raw.get("teams") or ()]
                yield {**raw, "name": _full_name(raw), "team": ", ".join(filter(None, teams)) or None}


def _full_name(raw: dict[str, Any]) -> str | None:
    return " ".join(part for part in (raw.get("firstName"), raw.get("lastName")) if part) or None


def _pipelines(connection: Connection, ids: Sequence[str] | None) -> Iterator[Record]:
    for kind in WITH_PIPELINES:
        for raw in connection.get(f"/crm/pipelines/{API_VERSION}/{kind}")["results"]:
            yield {**raw, "objectType": kind, "stages_": raw["stages"], "stages": len(raw["stages"])}


def _stages(connection: Connection, ids: Sequence[str] | None) -> Iterator[Record]:
    for pipeline in _pipelines(connection, None):
        for raw in pipeline["stages_"]:
            facts = raw.get("metadata") or {}
            closed = str(facts.get("isClosed", "")).lower() == "true" or facts.get("ticketState") == "CLOSED"
            yield {
                **raw,
                "pipelineId": pipeline["id"],
                "pipelineLabel": pipeline["label"],
                "objectType": pipeline["objectType"],
                "probability": facts.get("probability"),
                "isClosed": closed,
            }


PERSONAL = {"personal": True}
TABLES: dict[str, Table] = {
    "owners": Table(
        "Owners",
        "Users who own records: sales and service people",
        (
            ("id", "text", "Owner ID", {}),
            ("name", "text", "Name", PERSONAL),
            ("firstName", "text", "First Name", PERSONAL),
            ("lastName", "text", "Last Name", PERSONAL),
            ("email", "text", "Email", PERSONAL),
            ("team", "text", "Teams", {}),
            ("type", "text", "Type", {"choices": ["PERSON", "QUEUE"]}),
            ("userId", "integer", "User ID", {}),
            ("archived", "boolean", "Archived", {"help": "No longer a user; old records keep the owner"}),
            ("createdAt", "datetime", "Create Date", {}),
            ("updatedAt", "datetime", "Last Modified Date", {}),
        ),
        _owners,
    ),
    "pipelines": Table(
        "Pipelines",
        "The pipelines of deals and tickets",
        (
            ("id", "text", "Pipeline ID", {}),
            ("label", "text", "Name", {}),
            ("objectType", "text", "Object", {"choices": list(WITH_PIPELINES)}),
            ("displayOrder", "integer", "Display order", {}),
            ("stages", "integer", "Number of stages", {}),
            ("archived", "boolean", "Archived", {}),
            ("createdAt", "datetime", "Create Date", {}),
            ("updatedAt", "datetime", "Last Modified Date", {}),
        ),
        _pipelines,
    ),
    "pipeline_stages": Table(
        "Pipeline stages",
        "The stages of each pipeline, with probability and whether they are closed",
        (
            ("id", "text", "Stage ID", {}),
            ("label", "text", "Name", {}),
            ("pipelineId", "reference", "Pipeline ID", {"references": ["pipelines"]}),
            ("pipelineLabel", "text", "Pipeline Name", {}),
            ("objectType", "text", "Object", {"choices": list(WITH_PIPELINES)}),
            ("displayOrder", "integer", "Display order", {}),
            ("probability", "number", "Probability", {}),
            ("isClosed", "boolean", "Closed", {}),
            ("archived", "boolean", "Archived", {}),
            ("createdAt", "datetime", "Create Date", {}),
            ("updatedAt", "datetime", "Last Modified Date", {}),
        ),
        _stages,
    ),
    **{
        name: _pair(start, to, (f"{name.partition('_to_')[0]}_id", f"{name.partition('_to_')[2]}_id"))
        for name, (start, to) in PAIRS.items()
    },
}
