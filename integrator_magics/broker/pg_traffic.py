"""One script's conversation with PostgreSQL: statements judged on the way in, results counted on the way back.

A statement that may not pass is replaced by one that the server can't understand; its error then comes at the right
place in the conversation, whatever the client has sent ahead, and is given the true words here.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from integrator_drivers.access import REFUSED_STATE
from integrator_drivers.mode import Mode

from ..policy.wire import statement_refusal
from .calls import Calls
from .pg_messages import Cutter, ProtocolError, error_fields, message, text_at
from .pg_messages import error as error_message

__all__ = ["Traffic"]

_FROM_CLIENT = b"QPBEDCSHFdcfX"
_JUDGED = b"QPBEFSCX"
_FROM_SERVER = b"CEZIs"
MOST = 10_000  # statements that are known by a name, or refused, in one conversation
_MARK = "integrator_refused_"
_MARKED = re.compile(_MARK + r"(\d+)")
_STATE_READ_ONLY = "25006"
_SILENT = re.compile(r"\s*(?:BEGIN|START|COMMIT|END|ROLLBACK|ABORT|SAVEPOINT|RELEASE|CLOSE|DEALLOCATE|SHOW)\b", re.I)
_DECLARE = re.compile(r'\s*DECLARE\s+("(?:[^"]|"")+"|\w+)\s.*?\bCURSOR\b.*?\bFOR\s+(.*)', re.I | re.S)
_FETCH = re.compile(r'\s*(?:FETCH|MOVE)\b.*?("(?:[^"]|"")+"|\w+)\s*;?\s*$', re.I | re.S)
_VALUES = re.compile(
    r"\$([A-Za-z_]\w*)?\$.*?\$\1\$|[eE]?'(?:[^'\\]|''|\\.)*'"  # texts
    r"|(?<![\w$\"])\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|(?<=_)\d+\b",  # numbers, and those at the end of a name
    re.S,
)
_TAG = re.compile(r"([A-Z ]+?)(?: \d+)*$")


@dataclass(frozen=True)
class _Sent:
    """A statement under way; `text` is for the audit log, "" where nobody asks."""

    text: str
    is_end: bool = False  # the server says that it is ready


class Traffic:
    """`from_client` and `from_server` take what came and give what to send on; both are called by one thread."""

    def __init__(self, calls: Calls, system: str, label: str, mode: Mode) -> None:
        self._calls = calls
        self._system = system
        self._label = label
        self._mode = mode
        self._client = Cutter(_JUDGED, _FROM_CLIENT)
        self._server = Cutter(_FROM_SERVER)
        self._refusals: list[tuple[str, str]] = []  # why, and the statement as the log has it
        self._statements: dict[str, str] = {}  # prepared ones: name -> text for the log
        self._portals: dict[str, str] = {}
        self._cursors: dict[str, str] = {}
        self._under_way: deque[_Sent] = deque()
        self._failed = ""

    def from_client(self, data: bytes) -> Iterator[bytes]:
        """Raises ProtocolError for what no client sends."""
        for kind, part in self._client.feed(data):
            yield self._judged(kind, part) if kind else part

    def from_server(self, data: bytes) -> Iterator[bytes]:
        """What goes to the client."""
        for kind, part in self._server.feed(data):
            yield self._heard(kind, part) if kind else part

    def _judged(self, kind: str, part: bytes) -> bytes:
        if kind == "Q":
            text, end = text_at(part, 5)
            if end != len(part):
                raise ProtocolError
            refusal = self._refusal(text)
            self._push(_Sent(self._log_text(text)), _Sent("", is_end=True))
            return message("Q", f"SELECT {refusal}\0".encode()) if refusal else part
        if kind == "P":
            name, at = text_at(part, 5)
            text, _ = text_at(part, at)
            refusal = self._refusal(text)
            self._keep(self._statements, name, self._log_text(text))
            return message("P", f"{name}\0SELECT {refusal}\0".encode() + b"\0\0") if refusal else part
        if kind == "B":
            portal, at = text_at(part, 5)
            name, _ = text_at(part, at)
            self._keep(self._portals, portal, self._statements.get(name, ""))
        elif kind == "E":
            portal, _ = text_at(part, 5)
            self._push(_Sent(self._portals.get(portal, "")))
        elif kind == "S":
            self._push(_Sent("", is_end=True))
        elif kind == "C" and part[5:6] == b"S":
            self._statements.pop(text_at(part, 6)[0], None)
        elif kind == "F":
            refusal = self._refuse("calls a function by its number", "function call")
            self._push(_Sent("function call"), _Sent("", is_end=True))
            return message("Q", f"SELECT {refusal}\0".encode())
        return part

    def _refusal(self, text: str) -> str:
        """The name of a column that is not there, in place of what may not pass; "" where the text may."""
        why = statement_refusal(text, self._mode is Mode.APPLY)
        return self._refuse(why, self._log_text(text)) if why else ""

    def _refuse(self, why: str, text: str) -> str:
        if len(self._refusals) >= MOST:
            raise ProtocolError
        self._refusals.append((why, text))
        return f"{_MARK}{len(self._refusals) - 1}"

    @staticmethod
    def _keep(where: dict[str, str], name: str, text: str) -> None:
        if len(where) >= MOST:
            raise ProtocolError
        where[name] = text

    def _push(self, *sent: _Sent) -> None:
        self._under_way.extend(sent)

    def _log_text(self, text: str) -> str:
        """The statement as the audit log has it: without values; for a FETCH that of its cursor."""
        if match := _DECLARE.match(text):
            self._keep(self._cursors, match[1].strip('"'), _without_values(match[2]))
            return ""
        if match := _FETCH.match(text):
            return self._cursors.get(match[1].strip('"'), "")
        return "" if _SILENT.match(text) or not text.strip() else _without_values(text)

    def _heard(self, kind: str, part: bytes) -> bytes:
        if kind == "E":
            return self._error(part)
        if kind == "Z":
            while self._under_way and not (sent := self._under_way.popleft()).is_end:
                if self._failed:
                    self._add(sent.text, "", self._failed, None)
                    self._failed = ""
            self._failed = ""
        elif self._under_way and not self._under_way[0].is_end:
            sent = self._under_way.popleft()
            tag = part[5:-1].decode("utf-8", "replace") if kind == "C" else ""
            rows = tag.rpartition(" ")[2]
            self._add(sent.text, _method(tag), "ok", int(rows) if rows.isdecimal() else None)
        return part

    def _error(self, part: bytes) -> bytes:
        fields = error_fields(part)
        match = _MARKED.search(fields.get("M", ""))
        state = fields.get("C", "")
        if match and int(match[1]) < len(self._refusals):
            why, text = self._refusals[int(match[1])]
            self._add(text, "", "refused", None)
            state = _STATE_READ_ONLY if self._mode is not Mode.APPLY else REFUSED_STATE
            part = error_message("ERROR", state, self._sentence(why))
            if self._under_way and not self._under_way[0].is_end:
                self._under_way.popleft()
            return part
        self._failed = state
        if self._under_way and not self._under_way[0].is_end:
            self._add(self._under_way.popleft().text, "", state, None)
            self._failed = ""
        return part

    def _sentence(self, why: str) -> str:
        if self._mode is Mode.APPLY:
            return f"This statement {why}, so it was not sent to {self._label}"
        what = "Discovery only reads" if self._mode is Mode.DISCOVERY else "A preview only reads"
        return f"{what}: this statement {why}, so it was not sent to {self._label}"

    def _add(self, text: str, method: str, status: str, rows: int | None) -> None:
        if text:
            self._calls.add(self._system, method or text.split(" ", 1)[0].upper()[:20], text, status, rows)


def _without_values(text: str) -> str:
    return _VALUES.sub("?", " ".join(text.split()))[:2_000]


def _method(tag: str) -> str:
    match = _TAG.match(tag)
    found = match[1] if match else ""
    return "SELECT" if found == "FETCH" else found
