"""`x.name`, called or not: of a module, of a driver's client, of anything else."""

from __future__ import annotations

import ast
import re

from . import modules
from .folding import fold
from .model import Label
from .names import CLIENT_WRITES, data_methods, sounds_like_delete
from .queries import classify_query
from .script import Script, called_name, keyword
from .tables import table

__all__ = ["NO_DELETE", "judge_attribute"]

NO_DELETE = 'Write a report of what would be deleted, or set a "to delete" flag in a field you choose.'
_DELETES = re.compile(r"(?i)delete|purge|truncate|destroy|wipe|erase")
_PATHS = frozenset({"Path", "PurePath", "PurePosixPath"})
_READ_WITH = "Use read(...), query(...) or sync(...)."


def judge_attribute(script: Script, node: ast.Attribute) -> None:
    """Add what is to be said against one attribute."""
    name = node.attr
    if name.startswith("_") and name not in table("python", "private_data") and not _own(script, node):
        what = f"would use {name}, a part of the interpreter or of a library"
        script.add(node, what, "Leave it out.", Label.DANGEROUS)
        return
    if name in table("python", "internals"):
        script.add(node, f"would use {name}, a part of the interpreter", "Leave it out.", Label.DANGEROUS)
        return
    found = script.dotted(node.value)
    members = script.members.get(node.value.id, set()) if isinstance(node.value, ast.Name) else set()
    systems = script.flow.systems(node.value)
    if not isinstance(node.ctx, ast.Load):
        if found or members or systems:
            script.add(node, f"would change {name} of a library or a client", "Use it as it is.", Label.DANGEROUS)
    elif found:
        _of_modules(script, node, found)
    elif members and _of_members(script, node, members):
        return
    elif systems:
        _of_client(script, node, systems)
    else:
        _of_data(script, node)


def _of_modules(script: Script, node: ast.Attribute, found: set[str]) -> None:
    for module in found:
        if f"{module}.{node.attr}" in script.allowed:
            if id(node) not in script.bases:
                script.add(node, f"hands on the module {module}.{node.attr}", "Use its functions.", Label.DANGEROUS)
        elif not modules.member_allowed(module, node.attr, script.manifests):
            what = f"would use {module}.{node.attr}, which scripts here may not use"
            script.add(node, what, modules.why_not(module), Label.DANGEROUS)
        elif node.attr in table("python", "only_called") and script.handed_on(node):
            script.add(node, f"hands on {module}.{node.attr}", "Call it where it is needed.")


def _of_members(script: Script, node: ast.Attribute, members: set[tuple[str, str]]) -> bool:
    """An attribute of an imported name, as in `datetime.now` or `Path.home`; True when it was judged."""
    for module, name in members:
        if module == "pathlib":
            what = f"would use Path.{node.attr}"
            script.add(node, what, 'Use Path("name") with a relative name.', Label.DANGEROUS)
            return True
        if (module, name) in script.clients:
            script.add(node, f"would use {name}.{node.attr} without a client", _READ_WITH)
            return True
    return False


def _of_client(script: Script, node: ast.Attribute, systems: set[str]) -> None:
    name, label = node.attr, script.labels(systems)
    call = script.called.get(id(node))
    if name in table("methods", "client_reads"):
        if name == "query" or (name == "search" and _kinds(script, systems) == ["sql"]):
            _query(script, node, _kinds(script, systems), surely=_is_client(script, node.value))
        elif call:
            _secret_table(script, call, systems)
    elif name in CLIENT_WRITES:
        if not (_is_data_call(script, call, name) and not _is_client(script, node.value)):
            script.add(node, _would(script, call, name, systems), "", Label.WRITE)
            if call:
                _write_arguments(script, call)
    elif _is_harmless(script, node):
        return
    elif sounds_like_delete(name):
        script.add(node, f"would delete in {label} ({name})", NO_DELETE, Label.DELETE)
    else:
        script.add(node, f"would use {name} of the {label} client, which is not known", _READ_WITH)


