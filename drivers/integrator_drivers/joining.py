"""`join`: two streams of records side by side."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any, Literal

from .errors import FieldNotFoundError, ValidationError, near_matches
from .protocols import Field, Record
from .records import Records

__all__ = ["join"]


def join(
    left: Records,
    right: Records,
    left_key: str,
    right_key: str,
    keep: Literal["left", "inner"] = "left",
    prefix: str = "",
) -> Records:
    """Each left row with each right row of the same key; several matches make several rows.

    keep="left" also keeps left rows without a match, their right columns empty; "inner" drops them. No value matches
    nothing; a number matches its text. The left side streams, the right side is held in memory: put the smaller one
    there. Right columns get `prefix`; one whose name the left side has too gets the right object's name in front
    ("CampaignMember.Id").
    """
    if keep not in ("left", "inner"):
        raise ValidationError(f'join keeps "left" or "inner" rows, not "{keep}".')
    for side, key, word in ((left, left_key, "left"), (right, right_key, "right")):
        if key not in side.fields:
            near = near_matches(key, side.fields)
            raise FieldNotFoundError(
                f'The {word} side of the join has no field "{key}"; it has {", ".join(side.fields)}.', near
            )
    kinds = {left.fields[left_key]["type"], right.fields[right_key]["type"]}
    if "json" in kinds:
        raise ValidationError("A field that holds JSON can't be what two sides are joined by.")
    is_text = bool(kinds & {"text", "reference"})  # then 5 and "5" are the same
    renamed: dict[str, str] = {}
    fields: dict[str, Field] = dict(left.fields)
    for name, field in right.fields.items():
        target = prefix + name
        if target in fields:
            target = f"{right.obj or 'right'}.{name}"
        while target in fields:
            target += "_"
        renamed[name] = target
        field = field.copy()
        field.pop("primary_key", None)
        field["nullable"] = field["nullable"] or keep == "left"
        fields[target] = field
    for name in left.fields:  # several matches repeat it
        if left.fields[name].get("primary_key"):
            fields[name] = left.fields[name].copy()
            fields[name].pop("primary_key")

    def rows() -> Iterator[Record]:
        matches: dict[Any, list[Record]] = {}
        for row in right.rows():
            value = row.get(right_key)
            if value is not None:
                value = str(value) if is_text else value
                matches.setdefault(value, []).append({renamed[name]: entry for name, entry in row.items()})
        empty = dict.fromkeys(renamed.values())
        with closing(left.rows()) as stream:  # type: ignore[type-var]  # a generator in fact
            for row in stream:
                value = row.get(left_key)
                found = matches.get(str(value) if is_text else value, ()) if value is not None else ()
                for match in found:
                    yield row | match
                if not found and keep == "left":
                    yield row | empty

    return Records(fields, rows)
