"""The allow-lists of `tables.toml` and `sql_functions.txt`."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

__all__ = ["sql_functions", "table", "tables"]


@cache
def tables() -> dict[str, dict[str, frozenset[str]]]:
    """Section -> key -> names."""
    data: dict[str, Any] = tomllib.loads(files(__package__).joinpath("tables.toml").read_text(encoding="utf-8"))
    return {section: {key: frozenset(text.split()) for key, text in keys.items()} for section, keys in data.items()}


def table(section: str, key: str) -> frozenset[str]:
    """One list of names."""
    return tables()[section][key]


@cache
def sql_functions() -> frozenset[str]:
    """Functions of pg_catalog without a side effect."""
    text = files(__package__).joinpath("sql_functions.txt").read_text(encoding="utf-8")
    return frozenset(name for line in text.splitlines() for name in line.split("#")[0].split())
