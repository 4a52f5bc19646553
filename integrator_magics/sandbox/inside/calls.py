"""Answers calls to one driver: a fresh client for each, nothing kept between them."""

from __future__ import annotations

import dataclasses
import importlib
import os
import socket
import uuid
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from . import wire

__all__ = ["serve"]

METHODS = ("check", "describe_objects", "get_fields", "list_objects", "sample")


def serve(channel: socket.socket, client: str) -> None:
    """Answer {"id", "method", "args", "env"} with {"id", "value" or "error"} until the other side closes."""
    module, _, name = client.partition(":")
    while (request := wire.receive(channel)) is not None:
        answer: dict[str, Any] = {"id": request["id"]}
        os.environ.update(request["env"])
        try:
            kind = getattr(importlib.import_module(module), name)
            answer["value"] = _plain(_call(kind, request["method"], request["args"]))
        except Exception as exc:  # noqa: BLE001 - every error of a driver goes back to the caller
            answer["error"] = _described(exc)
        wire.send(channel, answer)


def _call(kind: Any, method: str, args: list[Any]) -> Any:
    if method not in METHODS:
        raise ValueError(f"{method} is no question a driver answers")
    client = kind()
    try:
        if method == "sample":
            obj, count = args
            return [dict(row) for row in client.read(obj, limit=count).rows()]
        if method == "describe_objects" and not hasattr(client, method):
            return [{"name": name, "label": name} for name in client.list_objects()]
        return getattr(client, method)(*args)
    finally:
        client.close()


def _described(exc: Exception) -> dict[str, Any]:
    errors = importlib.import_module("integrator_drivers.errors")
    known = [kind.__name__ for kind in type(exc).__mro__ if kind.__name__ in errors.__all__]
    return {
        "type": known[0] if known and isinstance(exc, errors.DriverError) else "",
        "raised": type(exc).__name__,
        "message": str(exc)[:8_000],
        "near": [str(name) for name in getattr(exc, "near", None) or []][:20],
        "retry_after": getattr(exc, "retry_after", None),
    }


def _plain(value: Any) -> Any:
    """JSON-ready data; what JSON lacks becomes {"$kind": text}."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, datetime):
        return {"$datetime": value.isoformat()}
    if isinstance(value, date):
        return {"$date": value.isoformat()}
    if isinstance(value, time):
        return {"$time": value.isoformat()}
    if isinstance(value, timedelta):
        return {"$seconds": value.total_seconds()}
    if isinstance(value, Decimal):
        return {"$decimal": str(value)}
    if isinstance(value, uuid.UUID):
        return {"$uuid": str(value)}
    if isinstance(value, bytes | bytearray | memoryview):
        return {"$bytes": bytes(value).hex()}
    if isinstance(value, Mapping):
        plain = {str(key): _plain(entry) for key, entry in value.items()}
        return {"$dict": plain} if any(key.startswith("$") for key in plain) else plain
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        entries = {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {"$" + type(value).__name__: entries}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {"$" + type(value).__name__: {key: _plain(entry) for key, entry in value._asdict().items()}}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(entry) for entry in value]
    return str(value)
