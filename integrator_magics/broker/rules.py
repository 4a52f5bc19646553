"""The [http] table of a driver as a decision: may this request pass in this mode.

never before write before read; anything else is refused. A rule is "METHOD path" (`*` is one part of a path, `**` any),
or a table with `on` and a condition:

body   field of a JSON body -> values it may have
login  true for a request that logs in, which scripts never send
soql   name of the parameter (GET) or the field of the JSON body that holds a query which must only read
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from integrator_drivers.mode import Mode

from .paths import plain_path, plain_query, template
from .refusal import Refused

__all__ = ["BODY", "Asked", "Rules"]

BODY = 1 << 20  # bytes of a body that a condition looks into
_PARTS = re.compile(r"(\*\*|\*)")
_MEANING = {"**": ".*", "*": "[^/]*"}
_STRING = re.compile(r"'(?:\\.|[^'\\])*'", re.DOTALL)


@dataclass(frozen=True)
class _Rule:
    method: str
    path: re.Pattern[str]
    body: Mapping[str, tuple[str, ...]]
    soql: str
    is_login: bool

    @property
    def looks_into_body(self) -> bool:
        return bool(self.body) or bool(self.soql and self.method != "GET")


@dataclass(frozen=True)
class Asked:
    """A request whose method and path may pass. Where `needs_body`, only together with a body that `check` accepts."""

    method: str
    path: str
    query: Mapping[str, str]
    candidates: tuple[_Rule, ...]

    @property
    def needs_body(self) -> bool:
        """Must the whole body be seen first."""
        return any(rule.looks_into_body for rule in self.candidates)

    def check(self, body: bytes, content_type: str = "") -> str:
        """The template for the audit log, with the query where it is one. Raises Refused."""
        fields = _json(body, content_type) if self.needs_body else {}
        refusal = Refused("")
        for rule in self.candidates:
            try:
                return template(self.path) + _conditions(rule, self.query, fields)
            except Refused as exc:
                refusal = exc
        raise refusal


class Rules:
    """The rules of one driver in one mode."""

    def __init__(self, label: str, http: Mapping[str, Any], mode: Mode) -> None:
        self._label = label
        self._mode = mode
        self._never = [_rule(entry, re.IGNORECASE) for entry in http.get("never", ())]
        self._write = [_rule(entry) for entry in http.get("write", ())]
        self._read = [_rule(entry) for entry in http.get("read", ())]

    def ask(self, method: str, target: str) -> Asked:
        """May this method go to this target (path and query). Raises Refused."""
        path, query = plain_path(target), plain_query(target)
        shown = f"{method} {template(path)}"
        if any(rule.method in ("*", method.upper()) and rule.path.fullmatch(path) for rule in self._never):
            raise Refused(
                f"{shown} would delete, or do something no script here may do, so it was not sent to {self._label}."
            )
        as_method = "GET" if method == "HEAD" else method
        if found := _matching(self._write, as_method, path):
            if self._mode is not Mode.APPLY:
                what = "Discovery only reads" if self._mode is Mode.DISCOVERY else "A preview only reads"
                raise Refused(f"{what}: {shown} was not sent to {self._label}.", "ReadOnlyError")
            return Asked(as_method, path, query, found)
        found = _matching(self._read, as_method, path)
        if not found:
            raise Refused(f"{shown} is nothing that scripts may ask of {self._label}, so it was not sent.")
        if all(rule.is_login for rule in found):
            raise Refused(f"Scripts do not log in to {self._label}; that is done for them.")
        return Asked(as_method, path, query, found)


def _matching(rules: list[_Rule], method: str, path: str) -> tuple[_Rule, ...]:
    """Rules with conditions hide those without: what a condition refuses must not pass by a wider rule."""
    found = tuple(rule for rule in rules if rule.method == method and rule.path.fullmatch(path))
    return tuple(rule for rule in found if rule.body or rule.soql) or found


def _rule(entry: Any, flags: int = 0) -> _Rule:
    data: Mapping[str, Any] = {"on": entry} if isinstance(entry, str) else entry
    if unknown := set(data) - {"on", "body", "soql", "login"}:
        raise ValueError(f"a rule of [http] has {', '.join(sorted(unknown))}")
    method, _, pattern = data["on"].partition(" ")
    parts = (_MEANING.get(part, re.escape(part)) for part in _PARTS.split(pattern.strip()))
    body = {name: tuple(values) for name, values in data.get("body", {}).items()}
    return _Rule(method, re.compile("".join(parts), flags), body, data.get("soql", ""), bool(data.get("login")))


def _conditions(rule: _Rule, query: Mapping[str, str], fields: Mapping[str, Any]) -> str:
    for name, allowed in rule.body.items():
        if fields.get(name) not in allowed:
            raise Refused(
                f'A request with {name} "{str(fields.get(name))[:40]}" is not for scripts, so it was not sent.'
            )
    if not rule.soql:
        return ""
    text = query.get(rule.soql.lower()) if rule.method == "GET" else fields.get(rule.soql)
    if text is None:
        return ""
    if not isinstance(text, str):
        raise Refused("The query is no text, so it was not sent.")
    return ": " + _only_reading(text)


def _only_reading(text: str) -> str:
    """The query without its values. Raises Refused where it does more than read."""
    from ..policy.model import Label
    from ..policy.soql import classify_soql

    verdict = classify_soql(text)
    if verdict.label is not Label.READ:
        raise Refused(f"The query {verdict.reasons[0].what}, so it was not sent.", "ReadOnlyError")
    return _STRING.sub("?", text)[:2_000]


def _json(body: bytes, content_type: str) -> dict[str, Any]:
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise Refused("A request of this kind must be JSON, so it was not sent.", status=415)
    try:
        found = json.loads(body.decode("utf-8"), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as exc:
        raise Refused("The body of the request is no plain JSON, so it was not sent.", status=400) from exc
    if not isinstance(found, dict):
        raise Refused("The body of the request is no JSON object, so it was not sent.", status=400)
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object in which no name stands twice, however it is spelled: readers differ in which one counts."""
    if len({name.strip().lower() for name, _ in pairs}) != len(pairs):
        raise ValueError("a name stands twice")
    return dict(pairs)
