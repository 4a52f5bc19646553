"""What the audit log says about calls and runs: names and counts, never values."""

from __future__ import annotations

from typing import Any

from .protocols import Outcome

__all__ = ["counts_of", "told"]


def told(method: str, value: Any) -> dict[str, Any]:
    """Names and counts of what a call found, never values."""
    if method == "get_fields":
        return {"count": len(value), "fields": list(value)}
    if method == "sample":
        return {"count": len(value), "fields": list(value[0]) if value else []}
    return {"count": len(value)} if isinstance(value, list) else {}


def counts_of(outcome: Outcome) -> dict[str, Any]:
    """What an audit record says about a run: counts and names, no values."""
    kept = {
        "read": ("system", "object", "rows", "fields"),
        "target": ("system", "object", "operation", "columns", "add", "update", "unchanged", "reject", "read"),
        "call": ("system", "method", "template", "status", "rows", "count"),
        "table": ("name", "columns", "count"),
    }
    found: dict[str, Any] = {}
    for kind, keys in kept.items():
        lines = [{key: line.get(key) for key in keys} for line in outcome.report if line["kind"] == kind]
        if kind == "call" and outcome.calls is not None:  # who carried them knows better than who made them
            lines = [{key: line.get(key) for key in keys} for line in outcome.calls]
        if lines:
            found[kind] = lines[:200]
            if len(lines) > 200:
                found[f"{kind}_left_out"] = len(lines) - 200
    found["files"] = [{key: entry[key] for key in ("path", "bytes", "sha256")} for entry in outcome.files]
    if outcome.state:
        found["state"] = outcome.state
    found["egress"] = outcome.egress
    if outcome.error:
        found["error"] = {"type": outcome.error.type, "message": outcome.error.message}
    return found
