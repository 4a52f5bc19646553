"""What a field dict of the contract may hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from ..protocols import Field, FieldType

__all__ = ["field_problems"]

# Not Field.__required_keys__: with postponed annotations it is empty.
REQUIRED = ("type", "native_type", "nullable")
KINDS: dict[str, type | tuple[type, ...]] = {
    "type": str,
    "native_type": str,
    "nullable": bool,
    "label": str,
    "help": str,
    "primary_key": bool,
    "references": list,
    "choices": list,
    "writable": bool,
    "personal": bool,
    "length": int,
    "default": str,
    "compound": str,
}


def field_problems(where: str, fields: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """What is wrong with the fields of one object."""
    if not fields:
        yield f"{where} has no fields"
    for name, field in fields.items():
        place = f"{where}.{name}"
        for key in REQUIRED:
            if key not in field:
                yield f"{place} has no {key}"
        for key, value in field.items():
            if key not in Field.__annotations__:
                yield f"{place} has the unknown key {key}"
            elif not isinstance(value, KINDS.get(key, object)):
                yield f"{place}: {key} is {type(value).__name__}"
        if field.get("type") not in get_args(FieldType):
            yield f"{place} has the unknown type {field.get('type')!r}"
        for key in ("references", "choices"):
            if not all(isinstance(entry, str) for entry in field.get(key) or ()):
                yield f"{place}: {key} holds something that is not text"
