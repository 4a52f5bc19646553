"""What the catalogue says about tables and columns, and its translation into the contract's field words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from integrator_drivers import Field
from integrator_drivers.protocols import FieldType

__all__ = ["Check", "Column", "ForeignKey", "Table", "Unique", "native_type_of", "planned_column"]

_TYPES: dict[str, FieldType] = {
    **dict.fromkeys(("int2", "int4", "int8", "oid"), "integer"),
    **dict.fromkeys(("numeric", "float4", "float8"), "number"),
    "bool": "boolean",
    "date": "date",
    **dict.fromkeys(("timestamp", "timestamptz"), "datetime"),
    **dict.fromkeys(("json", "jsonb"), "json"),
    "bytea": "binary",
}
_NATIVE: dict[FieldType, str] = {
    "text": "text",
    "reference": "text",
    "integer": "bigint",
    "number": "numeric",
    "boolean": "boolean",
    "date": "date",
    "datetime": "timestamp with time zone",
    "json": "jsonb",
    "binary": "bytea",
}
_BASES = {
    "text": "text",
    "character varying": "varchar",
    "character": "bpchar",
    "smallint": "int2",
    "integer": "int4",
    "bigint": "int8",
    "numeric": "numeric",
    "real": "float4",
    "double precision": "float8",
    "boolean": "bool",
    "date": "date",
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamptz",
    "json": "json",
    "jsonb": "jsonb",
    "bytea": "bytea",
    "uuid": "uuid",
    "time without time zone": "time",
    "interval": "interval",
    "inet": "inet",
    "cidr": "cidr",
    "macaddr": "macaddr",
}


@dataclass(frozen=True)
class Column:
    """One column."""

    name: str
    native: str  # "character varying(80)"
    base: str  # "varchar": the type's own name, of a domain its base type's
    category: str = "S"  # pg_type.typcategory; "A" is an array
    nullable: bool = True
    default: str | None = None
    generated: bool = False  # computed, or identity GENERATED ALWAYS
    comment: str | None = None
    length: int | None = None
    precision: int | None = None
    scale: int | None = None
    primary_key: bool = False
    references: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    comparable: bool = True  # has an equality operator
    planned: bool = False  # not there yet

    def as_field(self) -> Field:
        """The column in the words every driver shares."""
        kind: FieldType = "json" if self.category == "A" else _TYPES.get(self.base, "text")
        found: Field = {"type": kind, "native_type": self.native, "nullable": self.nullable}
        if self.comment:
            found["label"] = self.comment.partition("\n")[0][:80]
            if found["label"] != self.comment:
                found["help"] = self.comment
        if self.primary_key:
            found["primary_key"] = True
        if self.references:
            found["references"] = list(self.references)
        if self.choices:
            found["choices"] = list(self.choices)
        if self.generated:
            found["writable"] = False
        if self.length is not None:
            found["length"] = self.length
        if self.default is not None:
            found["default"] = self.default
        return found


# Column names that hold data about a person more often than not; towards the model their values are masked. A bare
# name does where the table has one of the others too.
_PERSONAL = re.compile(
    r"(?i)(^|_)(e_?mail|phone|mobile|fax|first_?name|last_?name|full_?name|surname|street|address|birth_?(date|day)?|born"
    r"|date_of_birth|iban|ssn|passport)(_|$)|(first|last|full)name|email|birthdate"
)
_NAMES = re.compile(r"(?i)^(name|(customer|contact|person|user|lead|employee)_?name|title|city|postal_?code|zip)$")


@dataclass(frozen=True)
class Unique:
    """A unique index that holds for all rows."""

    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Check:
    """A CHECK rule and the columns it looks at."""

    name: str
    expression: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class ForeignKey:
    """Columns that must have a counterpart in another table."""

    name: str
    columns: tuple[str, ...]
    schema: str
    table: str
    targets: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """One table, view or foreign table, with its columns in order."""

    schema: str
    name: str
    kind: Literal["r", "p", "v", "m", "f"]  # table, partitioned, view, materialized view, foreign table
    columns: dict[str, Column]
    unique: tuple[Unique, ...] = ()
    checks: tuple[Check, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    planned: bool = False  # not there yet

    @property
    def full_name(self) -> str:
        return f"{self.schema}.{self.name}"

    def fields(self) -> dict[str, Field]:
        """The columns in the words every driver shares, data about people marked."""
        found = {name: column.as_field() for name, column in self.columns.items()}
        texts = {name for name, field in found.items() if field["type"] in ("text", "date") and "choices" not in field}
        personal = {name for name in texts if _PERSONAL.search(name)}
        if personal:
            personal |= {name for name in texts if _NAMES.search(name)}
        for name in personal:
            found[name]["personal"] = True
        return found


def native_type_of(source: Field) -> str:
    """The column type that holds this field: PostgreSQL's own where the source is one, else a roomy one of its kind.

    Other systems use some of PostgreSQL's names for wider types ("integer", "real"), so these become the widest.
    """
    native = source["native_type"]
    wider = {"smallint": "bigint", "integer": "bigint", "real": "double precision"}
    return wider.get(native, native) if _base_of(native) else _NATIVE[source["type"]]


def _base_of(native: str) -> str | None:
    """The base type's name of one of PostgreSQL's own types as it writes them; None for anything else."""
    match = re.fullmatch(r"([a-z ]+?)(?:\(\d+(?:,-?\d+)?\))?( with(?:out)? time zone)?(?:\[\])?", native)
    return _BASES.get(match[1] + (match[2] or "")) if match else None


def planned_column(name: str, source: Field, *, is_key: bool) -> Column:
    """The column that will be made for this field."""
    native = native_type_of(source)
    base = _base_of(native) or "text"
    numbers = [int(number) for number in re.findall(r"\d+", native)]
    return Column(
        name=name,
        native=native,
        base=base,
        category="A" if native.endswith("[]") else "S",
        nullable=not is_key,
        primary_key=is_key,
        length=numbers[0] if numbers and base in ("varchar", "bpchar") else None,
        precision=numbers[0] if numbers and base == "numeric" else None,
        scale=numbers[1] if len(numbers) > 1 and base == "numeric" else None,
        comparable=base != "json",
        planned=True,
    )
