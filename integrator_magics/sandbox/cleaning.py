"""Redacts what comes out of a sandbox: events on their way, and the outcome."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..credentials import Redactor, StreamRedactor
from .protocols import Egress, Event, Outcome, Output, Reported

__all__ = ["Relay", "clean_outcome", "relay"]


class Relay:
    """Turns events of a session into redacted, JSON-ready lines."""

    def __init__(self, redactor: Redactor, send: Callable[[dict[str, Any]], None]) -> None:
        self._redactor = redactor
        self._send = send
        self._streams: dict[str, StreamRedactor] = {}

    def __call__(self, event: Event) -> None:
        if isinstance(event, Reported):
            self._send(self._redactor.redact_data(event.line))
        elif isinstance(event, Egress):
            host = self._redactor.redact(event.host)
            self._send({"kind": "egress", "host": host, "port": event.port, "allowed": event.allowed})
        elif isinstance(event, Output):
            stream = self._streams.setdefault(event.stream, self._redactor.stream())
            self._output(event.stream, stream.feed(event.text))

    def flush(self) -> None:
        """Send what was held back because a secret could have begun there."""
        for name, stream in self._streams.items():
            self._output(name, stream.flush())

    def _output(self, name: str, text: str) -> None:
        if text:
            self._send({"kind": "output", "stream": name, "text": text})


def relay(redactor: Redactor, send: Callable[[dict[str, Any]], None]) -> Relay:
    """A listener for a session that sends redacted lines."""
    return Relay(redactor, send)


def clean_outcome(raw: Outcome, redactor: Redactor) -> Outcome:
    """The outcome without any credential value."""
    error = raw.error
    if error is not None:
        error = replace(
            error,
            type=redactor.redact(error.type),
            message=redactor.redact(error.message),
            near=tuple(redactor.redact(name) for name in error.near),
        )
    return replace(
        raw,
        error=error,
        report=[redactor.redact_data(line) for line in raw.report],
        stdout=redactor.redact(raw.stdout),
        egress=redactor.redact_data(raw.egress),
        calls=redactor.redact_data(raw.calls),
        notes=[redactor.redact(note) for note in raw.notes],
    )
