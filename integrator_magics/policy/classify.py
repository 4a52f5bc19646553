"""One entry for Python and SQL."""

from __future__ import annotations

from typing import Literal

from .model import Classification
from .python import classify_python
from .soql import classify_soql
from .sql import classify_sql

__all__ = ["classify"]


def classify(source: str, kind: Literal["python", "sql", "soql"] = "python") -> Classification:
    """What a text would do: label, systems, and a reason for everything that is more than reading."""
    if kind == "sql":
        return classify_sql(source)
    if kind == "soql":
        return classify_soql(source)
    return classify_python(source)
