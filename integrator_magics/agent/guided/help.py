"""What the guided mode says about itself."""

from __future__ import annotations

from .explain import and_list
from .lexicon import Lexicon

__all__ = ["DELETE", "capabilities", "delete_answer"]

DELETE = (
    "This product never deletes records. I can write a report of what would be deleted, "
    'or set a "to delete" flag in a field you choose.'
)


def delete_answer(text: str) -> str:
    """What to say to a request to delete."""
    return f"{DELETE} For the report, say for example: export those records to CSV."


def capabilities(lexicon: Lexicon) -> str:
    """Who I am, what I can do, what I can't."""
    labels = [system.label for system in lexicon.systems.values()]
    between = f" ({and_list(labels)})" if labels else ""
    return (
        "I am the guided mode: I follow fixed rules, in English, and need no model key. "
        f"I can copy records between systems{between} and keep them in step, export them to CSV, JSON, JSON lines or "
        f"Parquet, "
        "choose fields, conditions and time windows, add fields of related objects, count and sum per group, set a "
        "schedule, and change "
        "a script I wrote. I can't delete records, transform values, or follow free conversation; for that choose a "
        "model "
        "(`%integrator config`). Say for example: copy contacts of the last 30 days to our database: name, email, "
        "phone."
    )
