"""What the guided mode says about itself."""

from __future__ import annotations

from .explain import and_list
from .lexicon import Lexicon
from .request import Request

__all__ = ["DELETE", "ENGLISH_ONLY", "capabilities", "delete_answer", "lost"]

DELETE = (
    "This product never deletes records. I can write a report of what would be deleted, "
    'or set a "to delete" flag in a field you choose.'
)
ENGLISH_ONLY = (
    "I am the guided mode and understand English only. Say it in English, or choose a model (`%integrator config`), "
    "which understands other languages too."
)
_CHANGES = (
    "add or drop a field, choose other records or another time, rename a column or the table, write another file "
    "format, and set or stop a schedule"
)


def delete_answer(deleted: Request | None) -> str:
    """What to say to a request to delete."""
    noun = deleted.subject if deleted and deleted.subject else "records"
    return (
        f"{DELETE} For the report, say: write those {noun} to a CSV file. The flag is more than the guided mode can "
        "write; choose a model for it."
    )


def capabilities(lexicon: Lexicon) -> str:
    """Who I am, what I can do, what I can't."""
    labels = [system.label for system in lexicon.systems.values()]
    between = f" ({and_list(labels)})" if labels else ""
    return (
        "I am the guided mode: I follow fixed rules, in English, and need no model key. "
        f"I can: copy records between systems{between} and keep them in step; export them to CSV, JSON, JSON lines "
        "or Parquet; choose fields, conditions and time windows; add fields of related objects; count and sum per "
        "group; set a schedule; change a script I wrote. "
        "I can't: delete records, change values on the way, combine systems freely, or talk about anything else; for "
        "that choose a model (`%integrator config`). "
        "Say for example: copy contacts of the last 30 days to our database: name, email, phone."
    )


def lost(lexicon: Lexicon, name: str) -> str:
    """What to say when nothing was understood."""
    if name:
        return (
            f"I did not understand that as a change of `{name}`, and nothing was changed. I can {_CHANGES}. "
            "For something else, name what to copy, from where, to where."
        )
    return f"I did not understand that. {capabilities(lexicon)}"