def _is_harmless(script: Script, node: ast.Attribute) -> bool:
    """Not surely a client, and a method of plain data; or an object of the script's own."""
    if node.attr in data_methods():
        call = script.called.get(id(node))
        return not _is_client(script, node.value) and not (node.attr == "drop" and call and _names_an_object(call))
    return node.attr in script.methods and _is_own_object(script, node.value)


def _of_data(script: Script, node: ast.Attribute) -> None:
    name = node.attr
    call = script.called.get(id(node))
    if name == "to_sql":
        again = call is not None and fold(keyword(call, "if_exists"), script.constants) == "replace"
        what = "would drop a table and make it anew" if again else "would write a table past the driver"
        script.add(node, what, "Use sync(...).", Label.DELETE if again else Label.UNKNOWN)
    elif name in script.methods and call:
        return
    elif name in CLIENT_WRITES:
        if not _is_data_call(script, call, name):
            script.add(node, _would(script, call, name, set()), "", Label.WRITE)
            if call:
                _write_arguments(script, call)
    elif name == "query":
        _query(script, node, _kinds(script, script.used_systems()), surely=False)
    elif name == "drop" and call and _names_an_object(call):
        script.add(node, "would drop an object of a system", NO_DELETE, Label.DELETE)
    elif name in table("methods", "table_shaping"):
        return
    elif name in table("methods", "forbidden"):
        script.add(node, f"would use {name}, which scripts here may not use", _instead_of(name), Label.DANGEROUS)
    elif name in ("format", "format_map"):
        if call is None:
            script.add(node, "hands on str.format", "Use an f-string.")
    elif name in table("python", "private_data") or name in data_methods() or name in table("methods", "client_reads"):
        _path_only(script, node)
    elif call and sounds_like_delete(name):
        script.add(node, f"would delete ({name})", NO_DELETE, Label.DELETE)
    elif call:
        script.add(node, f"would call {name}(), which is not known", "Use the drivers, pandas or plain functions.")
    elif _DELETES.search(name) and _handed_on(script, node):
        script.add(node, f"hands on {name}", NO_DELETE, Label.DELETE)


def _query(script: Script, node: ast.Attribute, dialects: list[str], *, surely: bool) -> None:
    call = script.called.get(id(node))
    if call is None:
        script.add(node, "hands on a query method", "Call it where the query stands.")
        return
    for reason in classify_query(call, dialects, script.constants, surely=surely).reasons:
        script.add(node, reason.what, reason.instead, reason.label, never=True)


def _would(script: Script, call: ast.Call | None, name: str, systems: set[str]) -> str:
    subject = fold(call.args[0] if call and call.args else None, script.constants)
    label = script.labels(systems)
    if name == "insert" and isinstance(subject, str) and subject.isidentifier():
        return f"would create {'an' if subject[0] in 'AEIOUaeiou' else 'a'} {subject} in {label}"
    return "would " + CLIENT_WRITES[name].format(object=f"{subject} in {label}" if isinstance(subject, str) else label)


def _write_arguments(script: Script, call: ast.Call) -> None:
    """Options and fields that turn a write into a delete."""
    for entry in call.keywords:
        if entry.arg and entry.arg not in table("methods", "write_arguments"):
            if sounds_like_delete(entry.arg):
                script.add(call, f"would delete records ({entry.arg})", NO_DELETE, Label.DELETE)
            else:
                script.add(call, f"writes with {entry.arg}, which is not known", "Use records and key.")
        text = fold(entry.value, script.constants)
        if isinstance(text, str) and entry.arg not in ("obj", "object", "key", "to") and sounds_like_delete(text):
            script.add(call, f"would delete records ({text})", NO_DELETE, Label.DELETE)
    for inner in ast.walk(call):
        if isinstance(inner, ast.Dict):
            for key, value in zip(inner.keys, inner.values, strict=True):
                if fold(key, script.constants) in (
                    "archived",
                    "isArchived",
                    "IsDeleted",
                    "isDeleted",
                    "void",
                    "voided",
                ) and fold(value, script.constants) in (True, 1, "true", "True"):
                    script.add(inner, "would delete records by marking them so", NO_DELETE, Label.DELETE)


