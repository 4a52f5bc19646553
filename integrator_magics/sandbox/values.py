"""Answers of a driver's process as Python values again, and its errors as errors."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from integrator_drivers import Identity, ObjectInfo, errors

from ..errors import RunFailed

__all__ = ["as_error", "as_value"]

_KINDS: Mapping[str, Callable[[Any], Any]] = {
    "$datetime": datetime.fromisoformat,
    "$date": date.fromisoformat,
    "$time": time.fromisoformat,
    "$seconds": lambda seconds: timedelta(seconds=seconds),
    "$decimal": Decimal,
    "$uuid": uuid.UUID,
    "$bytes": bytes.fromhex,
    "$dict": lambda entries: {key: as_value(entry) for key, entry in entries.items()},
}


def as_value(plain: Any) -> Any:
    """The value that inside.calls made plain; a type it does not know becomes a dict."""
    if isinstance(plain, list):
        return [as_value(entry) for entry in plain]
    if not isinstance(plain, dict):
        return plain
    if len(plain) == 1:
        ((tag, content),) = plain.items()
        if tag in _KINDS:
            return _KINDS[tag](content)
        if tag.startswith("$") and isinstance(content, dict):
            entries = {key: as_value(entry) for key, entry in content.items()}
            if tag == "$Identity":
                return Identity(**{**entries, "warnings": tuple(entries.get("warnings") or ())})
            return ObjectInfo(**entries) if tag == "$ObjectInfo" else entries
    return {key: as_value(entry) for key, entry in plain.items()}


def as_error(found: Mapping[str, Any], label: str) -> Exception:
    """The driver's error with its sentence; anything else as RunFailed, since it is a fault of the driver."""
    kind = getattr(errors, str(found.get("type") or ""), None)
    message = str(found.get("message") or "")
    if isinstance(kind, type) and issubclass(kind, errors.DriverError):
        if issubclass(kind, errors.NotFoundError):
            return kind(message, [str(name) for name in found.get("near") or ()])
        if issubclass(kind, errors.RateLimitError):
            return kind(message, found.get("retry_after"))
        return kind(message)
    return RunFailed(
        f"The {label} driver ended with an error it should not ({found.get('raised')}: {message}).",
        "Nothing was written.",
    )
