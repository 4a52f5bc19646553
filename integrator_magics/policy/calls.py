"""Judges attributes and calls of a script: modules, driver clients, and everything else."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from . import modules, names
from .folding import fold
from .model import Label
from .paths import HOLE, file_name_problem
from .soql import classify_soql
from .sql import classify_sql

if TYPE_CHECKING:
    from .python import _Script

__all__ = ["Calls"]

_NO_DELETE = 'Write a report of what would be deleted, or set a "to delete" flag in a field you choose.'
_READ_WITH = "Use read(...), query(...) or sync(...)."
_TABLE_FILE = ("Use to_csv, to_json or to_parquet with a relative name.", "Select rows with df[df.column == value].")
_DISPATCH = frozenset({"agg", "aggregate", "apply", "transform", "pipe", "map", "applymap"})
_SYNC_ARGUMENTS = frozenset("source target key cursor batch_size since until".split())


class Calls:
    """Findings go to the script."""

    def __init__(self, script: _Script) -> None:
        self.script = script
        self.direct = {id(node.func) for node in ast.walk(script.tree) if isinstance(node, ast.Call)}

    def attribute(self, node: ast.Attribute) -> None:
        """One `x.name`, called or not."""
        script, name = self.script, node.attr
        called = id(node) in self.direct
        if name.startswith("_") and name not in names.PRIVATE_DATA and not self._own(node):
            script.add(
                node, f"would use {name}, a part of the interpreter or of a library", "Leave it out.", Label.DANGEROUS
            )
            return
        if name in names.INTERNALS:
            script.add(node, f"would use {name}, a part of the interpreter", "Leave it out.", Label.DANGEROUS)
            return
        found = script.dotted(node.value)
        if not isinstance(node.ctx, ast.Load):
            if found or script.flow.systems(node.value) or self._member(node.value):
                script.add(node, f"would change {name} of a library or a client", "Use it as it is.", Label.DANGEROUS)
            return
        if found:
            self._of_module(node, found)
            return
        if members := self._member(node.value):
            if self._of_class(node, members, called):
                return
        if systems := script.flow.systems(node.value):
            self._of_client(node, sorted(systems), called)
        else:
            self._of_data(node, called)

    def call(self, node: ast.Call) -> None:
        """Arguments of calls that are judged by them."""
        script = self.script
        name = _called(node.func)
        if isinstance(node.func, ast.Name):
            targets = {member for _, member in script.members.get(name, set())} or {name}
        else:
            targets = {name}
        for target in targets:
            self._special(node, target)

    def name_loaded(self, node: ast.Name) -> None:
        """A name that may only be called, used otherwise."""

    def _special(self, node: ast.Call, name: str) -> None:
        script = self.script
        plain = isinstance(node.func, ast.Name)
        if name == "open":
            self._open(node)
        elif name in (
            "Path",
            "PurePath",
            "PurePosixPath",
            "joinpath",
            "read_csv",
            "read_json",
            "read_excel",
            "read_parquet",
        ):
            for argument in node.args[: None if name.endswith(("Path", "joinpath")) else 1]:
                self._file(node, argument)
            if not node.args and name.startswith("read_"):
                self._file(node, _keyword(node, "filepath_or_buffer", "path_or_buf", "io", "path"))
        elif name == "type" and plain and (len(node.args) != 1 or node.keywords):
            script.add(node, "would make a class at run time", "Write the class itself.", Label.DANGEROUS)
        elif name in ("attrgetter", "methodcaller", "hasattr") and (
            plain or script.dotted(node.func.value if isinstance(node.func, ast.Attribute) else node.func)
        ):
            self._by_name(node, name)
        elif name == "basicConfig" and _keyword(node, "filename", "handlers"):
            script.add(node, "would write a log file", "Leave it out: logging goes to the run's output.")
        elif name == "sync" and plain:
            self._sync(node)
        elif not plain and name in names.FILE_METHODS:
            target = node.args[0] if node.args else _keyword(node, "path", "path_or_buf", "excel_writer", "buf")
            if target is not None and not (isinstance(target, ast.Constant) and target.value is None):
                self._file(node, target)
        elif not plain and name in _DISPATCH:
            self._dispatch(node)
        elif not plain and name in ("format", "format_map"):
            self._format(node)

    def _of_module(self, node: ast.Attribute, found: set[str]) -> None:
        script = self.script
        for module in found:
            if f"{module}.{node.attr}" in modules.allowed_modules(script.manifests):
                continue
            if not modules.member_allowed(module, node.attr, script.manifests):
                script.member_refused(node, module, node.attr)

    def _of_class(self, node: ast.Attribute, members: set[tuple[str, str]], called: bool) -> bool:
        """An attribute of an imported name, `datetime.now`, `Path.home`; True when it was judged."""
        for module, name in members:
            if module == "pathlib":
                self.script.add(
                    node, f"would use Path.{node.attr}", 'Use Path("name") with a relative name.', Label.DANGEROUS
                )
                return True
            if (module, name) in modules.client_names(self.script.manifests):
                self.script.add(node, f"would use {name}.{node.attr} without a client", _READ_WITH)
                return True
        return False

    def _of_client(self, node: ast.Attribute, systems: Sequence[str], called: bool) -> None:
        script, name = self.script, node.attr
        label = " or ".join(script.manifests[system].label for system in systems)
        if names.sounds_like_delete(name):
            script.add(node, f"would delete in {label} ({name})", _NO_DELETE, Label.DELETE)
        elif name in names.CLIENT_READS:
            if name in ("query", "search"):
                self._query(node, systems, called)
        elif name in names.CLIENT_WRITES:
            if name == "insert" and self._is_list_insert(node):
                return
            script.add(node, self._would(node, name, label), "", Label.WRITE)
        elif name in names.data_methods() and not self._certain(node.value):
            return
        else:
            script.add(node, f"would use {name} of the {label} client, which is not known", _READ_WITH)

    def _of_data(self, node: ast.Attribute, called: bool) -> None:
        script, name = self.script, node.attr
        if name == "to_sql":
            replace = (call := self._call_of(node)) and fold(_keyword(call, "if_exists"), script.constants) == "replace"
            what = "would drop and make a table anew" if replace else "would write a table past the driver"
            script.add(node, what, "Use sync(...).", Label.DELETE if replace else Label.UNKNOWN)
        elif name in script.methods and called:
            return
        elif name in ("update", "insert", "send"):
            if not self._data_call(node, name):
                script.add(node, self._would(node, name, "a system"), "", Label.WRITE)
        elif name in names.CLIENT_WRITES:
            script.add(node, self._would(node, name, "a system"), "", Label.WRITE)
        elif name == "query":
            self._query(node, (), called)
        elif name in names.TABLE_SHAPING:
            call = self._call_of(node)
            if name == "drop" and call and _looks_like_object(call):
                script.add(node, "would drop an object of a system", _NO_DELETE, Label.DELETE)
        elif called and names.sounds_like_delete(name) and name not in names.data_methods():
            script.add(node, f"would delete ({name})", _NO_DELETE, Label.DELETE)
        elif name in ("eval", "exec", "to_pickle", "to_hdf", "to_gbq", "to_clipboard", "to_stata", "to_orc"):
            script.add(
                node, f"would use {name}, which scripts here may not use", _TABLE_FILE[name == "eval"], Label.DANGEROUS
            )
        elif name in ("format", "format_map"):
            if not called:
                script.add(node, "hands on str.format", "Use an f-string.")
        elif called and name not in names.data_methods() and name not in names.CLIENT_READS:
            script.add(node, f"would call {name}(), which is not known", "Use the drivers, pandas or plain functions.")

    def _query(self, node: ast.Attribute, systems: Sequence[str], called: bool) -> None:
        script = self.script
        call = self._call_of(node)
        if call is None:
            script.add(node, "hands on a query method", "Call it where the query stands.")
            return
        argument = call.args[0] if call.args else _keyword(call, "sql", "soql", "query", "statement", "text")
        if node.attr == "search" and not any(_is_sql(script, system) for system in systems):
            return
        kinds = {"sql" if _is_sql(script, system) else "soql" for system in systems} or {"sql", "soql"}
        text = fold(argument, script.constants)
        open_text = fold(argument, script.constants, hole="1")
        if not isinstance(text, str) and "soql" in kinds and isinstance(open_text, str):
            text, kinds = open_text, {"soql"}
        if not isinstance(text, str):
            script.add(
                node,
                "would send a query that is put together at run time",
                "Write it as one text and pass values as parameters.",
            )
            return
        with_parameters = len(call.args) > 1 or bool(_keyword(call, "params", "parameters", "values"))
        verdicts = []
        if "sql" in kinds:
            verdicts.append(classify_sql(_numbered(text) if with_parameters else text))
        if "soql" in kinds:
            verdicts.append(classify_soql(text))
        best = min(verdicts, key=lambda verdict: list(Label).index(verdict.label))
        worst = max(verdicts, key=lambda verdict: list(Label).index(verdict.label))
        verdict = worst if systems else best
        for reason in verdict.reasons:
            label = Label.UNKNOWN if reason.label is Label.WRITE else reason.label
            if not systems and reason.label is Label.UNKNOWN:
                script.add(node, "would run query() on something that is no driver", _TABLE_FILE[1])
            else:
                script.add(node, reason.what, reason.instead, label)

    def _would(self, node: ast.Attribute, name: str, label: str) -> str:
        call = self._call_of(node)
        subject = fold(call.args[0] if call and call.args else None, self.script.constants)
        thing = f"{subject} in {label}" if isinstance(subject, str) else label
        return "would " + names.CLIENT_WRITES[name].format(object=thing)

    def _sync(self, node: ast.Call) -> None:
        script = self.script
        for keyword in node.keywords:
            if keyword.arg is None or keyword.arg not in _SYNC_ARGUMENTS:
                name = keyword.arg or "**"
                if names.sounds_like_delete(name) or "delete" in name:
                    script.add(node, f"would delete records ({name})", _NO_DELETE, Label.DELETE)
                else:
                    script.add(node, f"uses sync with {name}, which is not known", "Use source, target and key.")
        target = _keyword(node, "target") or (node.args[1] if len(node.args) > 1 else None)
        thing = "a target"
        if isinstance(target, ast.Call) and target.args:
            obj = fold(target.args[1] if len(target.args) > 1 else _keyword(target, "object"), script.constants)
            systems = sorted(script.flow.systems(target.args[0]))
            label = " or ".join(script.manifests[system].label for system in systems) or "a system"
            thing = f"{obj} in {label}" if isinstance(obj, str) else label
        script.add(node, f"would add or change records of {thing}", "", Label.WRITE)

    def _open(self, node: ast.Call) -> None:
        self._file(node, node.args[0] if node.args else _keyword(node, "file"))
        opener = _keyword(node, "opener")
        mode = node.args[1] if len(node.args) > 1 else _keyword(node, "mode")
        if opener is not None or any(keyword.arg is None for keyword in node.keywords):
            self.script.add(
                node, "would open a file in an unusual way", "Use open(name, mode, encoding=...).", Label.DANGEROUS
            )
        if mode is not None and not re.fullmatch(r"[rwax]b?t?\+?b?", str(fold(mode, self.script.constants))):
            self.script.add(node, "would open a file in a mode that can't be told", 'Use "r" or "w".')

    def _file(self, node: ast.AST, argument: ast.expr | None) -> None:
        if isinstance(argument, ast.Name) and argument.id not in self.script.constants and self._file_like(argument.id):
            return
        if problem := file_name_problem(argument, self.script.constants):
            self.script.add(node, *problem, Label.DANGEROUS)

    def _file_like(self, name: str) -> bool:
        """The name is bound only to open files, StringIO or Paths, which were judged where they were made."""
        values = []
        for node in ast.walk(self.script.tree):
            if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets):
                values.append(node.value)
            elif (
                isinstance(node, ast.withitem)
                and isinstance(node.optional_vars, ast.Name)
                and node.optional_vars.id == name
            ):
                values.append(node.context_expr)
            elif isinstance(node, ast.arg) and node.arg == name:
                return False
            elif isinstance(node, (ast.For, ast.comprehension, ast.NamedExpr)) and name in _stored(node.target):
                return False
        made = ("open", "StringIO", "BytesIO", "Path")
        good = [
            (isinstance(value, ast.Call) and _called(value.func) in made)
            or (
                isinstance(value, ast.BinOp)
                and isinstance(value.op, ast.Div)
                and not file_name_problem(value, self.script.constants)
            )
            for value in values
        ]
        return bool(good) and all(good)

    def _by_name(self, node: ast.Call, name: str) -> None:
        script = self.script
        given: list[ast.expr | None] = (
            [*node.args[1:]] if name == "hasattr" else [*node.args[: 1 if name == "methodcaller" else None]]
        )
        for argument in [*given] or [None]:
            text = fold(argument, script.constants)
            if not isinstance(text, str) or any(
                part.startswith("_") or part in names.INTERNALS for part in text.split(".")
            ):
                script.add(
                    node, f"would reach attributes by name ({name})", "Write the attribute itself.", Label.DANGEROUS
                )
            elif name == "methodcaller" and (text not in names.data_methods() or text in names.FILE_METHODS):
                script.add(node, f"would call {text}() by name", "Call it by itself.", Label.UNKNOWN)

    def _dispatch(self, node: ast.Call) -> None:
        """pandas calls methods by name here: only known aggregates."""
        script = self.script
        given = [
            *node.args[:1],
            *(
                k.value
                for k in node.keywords
                if k.arg in (None, "func", "arg") or _called(node.func) in ("agg", "aggregate")
            ),
        ]
        for argument in given:
            for leaf in _leaves(argument):
                text = fold(leaf, script.constants)
                if isinstance(text, str):
                    bad = text not in names.AGGREGATES and text not in names.data_methods() - names.FILE_METHODS
                    if _called(node.func) in ("agg", "aggregate"):
                        bad = (
                            False
                            if text.isidentifier()
                            and not text.startswith("_")
                            and not text.startswith("to_")
                            and text not in ("eval", "query", "pipe", "apply", "agg")
                            else bad
                        )
                    if bad or text in names.FILE_METHODS:
                        script.add(node, f"would call {text} by name", "Call it by itself.")

    def _format(self, node: ast.Call) -> None:
        assert isinstance(node.func, ast.Attribute)
        text = fold(node.func.value, self.script.constants)
        if not isinstance(text, str):
            self.script.add(node, "would fill a template that can't be told", "Use an f-string.")
        elif re.search(r"\{[^{}]*[.\[]\s*_|\{[^{}]*\{[^{}]*[.\[]", text):
            self.script.add(node, "would reach attributes through a template", "Use an f-string.", Label.DANGEROUS)

    def _own(self, node: ast.Attribute) -> bool:
        return isinstance(node.value, ast.Name) and node.value.id in ("self", "cls") and not node.attr.startswith("__")

    def _member(self, node: ast.expr) -> set[tuple[str, str]]:
        return self.script.members.get(node.id, set()) if isinstance(node, ast.Name) else set()

    def _certain(self, node: ast.expr) -> bool:
        """The expression is a client and not just something that may hold one."""
        if isinstance(node, ast.Call):
            return self.script.flow.made(node.func) is not None
        if not isinstance(node, ast.Name):
            return False
        for other in ast.walk(self.script.tree):
            value = (
                other.value
                if isinstance(other, ast.Assign)
                else other.context_expr
                if isinstance(other, ast.withitem)
                else None
            )
            targets = (
                other.targets
                if isinstance(other, ast.Assign)
                else [other.optional_vars]
                if isinstance(other, ast.withitem)
                else []
            )
            if any(isinstance(target, ast.Name) and target.id == node.id for target in targets):
                if isinstance(value, ast.Call) and self.script.flow.made(value.func):
                    return True
        return False

    def _call_of(self, node: ast.Attribute) -> ast.Call | None:
        return next((c for c in ast.walk(self.script.tree) if isinstance(c, ast.Call) and c.func is node), None)

    def _is_list_insert(self, node: ast.Attribute) -> bool:
        return not self._certain(node.value) and self._data_call(node, "insert")

    def _data_call(self, node: ast.Attribute, name: str) -> bool:
        """list.insert(0, x) and dict.update(other): by the arguments no driver's method would take."""
        call = self._call_of(node)
        if call is None or any(isinstance(argument, ast.Starred) for argument in call.args):
            return False
        if name == "insert":
            first = call.args[0] if call.args else None
            return (isinstance(first, ast.Constant) and isinstance(first.value, int)) or _is_number(
                first, self.script.constants
            )
        if name == "update":
            taken = {"obj", "object", "records", "key", None}
            if not call.args:
                return bool(call.keywords) and not any(k.arg in taken for k in call.keywords)
            return (
                len(call.args) == 1
                and not isinstance(fold(call.args[0], self.script.constants), str)
                and not any(k.arg in taken - {"object"} for k in call.keywords)
            )
        return False


