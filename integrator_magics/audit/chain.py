"""The form of a record and the chain that ties each to the one before.

A record is one line: canonical JSON (sorted keys, no spaces, ASCII only, so that a newline, NUL, escape code or bidi
control in a value stays inside it), with `hash` last. hash = SHA-256(previous + "\n" + the line without `hash`).
The bytes are hashed as they stand: nothing is parsed and written again to verify.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["GENESIS", "Head", "Verdict", "check", "digest", "parse", "plain", "render"]

GENESIS = "0" * 64
_MARK = b',"hash":"'
_TAIL = len(_MARK) + 64 + len(b'"}')


@dataclass(frozen=True)
class Verdict:
    """Whether the log is whole. `bad_at` is the number of the first bad record and `reason` a sentence about it.

    `head` is the hash of the last good record: written down elsewhere it proves later that nothing before it changed.
    `torn` = an unfinished record of a crash stands at the end (no tampering; the next append marks it), `recovered` =
    how many such crashes were marked before.
    """

    whole: bool
    records: int
    bad_at: int | None = None
    reason: str = ""
    head: str = GENESIS
    torn: bool = False
    recovered: int = 0
    key: str = ""  # the public key that the log declares for its signed heads

    def __bool__(self) -> bool:
        return self.whole

    def __str__(self) -> str:
        if not self.whole:
            where = f"broken at record {self.bad_at}" if self.bad_at else "broken"
            return f"The audit log is {where}: {self.reason}"
        return " ".join(filter(None, (f"The audit log is whole: {self.records:,} records.", self.reason)))


@dataclass(frozen=True)
class Head:
    """The last acknowledged record: its number, its hash, and the size of the log in bytes behind it.

    `heads` is the size of the file of signed heads; `signature`, made with `key`, covers all of these.
    """

    n: int = 0
    hash: str = GENESIS
    size: int = 0
    heads: int = 0
    key: str = ""
    signature: str = ""


def plain(value: object) -> Any:
    """The value as JSON can hold it; what has no JSON form becomes text."""
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted((plain(entry) for entry in value), key=str)
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    return str(value)


def digest(previous: str, body: bytes) -> str:
    """The hash of a record: `body` is its line without `hash`."""
    return hashlib.sha256(previous.encode("ascii") + b"\n" + body).hexdigest()


def render(record: Mapping[str, Any], previous: str) -> tuple[bytes, str]:
    """The line of a record (with its newline) and its hash."""
    values = plain({**record, "previous": previous})
    body = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")
    stamp = digest(previous, body)
    return body[:-1] + _MARK + stamp.encode("ascii") + b'"}\n', stamp


def parse(line: bytes) -> tuple[dict[str, Any], bytes] | None:
    """A line (without newline) as record and hashed body; None when it is no record at all."""
    if len(line) <= _TAIL or line[-_TAIL : -_TAIL + len(_MARK)] != _MARK or not line.endswith(b'"}'):
        return None
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict) or not isinstance(record.get("n"), int):
        return None
    return record, line[:-_TAIL] + b"}"


def check(lines: Iterable[bytes], head: Head | None, signed: Mapping[int, str] | None = None) -> Verdict:
    """Follow the chain through complete lines and compare its end with the head file (None = missing).

    `signed` holds the hashes of those records whose head was signed.
    """
    previous, count, recovered, key = GENESIS, 0, 0, ""
    signed = signed or {}

    def bad(at: int, reason: str) -> Verdict:
        return Verdict(False, count, at, reason, previous, recovered=recovered, key=key)

    rest = _peeked(lines)
    for line, following in rest:
        expected = count + 1
        parsed = parse(line)
        if parsed is None:
            return bad(expected, f"Record {expected} can't be read: it was damaged or inserted.")
        record, body = parsed
        if record["n"] != expected:
            return bad(expected, _out_of_order(expected, record, following))
        if record.get("previous") != previous:
            return bad(expected, f"Record {expected} does not follow record {count}: it was inserted or exchanged.")
        if digest(previous, body) != record["hash"]:
            return bad(expected, f"Record {expected} was changed after it was written.")
        if record.get("event") == "recovered":
            if record.get("tampered"):
                return bad(expected, f"Before record {expected}: {record.get('what', 'the log was changed')}")
            recovered += 1
        elif record.get("event") == "audit_key":
            if key:
                return bad(expected, f"Before record {expected}: the head file was exchanged.")
            key = str(record.get("key", ""))
        count, previous = expected, record["hash"]
        if signed.get(count, previous) != previous:
            return bad(count, f"Record {count} is not the one whose head was signed: the log was replaced.")
        if head and head.n == count and head.hash != previous:
            return bad(count, f"Record {count} is not the one that was written: the log was replaced.")
    if head is None and count:
        return bad(count, "The head file is missing, so a cut after the last record can't be ruled out.")
    if head and head.n > count:
        gone = head.n - count
        what = f"record {head.n} is" if gone == 1 else f"records {count + 1} to {head.n} are"
        return bad(count + 1, f"The log was cut: {what} missing at its end.")
    if signed and max(signed) > count:
        return bad(count + 1, f"The log was cut: a head was signed for record {max(signed)}.")
    return Verdict(True, count, head=previous, recovered=recovered, key=key)


def _out_of_order(expected: int, record: Mapping[str, Any], following: bytes | None) -> str:
    after = parse(following) if following is not None else None
    if record["n"] > expected and not (after and after[0]["n"] == expected):
        return f"Record {expected} is missing: record {record['n']} stands in its place."
    return f"Record {expected} is not in its place: record {record['n']} was inserted or exchanged."


def _peeked(lines: Iterable[bytes]) -> Iterator[tuple[bytes, bytes | None]]:
    before: bytes | None = None
    for line in lines:
        if before is not None:
            yield before, line
        before = line
    if before is not None:
        yield before, None
