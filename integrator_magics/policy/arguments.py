"""Calls that are judged by their arguments: files, attributes by name, templates, sync."""

from __future__ import annotations

import ast
import re

from .attributes import NO_DELETE
from .folding import fold
from .model import Label
from .names import data_methods, safe_builtins, sounds_like_delete
from .paths import HOLE, file_name_problem
from .script import Script, called_name, keyword
from .tables import table

__all__ = ["judge_call", "judge_path_join"]

_PATHS = ("Path", "PurePath", "PurePosixPath")
_MAKES_FILES = frozenset({"open", "StringIO", "BytesIO", "joinpath", *_PATHS})
_READERS = ("read_csv", "read_json", "read_excel", "read_parquet")


def judge_call(script: Script, node: ast.Call) -> None:
    """Add what is to be said against the arguments of one call."""
    name = called_name(node.func)
    if isinstance(node.func, ast.Name):
        for target in {member for _, member in script.members.get(name, set())} or {name}:
            _by_function(script, node, target)
    elif isinstance(node.func, ast.Attribute):
        if script.dotted(node.func.value):
            _by_function(script, node, name)
        else:
            _by_method(script, node, node.func, name)
    if script.flow.made(node.func) and (node.args or node.keywords):
        script.add(node, "would set up a client by hand", "The client reads its variables by itself.")


def judge_path_join(script: Script, node: ast.BinOp) -> None:
    """`folder / "name"`: what is joined must stay inside the folder."""
    if _is_file_object(script, node.left) or _makes_file(script, node.left):
        _file(script, node, node.right)
    for side in (node.left, node.right):
        if isinstance(fold(side, script.constants, hole=HOLE), str):
            _file(script, node, side)


def _by_function(script: Script, node: ast.Call, name: str) -> None:
    if name == "open":
        _open(script, node, node.args[0] if node.args else keyword(node, "file"), node.args[1:2])
    elif name in _PATHS:
        _names_of_files(script, node, node.args)
    elif name in _READERS:
        first = node.args[0] if node.args else keyword(node, "filepath_or_buffer", "path_or_buf", "io", "path")
        _file(script, node, first)
    elif name == "type" and (len(node.args) != 1 or node.keywords):
        script.add(node, "would make a class at run time", "Write the class itself.", Label.DANGEROUS)
    elif name in ("attrgetter", "methodcaller", "hasattr"):
        _by_name(script, node, name)
    elif name == "basicConfig" and any(entry.arg in (None, "filename", "handlers") for entry in node.keywords):
        script.add(node, "would write a log file", "Leave it out: logging goes to the run's output.")
    elif name == "wraps" and (len(node.args) != 1 or node.keywords):
        script.add(node, "would copy attributes by name (wraps)", "Use wraps(function).", Label.DANGEROUS)
    elif name == "sync":
        _sync(script, node)


def _by_method(script: Script, node: ast.Call, func: ast.Attribute, name: str) -> None:
    if name in table("methods", "file_methods"):
        target = node.args[0] if node.args else keyword(node, "path", "path_or_buf", "excel_writer", "buf")
        if target is not None and not (isinstance(target, ast.Constant) and target.value is None):
            _file(script, node, target)
        if any(entry.arg in (None, "storage_options", "opener") for entry in node.keywords):
            script.add(node, f"calls {name} with options that can't be told", "Name the options.")
    elif name == "joinpath":
        _names_of_files(script, node, node.args)
    elif name in ("with_name", "with_stem", "rename"):
        for argument in node.args:
            text = fold(argument, script.constants)
            if name != "rename" or (isinstance(text, str) and re.search(r"[/\\]|\.\.", text)):
                _file(script, node, argument)
    elif name == "open":
        _open(script, node, None, node.args[:1])
    elif name in table("methods", "dispatch"):
        _dispatch(script, node, name)
    elif name in ("format", "format_map"):
        _template(script, node, func)


def _open(script: Script, node: ast.Call, file: ast.expr | None, mode: list[ast.expr]) -> None:
    if file is not None or isinstance(node.func, ast.Name):
        _file(script, node, file)
    if any(entry.arg in (None, "opener") for entry in node.keywords) or any(
        isinstance(argument, ast.Starred) for argument in node.args
    ):
        script.add(node, "would open a file in an unusual way", 'Use open("name", "w").', Label.DANGEROUS)
    chosen = mode[0] if mode else keyword(node, "mode")
    if chosen is not None and not re.fullmatch(r"[rwax]b?t?\+?b?", str(fold(chosen, script.constants))):
        script.add(node, "would open a file in a mode that can't be told", 'Use "r" or "w".')


def _names_of_files(script: Script, node: ast.Call, arguments: list[ast.expr]) -> None:
    for argument in arguments:
        if not _is_file_object(script, argument):
            _file(script, node, argument)


def _file(script: Script, node: ast.AST, argument: ast.expr | None, depth: int = 4) -> None:
    if argument is not None and _is_file_object(script, argument):
        return
    if isinstance(argument, ast.Name) and depth and (given := script.given(argument.id)):
        for value in given:
            _file(script, node, value, depth - 1)
        return
    if problem := file_name_problem(argument, script.constants):
        script.add(node, *problem, Label.DANGEROUS)


def _is_file_object(script: Script, argument: ast.expr) -> bool:
    """An open file, StringIO or Path, which was judged where it was made."""
    if isinstance(argument, ast.Name):
        values = script.bound.get(argument.id, [])
        return (
            bool(values) and argument.id not in script.constants and all(_makes_file(script, entry) for entry in values)
        )
    return isinstance(argument, ast.Call) and _makes_file(script, argument)