def _secret_table(script: Script, call: ast.Call, systems: set[str]) -> None:
    name = fold(call.args[0] if call.args else keyword(call, "obj"), script.constants)
    if "sql" not in _kinds(script, systems) or not isinstance(name, str):
        return
    if name.removeprefix("pg_catalog.").strip('"') in table("sql", "secret_tables"):
        what = f"would read {name}, which holds secrets of the server"
        script.add(call, what, "Read another table.", Label.DANGEROUS)


def _path_only(script: Script, node: ast.Attribute) -> None:
    """What is surely a Path offers less than plain data, whose methods share names with its dangerous ones."""
    value = node.value
    made = [value] if not isinstance(value, ast.Name) else script.bound.get(value.id, [])
    is_path = any(isinstance(entry, ast.Call) and script.calls(entry.func, _PATHS) for entry in made)
    if is_path and node.attr not in table("methods", "paths"):
        what = f"would use {node.attr} of a file name"
        script.add(node, what, "Use read_text, write_text or open.", Label.DANGEROUS)


def _handed_on(script: Script, node: ast.Attribute) -> bool:
    """A method without its call, given to a name or a function."""
    return any(
        value is node for values in script.bound.values() for value in values
    ) or any(argument is node for call in script.called.values() for argument in call.args)  # fmt: skip


def _is_client(script: Script, node: ast.expr) -> bool:
    """The expression is a client, not just something that may hold one."""
    if isinstance(node, ast.Call):
        return script.flow.made(node.func) is not None
    if not isinstance(node, ast.Name):
        return False
    return any(isinstance(value, ast.Call) and script.flow.made(value.func) for value in script.bound.get(node.id, []))


def _is_own_object(script: Script, node: ast.expr) -> bool:
    """An instance of a class defined in the script, whose methods are judged where they stand."""
    made = [node] if not isinstance(node, ast.Name) else script.bound.get(node.id, [])
    return bool(made) and all(
        isinstance(value, ast.Call) and called_name(value.func) in script.classes for value in made
    )


def _is_data_call(script: Script, call: ast.Call | None, name: str) -> bool:
    """list.insert(0, x) and dict.update(other): told by arguments that no driver's method would take."""
    if call is None or any(isinstance(argument, ast.Starred) for argument in call.args):
        return False
    given = {entry.arg for entry in call.keywords}
    if name == "insert" and call.args:
        first = call.args[0]
        counted = isinstance(first, ast.Call) and called_name(first.func) == "len"
        return counted or isinstance(fold(first, script.constants), int)
    if name == "update":
        if given & {"obj", "records", "key", None}:
            return False
        if not call.args:
            return bool(given)
        return len(call.args) == 1 and not isinstance(fold(call.args[0], script.constants), str)
    return False


def _names_an_object(call: ast.Call) -> bool:
    """drop("Lead"), and not df.drop(columns=[...])."""
    return len(call.args) == 1 and not call.keywords and isinstance(getattr(call.args[0], "value", None), str)


def _kinds(script: Script, systems: set[str]) -> list[str]:
    return sorted({"sql" if script.manifests[system].kind == "sql" else "soql" for system in systems})


def _instead_of(name: str) -> str:
    return "Select rows with df[df.column == value]." if name == "eval" else "Use to_csv, to_json or to_parquet."


def _own(script: Script, node: ast.Attribute) -> bool:
    """`self._x` of a class defined here, and `super().__init__`."""
    if isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"):
        return not node.attr.startswith("__")
    if isinstance(node.value, ast.Call) and called_name(node.value.func) == "super":
        return node.attr in table("python", "dunder_methods")
    return False
