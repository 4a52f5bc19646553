"""Files that a script leaves behind: CSV, JSON, JSON lines, Parquet. Written row by row, whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import date, datetime, time
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from .errors import DriverError, ValidationError
from .protocols import Field, Record

__all__ = ["FileWriter", "replacing", "write_csv", "write_json", "write_jsonl", "write_parquet"]

FileWriter = Callable[[Path, Mapping[str, Field], Iterable[Record]], int]


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A path beside `target` that takes its place on success and disappears on error."""
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(target)
    except OSError as exc:
        if isinstance(exc, DriverError):  # a lost connection is an OSError too
            raise
        raise DriverError(
            f"{target} could not be written ({exc.strerror or exc}). "
            f"{'The file of that name is as it was.' if target.exists() else 'There is no such file now.'}"
        ) from exc
    finally:
        with suppress(OSError):
            part.unlink()


def write_csv(path: Path, fields: Mapping[str, Field], rows: Iterable[Record]) -> int:
    """Comma-separated, one line per row. No value is an empty field, an empty text is "" (as PostgreSQL has it)."""
    names = list(fields)
    count = 0
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        file.write(",".join(map(_quoted, names)) + "\n")
        for row in rows:
            file.write(",".join([_csv_cell(row.get(name)) for name in names]) + "\n")
            count += 1
    return count


def write_json(path: Path, fields: Mapping[str, Field], rows: Iterable[Record]) -> int:
    """An array of objects."""
    count = 0
    with path.open("wb") as file:
        file.write(b"[")
        for line in _json_rows(fields, rows):
            file.write((b"\n" if count == 0 else b",\n") + line)
            count += 1
        file.write(b"\n]\n" if count else b"]\n")
    return count


def write_jsonl(path: Path, fields: Mapping[str, Field], rows: Iterable[Record]) -> int:
    """One object a line."""
    count = 0
    with path.open("wb") as file:
        for line in _json_rows(fields, rows):
            file.write(line + b"\n")
            count += 1
    return count


def write_parquet(path: Path, fields: Mapping[str, Field], rows: Iterable[Record]) -> int:
    """One row group per 50,000 rows. Raises ValidationError where pyarrow is not installed."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as exc:
        raise ValidationError("Parquet files need pyarrow: pip install pyarrow. CSV and JSON work without it.") from exc
    from .frames import arrow_columns, arrow_schema

    schema = arrow_schema(fields)
    count = 0
    stream = iter(rows)
    with pq.ParquetWriter(path, schema) as writer:
        while batch := list(islice(stream, 50_000)):
            writer.write_table(pa.table(arrow_columns(schema, batch), schema=schema))
            count += len(batch)
    return count


def _csv_cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Decimal):
        return format(value, "f") if value.is_finite() else str(value)
    if isinstance(value, bytes | memoryview):
        return "\\x" + bytes(value).hex()
    if isinstance(value, dict | list | tuple):
        return _quoted(_json(value).decode())
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    return _quoted(str(value))


def _quoted(text: str) -> str:
    if text and not any(char in text for char in ',"\n\r') and text[0] not in " \t" and text[-1] not in " \t":
        return text
    return '"' + text.replace('"', '""') + '"'


def _json_rows(fields: Mapping[str, Field], rows: Iterable[Record]) -> Iterator[bytes]:
    names = list(fields)
    for row in rows:
        record = {name: row.get(name) for name in names}
        for name, value in record.items():
            if isinstance(value, Decimal) and not value.is_finite():
                record[name] = None
        yield _json(record)


def _json(value: Any) -> bytes:
    """Decimals with all their digits, times in ISO 8601, bytes in base64; NaN and infinity as null."""
    try:
        return _ENCODER.encode(value)
    except (UnicodeEncodeError, OverflowError):
        return json.dumps(value, default=str, ensure_ascii=True, separators=(",", ":")).encode()


_ENCODER = msgspec.json.Encoder(decimal_format="number", enc_hook=str)
