"""Where values come from: practice (memory) > process environment > project `.env` > `.env` in the state folder."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from integrator_drivers import registry
from integrator_drivers.manifest import EnvVar, Manifest

from ..errors import ConfigError, NotConnected
from .envfile import EnvFile
from .finders import SHORT
from .redactor import Redactor
from .secrets import find_format
from .serving import hidden_files_served

__all__ = ["Credentials", "State", "redactor_of"]

_MODEL_KEYS = {
    "anthropic": "ANTHROPIC_API_KEY",
    "openai": "OPENAI_API_KEY",
    "deepseek": "DEEPSEEK_API_KEY",
    "openai-compatible": "OPENAI_COMPATIBLE_API_KEY",
    "e2b": "E2B_API_KEY",
}
_SECRET_NAME = re.compile(
    r"(?:^|_)(?:PASS|PASSWD|PASSWORD|PASSPHRASE|PWD|SECRET|TOKEN|KEY|APIKEY|CREDENTIALS?|DSN|PRIVATE|SIGNATURE)(?:_|$)"
    r"|(?:DATABASE|WEBHOOK|CONNECTION)_(?:URL|STRING)$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class State:
    """How far one system is set up. Holds names only, never a value."""

    system: str
    connected: bool
    practice: bool
    source: dict[str, str] = field(default_factory=dict)  # name -> practice, process, .env or home
    missing: list[str] = field(default_factory=list)  # of the login that is nearest to complete
    auth: str = ""  # the complete group of variables, "" when none is needed or complete
    warning: str = ""


class Credentials:
    """Values of a project, kept in this object and never put into the environment of this process."""

    def __init__(self, project: Path, home: Path, environ: Mapping[str, str] = os.environ) -> None:
        self._environ = environ
        self._project = EnvFile(project / ".env")
        self._home = EnvFile(home / ".env")
        self._practice: dict[str, dict[str, str]] = {}
        self._redactor = Redactor()

    def __repr__(self) -> str:
        return f"Credentials({str(self._project.path)!r})"

    @property
    def practice(self) -> dict[str, set[str]]:
        """Systems that use practice data now, with the names of their variables."""
        return {system: set(env) for system, env in self._practice.items()}

    def use_practice(self, system: str, env: Mapping[str, str]) -> None:
        """Use a practice system's variables, in memory, until `drop_practice`. No other source counts for it."""
        self._practice[system] = dict(env)

    def drop_practice(self, system: str) -> None:
        """Go back to the real variables of a system."""
        self._practice.pop(system, None)

    def env_for(self, manifest: Manifest) -> dict[str, str]:
        """The variables this driver declares: those without a group, and one complete group.

        Raises NotConnected naming what is missing.
        """
        state = self.state(manifest)
        if not state.connected:
            raise self._not_connected(manifest, state)
        values, _ = self._lookup(manifest)
        return {
            variable.name: values[variable.name]
            for variable in manifest.env
            if variable.name in values and (not variable.auth or state.auth in variable.auth.split())
        }

    def state(self, manifest: Manifest) -> State:
        """What is set, where it comes from, and what is missing."""
        values, source = self._lookup(manifest)
        practice = manifest.name in self._practice
        groups = manifest.auth_groups
        missing = {name: [v.name for v in group if not _value(v, values)] for name, group in groups.items()}
        complete = next((name for name, gone in missing.items() if not gone), "")
        connected = bool(complete) or not groups
        nearest: list[str] = []
        if not connected:
            begun = [name for name in groups if len(missing[name]) < len(groups[name])]
            nearest = missing[min(begun or groups, key=lambda name: len(missing[name]) if begun else 0)]
        warnings = [
            file.warning()
            for file, where in ((self._project, ".env"), (self._home, "home"))
            if where in source.values()
        ]
        if ".env" in source.values() and hidden_files_served(self._environ):
            warnings.append(
                f"Jupyter shows hidden files here (allow_hidden), so {self._project.path} can be read in the browser. "
                f"Switch that off, or move the file to {self._home.path}."
            )
        warnings += [
            f"{v.name} is too short to be kept out of text everywhere; use one of {SHORT} characters or more."
            for v in manifest.env
            if v.secret and v.name in values and not practice and len(values[v.name]) < SHORT
        ]
        return State(
            system=manifest.name,
            connected=connected,
            practice=practice,
            source=source,
            missing=nearest,
            auth=complete,
            warning=" ".join(filter(None, warnings)),
        )

    def save(self, values: Mapping[str, str]) -> Path:
        """Write variables into the project's `.env` (mode 0600) and return its path; a blank value removes one."""
        self._project.save(values)
        return self._project.path

    def model_key(self, provider: str) -> str | None:
        """The key of a model or sandbox provider (anthropic, openai, deepseek, e2b), None without one."""
        name = _MODEL_KEYS.get(provider.lower())
        return self._first(name)[0] if name else None

    def redactor(self) -> Redactor:
        """Replaces every secret value known now, and those registered later."""
        common = self._common()
        for name, value in self._secrets():
            self._redactor.register(value, name, common=value.casefold() in common)
        return self._redactor

    def find_secret(self, text: str) -> str | None:
        """What kind of secret stands in the text: a variable's name or a format; None without one."""
        return self.redactor().find(text) or find_format(text)

    def _common(self) -> set[str]:
        entries = registry.manifests().values()
        return {"postgres", *(word.casefold() for e in entries for word in (e.name, e.label, *e.aliases))}

    def _lookup(self, manifest: Manifest) -> tuple[dict[str, str], dict[str, str]]:
        names = [variable.name for variable in manifest.env]
        if manifest.name in self._practice:
            env = self._practice[manifest.name]
            values = {name: env[name] for name in names if env.get(name)}
            return values, dict.fromkeys(values, "practice")
        found = {name: self._first(name) for name in names}
        return (
            {name: value for name, (value, _) in found.items() if value},
            {name: source for name, (value, source) in found.items() if value},
        )

    def _first(self, name: str) -> tuple[str | None, str]:
        for source, values in self._sources():
            value = values.get(name)
            if value and value.strip():
                return value, source
        return None, ""

    def _sources(self) -> list[tuple[str, Mapping[str, str]]]:
        return [("process", self._environ), (".env", self._project.values()), ("home", self._home.values())]

    def _secrets(self) -> Iterable[tuple[str, str]]:
        declared = {
            variable.name: entry.name
            for entry in registry.manifests().values()
            for variable in entry.env
            if variable.secret
        }
        names = {*declared, *_MODEL_KEYS.values()}
        for system, env in self._practice.items():
            secret = {v.name for v in registry.manifests()[system].env if v.secret} if _known(system) else set()
            yield from ((n, v) for n, v in env.items() if n in secret or _SECRET_NAME.search(n))
        for source, values in self._sources():
            for name in names if source == "process" else list(values):
                value = values.get(name)
                if value and (name in names or _SECRET_NAME.search(name)):
                    yield name, value

    def _not_connected(self, manifest: Manifest, state: State) -> NotConnected:
        return NotConnected(
            f"{manifest.label} needs {_and(state.missing)} in .env.",
            f"Run `%connect {manifest.name}` to fill them in, or `%integrator demo` to try with practice data."
            if len(state.missing) > 1
            else f"Run `%connect {manifest.name}` to fill it in, or `%integrator demo` to try with practice data.",
        )


def redactor_of(path: Path) -> Redactor:
    """Replaces every value of one .env file, except those of variables that a driver declares as no secret.

    Raises ConfigError when there is no such file.
    """
    if not path.is_file():
        raise ConfigError(f"There is no file {path}.", "Name the .env file whose values must not show.")
    plain = {v.name for entry in registry.manifests().values() for v in entry.env if not v.secret}
    redactor = Redactor()
    for name, value in EnvFile(path).values().items():
        if name not in plain:
            redactor.register(value, name)
    return redactor


def _known(system: str) -> bool:
    return system in registry.manifests()


def _value(variable: EnvVar, values: Mapping[str, str]) -> str:
    return values.get(variable.name) or variable.default


def _and(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
