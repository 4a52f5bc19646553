"""The log for other programs: CSV for a spreadsheet, JSON with its verdict, JSON lines that verify elsewhere."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from .chain import Verdict

__all__ = ["export"]

_FIRST = ["n", "at", "person", "event"]
_LAST = ["previous", "hash"]


def export(records: Iterable[Mapping[str, Any]], verdict: Verdict, path: Path) -> None:
    """Write records to `path` in the form its suffix names. Raises ConfigError for another suffix."""
    suffix = path.suffix.lower()
    if suffix == ".csv":
        _csv(list(records), path)
    elif suffix == ".json":
        content = {"verdict": asdict(verdict), "records": list(records)}
        path.write_text(json.dumps(content, indent=1, ensure_ascii=True) + "\n", encoding="utf-8")
    elif suffix == ".jsonl":
        with path.open("w", encoding="utf-8", newline="\n") as file:
            for record in records:
                values = {key: value for key, value in record.items() if key != "hash"}
                body = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
                file.write(f'{body[:-1]},"hash":{json.dumps(record["hash"])}}}\n')
    else:
        raise ConfigError(f'The audit log can\'t be written as "{path.name}".', "Use a name ending in .csv or .json.")


def _csv(records: list[Mapping[str, Any]], path: Path) -> None:
    keys = list(dict.fromkeys(key for record in records for key in record))
    columns = [*_FIRST, *sorted(set(keys) - {*_FIRST, *_LAST}), *_LAST]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows([_cell(record.get(column, "")) for column in columns] for record in records)


def _cell(value: object) -> object:
    """Text that a spreadsheet would take for a formula gets an apostrophe in front."""
    if isinstance(value, (dict, list)):
        value = json.dumps(value, sort_keys=True, ensure_ascii=False)
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + value
    return value
