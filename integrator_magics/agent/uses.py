"""Where a script names objects and fields of systems, read from its syntax tree without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from integrator_drivers import registry

from .queries import Selected, selected

__all__ = ["Script", "Use", "objects_named", "uses"]

READS = ("read", "lookup", "query", "search")
WRITES = ("insert", "update", "upsert")
_UNKNOWN = object()


@dataclass(frozen=True)
class Use:
    """One place where a script names an object and fields of it.

    `kind` is read, write or key (the column by which records are matched in the target).
    """

    line: int
    system: str
    object: str
    fields: list[str] = field(default_factory=list)
    kind: str = "read"


def uses(tree: ast.Module) -> Iterator[Use]:
    """All places with literal names. What is put together at run time is not seen; the preview finds it."""
    script = Script(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from script.of_call(node)


def objects_named(code: str) -> tuple[list[str], list[tuple[str, str]]]:
    """Systems whose client a script makes, and (system, object) it names; nothing for code that can't be parsed."""
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return [], []
    found = dict.fromkeys((use.system, use.object) for use in uses(tree))
    return sorted(set(Script(tree).systems)), list(found)


class Script:
    """Names of a script: its clients, its constants."""

    def __init__(self, tree: ast.Module) -> None:
        self.classes = {entry.client.partition(":")[2]: name for name, entry in registry.manifests().items()}
        self.constants: dict[str, ast.expr] = {}
        self.clients: dict[str, str] = {}
        self.systems: list[str] = []
        for node in ast.walk(tree):
            if isinstance(node, (ast.ImportFrom, ast.Import)):
                self._import(node)
        for node in ast.walk(tree):
            if isinstance(node, (ast.With, ast.AsyncWith)):
                for item in node.items:
                    self._bind(item.optional_vars, item.context_expr)
            elif isinstance(node, ast.Assign):
                for target in node.targets:
                    self._bind(target, node.value)
            elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)) and node.value is not None:
                self._bind(node.target, node.value)

    def _import(self, node: ast.ImportFrom | ast.Import) -> None:
        for alias in node.names:
            if isinstance(node, ast.ImportFrom) and alias.name in self.classes:
                self.classes[alias.asname or alias.name] = self.classes[alias.name]

    def _bind(self, target: ast.expr | None, value: ast.expr) -> None:
        if system := self.system_made(value):
            self.systems.append(system)
            if isinstance(target, ast.Name):
                self.clients[target.id] = system
        elif isinstance(target, ast.Name):
            self.constants[target.id] = value

    def system_made(self, node: ast.expr) -> str:
        """The system of `SalesforceClient()` or `salesforce_driver.SalesforceClient()`, "" for anything else."""
        if not isinstance(node, ast.Call):
            return ""
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        return self.classes.get(name, "")

    def system(self, node: ast.expr | None) -> str:
        """The system that an expression is a client of."""
        if isinstance(node, ast.Name):
            return self.clients.get(node.id, "")
        return self.system_made(node) if node is not None else ""

    def of_call(self, node: ast.Call) -> Iterator[Use]:
        """What one call names."""
        named = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
        if isinstance(node.func, ast.Attribute):
            if system := self.system(node.func.value):
                yield from self._method(node, node.func.attr, system, named)
            return
        called = node.func.id if isinstance(node.func, ast.Name) else ""
        if called == "Source":
            yield from self._read(node, self._argument(node, named, 0, "client"), 1, named)
        elif called == "Target":
            system, obj = self.system(self._argument(node, named, 0, "client")), self._object(node, named, 1)
            if system and obj:
                yield Use(node.lineno, system, obj, kind="write")
        elif called == "sync":
            yield from self._sync(node, named)

    def _method(self, node: ast.Call, method: str, system: str, named: dict[str, ast.expr]) -> Iterator[Use]:
        if method == "read":
            yield from self._read(node, node.func.value, 0, named)  # type: ignore[attr-defined]
            return
        if method in ("query", "search"):
            text = self.value(self._argument(node, named, 0, "soql", "sql", "query", "text"))
            for entry in selected(text, registry.manifests()[system].kind) if isinstance(text, str) else ():
                yield _use(node.lineno, system, entry)
            return
        obj = self._object(node, named, 0)
        if not obj or method not in (*READS, *WRITES):
            return
        key = self._texts(self._argument(node, named, 1 if method == "lookup" else 2, "key"))
        if method == "lookup":
            fields = self._texts(self._argument(node, named, 3, "fields"))
            yield Use(node.lineno, system, obj, [*key, *fields])
        else:
            yield Use(node.lineno, system, obj, self._row_fields(self._argument(node, named, 1, "records")), "write")
            if key:
                yield Use(node.lineno, system, obj, key, "key")

    def _read(self, node: ast.Call, client: ast.expr | None, first: int, named: dict[str, ast.expr]) -> Iterator[Use]:
        system, obj = self.system(client), self._object(node, named, first)
        if system and obj:
            fields = self._texts(self._argument(node, named, first + 1, "fields"))
            conditions = self._conditions(self._argument(node, named, first + 2, "where"))
            yield Use(node.lineno, system, obj, list(dict.fromkeys([*fields, *conditions])))

    def _sync(self, node: ast.Call, named: dict[str, ast.expr]) -> Iterator[Use]:
        """The columns that a sync writes into its target; with several targets, what each takes and writes."""
        source = self._resolve(self._argument(node, named, 0, "source"))
        target = self._resolve(self._argument(node, named, 1, "target"))
        if isinstance(target, (ast.List, ast.Tuple)):
            yield from self._several(node, source, [self._resolve(entry) for entry in target.elts], named)
            return
        if not isinstance(source, ast.Call) or not isinstance(target, ast.Call):
            return
        of_source = {keyword.arg: keyword.value for keyword in source.keywords if keyword.arg}
        fields = self._resolve(self._argument(source, of_source, 2, "fields"))
        yield from self._written(target, fields, self._argument(node, named, 2, "key"), node.lineno)
        yield from self._timed(node, source, named)

    def _written(self, target: ast.Call, fields: ast.expr | None, key: ast.expr | None, line: int) -> Iterator[Use]:
        """The columns of one target, which `fields` maps to."""
        of_target = {keyword.arg: keyword.value for keyword in target.keywords if keyword.arg}
        system = self.system(self._argument(target, of_target, 0, "client"))
        obj = self._object(target, of_target, 1)
        if not system or not obj:
            return
        columns = self._texts(fields)
        if isinstance(fields, ast.Dict):
            values = [self.value(entry) for entry in fields.values]
            columns = [entry for entry in values if isinstance(entry, str)]
        names = self._texts(key)
        yield Use(line, system, obj, columns, "write")
        if columns and names and names[0] not in columns:
            yield Use(line, system, obj, names, "lost key")

    def _several(
        self, node: ast.Call, source: ast.expr | None, targets: list[ast.expr | None], named: dict[str, ast.expr]
    ) -> Iterator[Use]:
        ids: list[str] = []
        wanted: list[str] = []
        for target in targets:
            if not isinstance(target, ast.Call):
                continue
            own = {keyword.arg: keyword.value for keyword in target.keywords if keyword.arg}
            fields = self._resolve(self._argument(target, own, 2, "fields"))
            wanted += [name for name in self._texts(fields) if name not in ids]
            yield from self._written(target, fields, self._argument(target, own, 3, "key"), target.lineno)
            ids += self._texts(self._argument(target, own, 4, "id_as"))
        if isinstance(source, ast.Call):
            yield from self._of_source(source, list(dict.fromkeys(wanted)))
            yield from self._timed(node, source, named)

    def _timed(self, node: ast.Call, source: ast.Call, named: dict[str, ast.expr]) -> Iterator[Use]:
        """The source's fields with the time of the last change."""
        found = [name for key in ("cursor", "newest") for name in self._texts(named.get(key))]
        if found:
            yield from self._of_source(source, found)

    def _of_source(self, source: ast.Call, fields: list[str]) -> Iterator[Use]:
        of_source = {keyword.arg: keyword.value for keyword in source.keywords if keyword.arg}
        system, obj = self.system(self._argument(source, of_source, 0, "client")), self._object(source, of_source, 1)
        if system and obj:
            yield Use(source.lineno, system, obj, fields)

    def argument(self, node: ast.Call, place: int, *names: str) -> ast.expr | None:
        """What a call gives for a parameter, by name or by place."""
        named = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
        return self._argument(node, named, place, *names)

    def call_of(self, node: ast.Call, place: int, *names: str) -> ast.Call | None:
        """The call that made an argument, also behind a name."""
        found = self._resolve(self.argument(node, place, *names))
        return found if isinstance(found, ast.Call) else None

    def text(self, node: ast.expr | None) -> str:
        """A literal text, "" for anything else."""
        found = self.value(node)
        return found if isinstance(found, str) else ""

    def pairs(self, node: ast.expr | None) -> list[tuple[str, str]]:
        """Source field and target column of a literal mapping, or of a list whose names are kept; [] where unclear."""
        node = self._resolve(node)
        if not isinstance(node, ast.Dict):
            return [(name, name) for name in self._texts(node)] if isinstance(node, (ast.List, ast.Tuple)) else []
        found = [(self.text(key), self.text(value)) for key, value in zip(node.keys, node.values, strict=True) if key]
        return found if len(found) == len(node.keys) and all(map(all, found)) else []

    def value(self, node: ast.expr | None) -> Any:
        """The value of a literal, also behind a name or joined with +; _UNKNOWN for anything else."""
        node = self._resolve(node)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            left, right = self.value(node.left), self.value(node.right)
            return left + right if isinstance(left, str) and isinstance(right, str) else _UNKNOWN
        if isinstance(node, ast.JoinedStr):  # SOQL with values filled in: names stand in the fixed parts
            parts = [part.value if isinstance(part, ast.Constant) else "0" for part in node.values]
            return "".join(part for part in parts if isinstance(part, str))
        return node.value if isinstance(node, ast.Constant) else _UNKNOWN

    def _resolve(self, node: ast.expr | None) -> ast.expr | None:
        for _ in range(5):
            if not isinstance(node, ast.Name) or node.id not in self.constants:
                return node
            node = self.constants[node.id]
        return node

    def _argument(self, node: ast.Call, named: dict[str, ast.expr], place: int, *names: str) -> ast.expr | None:
        for name in names:
            if name in named:
                return named[name]
        starred = any(isinstance(entry, ast.Starred) for entry in node.args[: place + 1])
        return node.args[place] if place < len(node.args) and not starred else None

    def _object(self, node: ast.Call, named: dict[str, ast.expr], place: int) -> str:
        found = self.value(self._argument(node, named, place, "obj", "object"))
        return found if isinstance(found, str) else ""

    def _texts(self, node: ast.expr | None) -> list[str]:
        """A literal text, the literal texts of a list, tuple or set, or the keys of a dict."""
        node = self._resolve(node)
        entries: list[ast.expr | None] = [node]
        if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
            entries = list(node.elts)
        elif isinstance(node, ast.Dict):
            entries = list(node.keys)
        values = [self.value(entry) for entry in entries]
        return [value for value in values if isinstance(value, str)]

    def _conditions(self, node: ast.expr | None) -> list[str]:
        """Field names of literal `where` triples."""
        node = self._resolve(node)
        if not isinstance(node, (ast.List, ast.Tuple)):
            return []
        entries = [self._resolve(entry) for entry in node.elts]
        firsts = [entry.elts[0] for entry in entries if isinstance(entry, (ast.Tuple, ast.List)) and entry.elts]
        return [value for first in firsts if isinstance(value := self.value(first), str)]

    def _row_fields(self, node: ast.expr | None) -> list[str]:
        """Field names of literal records: `[{"Name": ...}]`."""
        node = self._resolve(node)
        rows = node.elts if isinstance(node, (ast.List, ast.Tuple)) else []
        found = [text for row in rows if isinstance(row, ast.Dict) for text in self._texts(row)]
        return list(dict.fromkeys(found))


def _use(line: int, system: str, entry: Selected) -> Use:
    return Use(line, system, entry.object, entry.fields)
