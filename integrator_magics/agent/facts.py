"""What tools tell about a driver, from its manifest and the state of its variables."""

from __future__ import annotations

from typing import Any

from integrator_drivers import Identity, registry

from .workspace import Workspace

__all__ = ["driver_facts", "driver_row", "driver_state"]


def driver_row(workspace: Workspace, name: str) -> dict[str, Any]:
    """{name, label, purpose, aliases, kind, stability, connected, practice}."""
    manifest = registry.manifest(name)
    state = workspace.credentials.state(manifest)
    return {
        "name": name,
        "label": manifest.label,
        "purpose": manifest.purpose,
        "aliases": list(manifest.aliases),
        "kind": manifest.kind,
        "stability": manifest.stability,
        "connected": state.connected,
        "practice": state.practice,
    }


def driver_facts(workspace: Workspace, name: str) -> dict[str, Any]:
    """The row, and how a script uses the driver, its joins, the questions it raises and the words people use."""
    manifest = registry.manifest(name)
    module, _, client = manifest.client.partition(":")
    return {
        **driver_row(workspace, name),
        "module": module,
        "client": client,
        "cursor": manifest.cursor,
        "created": manifest.created,
        "joins": [{"start": j.start, "to": j.to, "keep": j.keep, "words": list(j.words)} for j in manifest.joins],
        "questions": [
            {"words": list(q.words), "object": q.object, "choices": [dict(choice) for choice in q.choices]}
            for q in manifest.questions
        ],
        "words": {obj: list(words) for obj, words in manifest.words.items()},
        "missing": list(workspace.credentials.state(manifest).missing),
    }


def driver_state(workspace: Workspace, name: str, identity: Identity | None = None) -> str:
    """How far a system is connected: what is missing, or as whom a live check found us."""
    manifest = registry.manifest(name)
    state = workspace.credentials.state(manifest)
    if not state.connected:
        return f"not connected: needs {', '.join(state.missing)}"
    practice = "practice system, " if state.practice else ""
    if identity is None:
        return f"{practice}not checked"
    if manifest.kind == "sql":
        who = f"database {identity.environment}, role {identity.user}"
    else:
        who = "connected" if state.practice else f"{identity.account} ({identity.environment}), as {identity.user}"
    return " ".join([practice + who, *(f"({warning.rstrip('.')})" for warning in identity.warnings)])
