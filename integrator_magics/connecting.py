"""What `%connect` does: keep variables in .env and try them. Of systems, and keys of models and the cloud sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from integrator_drivers import DriverError, Manifest, registry
from integrator_drivers.manifest import EnvVar

from .errors import IntegratorError

if TYPE_CHECKING:
    from .session import Session

__all__ = ["SERVICES", "connect", "manifest_of"]


def _service(name: str, label: str, purpose: str, key: str, where: str) -> Manifest:
    variable = EnvVar(key, f"API key: {where}", secret=True, auth="key")
    return Manifest(name=name, folder=Path(), purpose=purpose, client="", label=label, env=(variable,))


SERVICES = {
    entry.name: entry
    for entry in (
        _service("anthropic", "Anthropic", "holds the dialog", "ANTHROPIC_API_KEY", "Anthropic Console > API keys"),
        _service("openai", "OpenAI", "holds the dialog", "OPENAI_API_KEY", "OpenAI platform > API keys"),
        _service("deepseek", "DeepSeek", "holds the dialog", "DEEPSEEK_API_KEY", "DeepSeek platform > API keys"),
        _service("e2b", "E2B", "runs scripts in a sandbox in the cloud", "E2B_API_KEY", "E2B dashboard > API keys"),
    )
}


def manifest_of(name: str) -> Manifest:
    """What `%connect NAME` needs to know. Raises DriverNotFoundError."""
    return SERVICES.get(name.strip().lower()) or registry.manifest(name)


def connect(session: Session, system: str, values: Mapping[str, str]) -> list[str]:
    """Keep variables in .env and log in once; what came of it, a sentence a line. Blocks."""
    manifest = manifest_of(system)
    filled = {name: value.strip() for name, value in values.items() if value.strip()}
    if not filled:
        return ["Nothing was filled in, so nothing was changed."]
    session.record("connect", system=manifest.name, variables=sorted(filled))
    path = session.credentials.save(filled)
    warning = session.credentials.state(manifest).warning
    warnings = [warning] if warning else []
    if manifest.name in SERVICES:
        return [f"Kept in {path.name}.", _what_is_used(session), *warnings]
    try:
        identity = session.runner.call(manifest.name, "check")
    except (IntegratorError, DriverError) as exc:
        return [f"Kept in {path.name}, but the login did not work. {exc}"]
    who = f"Connected to {manifest.label}: {identity.account} ({identity.environment}) as {identity.user}."
    return [who, *identity.warnings, *warnings]


def _what_is_used(session: Session) -> str:
    """Which model and which sandbox the keys there are lead to."""
    from .agent import choose

    model = choose(session.settings, session.credentials, "").label
    backend, level, _ = session.runner.describe()
    return f"Dialogs from now on: {model}. Scripts run in: {backend} ({level})."
