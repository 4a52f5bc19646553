"""An edited mapping table, as the words of a change request: the agent changes the script, the person sees the diff."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .errors import IntegratorError
from .events import Mapped, MappedField

__all__ = ["change_request"]

_COLUMN = re.compile(r"[^\W\d]\w{0,62}")


def change_request(mapped: Mapped, edited: Sequence[MappedField]) -> str:
    """What is to be changed, "" where nothing is. Raises IntegratorError where the table makes no sense.

    `edited` has the lines that are kept, with new column names, and lines for fields to add.
    """
    _require_sense(mapped, edited)
    before = {entry.field: entry for entry in mapped.fields}
    after = {entry.field: entry for entry in edited}
    wishes = [
        f"Rename the column {before[name].column} to {entry.column}."
        for name, entry in after.items()
        if name in before and entry.column != before[name].column
    ]
    if added := [name for name in after if name not in before]:
        wishes.append(f"Add the {_fields(added)}.")
    if dropped := [name for name in before if name not in after]:
        wishes.append(f"Leave out the {_fields(dropped)}.")
    old_key = next((entry.field for entry in mapped.fields if entry.is_key), "")
    new_key = next((entry for entry in edited if entry.is_key), None)
    if new_key is not None and new_key.field != old_key:
        wishes.append(f"Use {new_key.column} as the key.")
    return " ".join(wishes)


def _fields(names: Sequence[str]) -> str:
    return f"{'field' if len(names) == 1 else 'fields'} {', '.join(names)}"


def _require_sense(mapped: Mapped, edited: Sequence[MappedField]) -> None:
    if not edited:
        raise IntegratorError("At least one field must stay.", "Nothing was changed.")
    for entry in edited:
        if not _COLUMN.fullmatch(entry.column):
            raise IntegratorError(
                f'"{entry.column}" can\'t be the name of a column.', "Use letters, digits and _, a letter first."
            )
    names = [entry.column for entry in edited]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise IntegratorError(f"Two fields would go into {twice[0]}.", "Give one of them another name.")
    keys = [entry for entry in mapped.fields if entry.is_key]
    if keys and not any(entry.is_key for entry in edited):
        raise IntegratorError(
            f"{keys[0].column} is the key by which known rows are recognised.",
            "Keep it, or choose another field as the key first.",
        )