def _makes_file(script: Script, value: ast.expr | None) -> bool:
    if isinstance(value, ast.Call):
        return script.calls(value.func, _MAKES_FILES)
    if isinstance(value, ast.Attribute):
        return value.attr in ("stdout", "stderr")
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Div):
        right = file_name_problem(value.right, script.constants)
        return right is None and (_is_file_object(script, value.left) or _makes_file(script, value.left))
    return False


def _by_name(script: Script, node: ast.Call, name: str) -> None:
    given = node.args[1:] if name == "hasattr" else node.args[:1] if name == "methodcaller" else node.args
    texts = [fold(argument, script.constants) for argument in given]
    if not texts or not all(isinstance(text, str) for text in texts):
        script.add(node, f"would reach attributes by name ({name})", "Write the attribute itself.", Label.DANGEROUS)
    for text in map(str, texts):
        if any(part.startswith("_") or part in table("python", "internals") for part in text.split(".")):
            script.add(node, f"would reach attributes by name ({name})", "Write the attribute itself.", Label.DANGEROUS)
        elif name == "methodcaller" and sounds_like_delete(text):
            script.add(node, f"would delete ({text})", NO_DELETE, Label.DELETE)
        elif name == "methodcaller" and (text not in data_methods() or text in table("methods", "file_methods")):
            script.add(node, f"would call {text}() by name", "Call it by itself.")
        elif name == "attrgetter" and sounds_like_delete(text):
            script.add(node, f"hands on {text}", NO_DELETE, Label.DELETE)


def _dispatch(script: Script, node: ast.Call, name: str) -> None:
    """pandas calls methods by their names here, so each name must be known."""
    everything = name in ("agg", "aggregate")
    given = node.args if everything else node.args[:1]
    given = [*given, *(entry.value for entry in node.keywords if everything or entry.arg in (None, "func", "arg"))]
    refused = table("methods", "forbidden") | table("methods", "file_methods") | table("methods", "dispatch")
    for leaf in (leaf for argument in given for leaf in _leaves(script, argument)):
        text = fold(leaf, script.constants)
        named = text[-1] if everything and isinstance(text, tuple) and text else text
        if isinstance(named, str):
            if named in refused or named in ("query", "plot") or named.startswith(("_", "to_")):
                script.add(node, f"would call {named} by name", "Call it by itself.")
        elif named is None and not _is_function(script, leaf):
            script.add(node, "would call a method whose name can't be told", "Write the names of the methods.")


def _leaves(script: Script, node: ast.expr, depth: int = 5) -> list[ast.expr]:
    """What a list, a dict or a name of one holds."""
    found: list[ast.expr] = [node]
    if isinstance(node, ast.Dict):
        found = node.values
    elif isinstance(node, (ast.List, ast.Set)):
        found = node.elts
    elif isinstance(node, ast.Tuple):
        found = node.elts[1:] if len(node.elts) == 2 else node.elts
    elif isinstance(node, ast.Call) and called_name(node.func) == "NamedAgg":
        found = [*node.args[1:], *(entry.value for entry in node.keywords if entry.arg != "column")]
    elif isinstance(node, ast.Name) and node.id not in script.constants and node.id not in script.functions:
        values = script.bound.get(node.id, [])
        if values and depth:
            found = [value for value in values if value is not None] if None not in values else [node]
    if found == [node] or not depth:
        return [node]
    return [leaf for value in found for leaf in _leaves(script, value, depth - 1)]


def _is_function(script: Script, node: ast.expr) -> bool:
    if isinstance(node, ast.Name):
        known = node.id in script.functions or node.id in script.members
        return known or (node.id not in script.local and node.id in safe_builtins())
    if isinstance(node, ast.Attribute):
        return bool(script.dotted(node.value)) or node.attr in script.methods
    if isinstance(node, ast.Call):
        return called_name(node.func) in ("partial", "itemgetter", "attrgetter")
    return isinstance(node, (ast.Lambda, ast.Constant))


def _template(script: Script, node: ast.Call, func: ast.Attribute) -> None:
    text = fold(func.value, script.constants)
    if not isinstance(text, str):
        script.add(node, "would fill a template that can't be told", "Use an f-string.")
    elif re.search(r"\{[^{}]*[.\[]\s*_|\{[^{}]*\{[^{}]*[.\[]", text):
        script.add(node, "would reach attributes through a template", "Use an f-string.", Label.DANGEROUS)


def _sync(script: Script, node: ast.Call) -> None:
    for entry in node.keywords:
        if entry.arg in table("methods", "sync_arguments"):
            continue
        shown = entry.arg or "**"
        if sounds_like_delete(shown):
            script.add(node, f"would delete records ({shown})", NO_DELETE, Label.DELETE)
        else:
            script.add(node, f"uses sync with {shown}, which is not known", "Use source, target and key.")
    target = _bound(script, keyword(node, "target") or (node.args[1] if len(node.args) > 1 else None))
    several = target.elts if isinstance(target, (ast.List, ast.Tuple)) else [target]
    for place in several:
        script.add(node, f"would add or change records of {_target(script, _bound(script, place))}", "", Label.WRITE)


def _bound(script: Script, node: ast.expr | None) -> ast.expr | None:
    """What a name stands for, where that is certain."""
    if not isinstance(node, ast.Name):
        return node
    values = script.bound.get(node.id, [])
    return values[0] if len(values) == 1 else None


def _target(script: Script, target: ast.expr | None) -> str:
    if not isinstance(target, ast.Call):
        return "a target"
    client = target.args[0] if target.args else keyword(target, "client")
    obj = fold(target.args[1] if len(target.args) > 1 else keyword(target, "object"), script.constants)
    label = script.labels(script.flow.systems(client))
    return f"{obj} in {label}" if isinstance(obj, str) else label