def _is_sql(script: _Script, system: str) -> bool:
    return script.manifests[system].kind == "sql"


def _is_number(node: ast.expr | None, constants: dict[str, object]) -> bool:
    value = fold(node, constants)
    return isinstance(value, int) or (isinstance(node, ast.Call) and _called(node.func) == "len")


def _called(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _keyword(node: ast.Call, *wanted: str) -> ast.expr | None:
    return next((keyword.value for keyword in node.keywords if keyword.arg in wanted), None)


def _leaves(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.Dict):
        return [leaf for value in node.values for leaf in _leaves(value)]
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return [leaf for value in node.elts for leaf in _leaves(value)]
    return [node]


def _stored(target: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(target) if isinstance(node, ast.Name)}


def _looks_like_object(call: ast.Call) -> bool:
    """drop("Lead") and not df.drop(columns=[...])."""
    return (
        len(call.args) == 1
        and not call.keywords
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
    )


def _numbered(sql: str) -> str:
    """psycopg's placeholders as PostgreSQL's."""
    count = 0

    def number(match: re.Match[str]) -> str:
        nonlocal count
        if match[0] == "%%":
            return "%"
        count += 1
        return f"${count}"

    return re.sub(r"%%|%(?:\(\w+\))?[sbt]", number, sql)


_ = HOLE
