"""`driver.toml` as data: what a driver is, readable without importing it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from .errors import ValidationError

__all__ = ["EnvVar", "Host", "Join", "Manifest", "Question"]


@dataclass(frozen=True)
class EnvVar:
    """A variable a client reads. All variables of one `auth` group are needed; group "" is optional."""

    name: str
    help: str = ""
    secret: bool = False
    auth: str = ""
    default: str = ""


@dataclass(frozen=True)
class Host:
    """Where the driver connects to. `{NAME}` stands for a variable's value, also in the port."""

    name: str
    port: str = "443"


@dataclass(frozen=True)
class Join:
    """How two objects belong together, and the words people use for it."""

    start: str  # "Lead.Id"
    to: str  # "CampaignMember.LeadId"
    keep: Literal["left", "inner"] = "left"
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Question:
    """A phrase of business users that can mean several fields, and what they are."""

    words: tuple[str, ...]  # phrases that raise it: "how they got to us"
    object: str
    choices: tuple[Mapping[str, str], ...]  # each {field | join, label, hint}


@dataclass(frozen=True)
class Manifest:
    """One driver. Paths are inside `folder`."""

    name: str
    folder: Path
    purpose: str
    client: str  # "salesforce_driver:SalesforceClient"
    label: str  # "Salesforce"
    aliases: tuple[str, ...] = ()
    stability: Literal["official", "restricted"] = "official"
    version: str = "0.1.0"
    kind: Literal["saas", "sql", "messenger"] = "saas"
    cursor: str | None = None  # field that moves on every change
    created: str | None = None  # field that holds the creation time
    requires: tuple[str, ...] = ()  # distributions a script needs beside integrator-drivers
    env: tuple[EnvVar, ...] = ()
    hosts: tuple[Host, ...] = ()
    http: Mapping[str, Any] = field(default_factory=dict)  # read, write, never; rows: names of lists of records
    authorize: str = ""  # "salesforce_driver:authorize": the broker's login, see integrator_drivers.access
    joins: tuple[Join, ...] = ()
    questions: tuple[Question, ...] = ()
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # object -> what people call it
    scopes: Mapping[str, Any] = field(default_factory=dict)
    practice: str | None = None  # "salesforce_driver.practice:serve"

    @property
    def auth_groups(self) -> dict[str, tuple[EnvVar, ...]]:
        """Variables of each way to log in, first the recommended one."""
        groups: dict[str, tuple[EnvVar, ...]] = {}
        for variable in self.env:
            if variable.auth:
                for group in variable.auth.split():
                    groups[group] = (*groups.get(group, ()), variable)
        return groups

    def egress(self, env: Mapping[str, str]) -> list[tuple[str, int]]:
        """Hosts and ports this driver may reach with these variables; entries whose variables are unset drop out."""
        defaults = {variable.name: variable.default for variable in self.env if variable.default}
        known = {**defaults, **{name: value for name, value in env.items() if value}}
        found = []
        for host in self.hosts:
            try:
                name, port = (_fill(text, known) for text in (host.name, host.port))
            except KeyError:
                continue
            found.append((name, int(port)))
        return found

    @classmethod
    def load(cls, path: Path) -> Manifest:
        """Read one driver.toml. Raises ValidationError naming the file when a key is missing or unknown."""
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8"))
            env = tuple(EnvVar(**entry) for entry in data.pop("env", ()))
            hosts = tuple(Host(entry["name"], str(entry.get("port", 443))) for entry in data.pop("host", ()))
            joins = tuple(
                Join(entry["from"], entry["to"], entry.get("keep", "left"), tuple(entry.get("words", ())))
                for entry in data.pop("join", ())
            )
            questions = tuple(
                Question(tuple(entry["words"]), entry["object"], tuple(entry["choices"]))
                for entry in data.pop("question", ())
            )
            words = {obj: tuple(said) for obj, said in data.pop("words", {}).items()}
            for key in ("aliases", "requires"):
                data[key] = tuple(data.get(key, ()))
            data.setdefault("label", data["name"].capitalize())
            return cls(
                folder=path.parent,
                env=env,
                hosts=hosts,
                joins=joins,
                questions=questions,
                words=words,
                **data,
            )
        except (tomllib.TOMLDecodeError, KeyError, TypeError) as exc:
            raise ValidationError(f"{path} is not a valid driver manifest: {exc}") from exc


def _fill(text: str, values: Mapping[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: values[match[1]], text)
