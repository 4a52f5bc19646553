"""A Python script by its syntax tree: only what is known to be harmless passes, and each finding says why.

This explains and filters; the wall is the broker, the sandbox and the role's rights.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Mapping

from integrator_drivers import registry
from integrator_drivers.manifest import Manifest

from ..credentials import find_format
from . import modules, names
from .arguments import judge_call, judge_path_join
from .attributes import judge_attribute
from .model import Classification, Label, Reason, summed
from .script import Script
from .tables import table
from .text import unreadable

__all__ = ["classify_python", "imports"]

_LIMIT = 200_000  # characters
_SECRET_NAME = re.compile(r"(?i)(?:^|_)(?:pass(?:word|wd|phrase)?|pwd|secret|token|api_?key|access_?key|private_?key)$")
_FROM_ENV = "The client reads it from .env by itself."
_BUILTINS = {
    "eval": "Write the expression itself.",
    "exec": "Write the statements themselves.",
    "getattr": 'Use record["name"] or the attribute itself.',
    "__import__": "Use import at the top.",
    "input": "A script runs unattended; put the value into it.",
}


def classify_python(source: str, manifests: Mapping[str, Manifest] | None = None) -> Classification:
    """Label a script, name the systems it talks to, and give a reason for everything but plain reading."""
    if found := unreadable(source):
        return summed(found)
    if len(source) > _LIMIT:
        return summed([Reason(1, "is longer than a script may be", "Split it.")])
    try:
        script = Script(_parsed(source), registry.manifests() if manifests is None else manifests)
        for node in ast.walk(script.tree):
            _judge(script, node)
    except SyntaxError as exc:
        return summed([Reason(exc.lineno or 1, f"is no valid Python ({exc.msg})", "Correct that line.")])
    except (RecursionError, MemoryError, ValueError) as exc:
        return summed([Reason(1, f"can't be analysed ({type(exc).__name__})", "Write it more simply.")])
    return summed(script.reasons, script.used_systems())


def imports(source: str, manifests: Mapping[str, Manifest] | None = None) -> set[str]:
    """Names of the drivers a script imports; empty when it can't be parsed."""
    by_module = modules.driver_modules(registry.manifests() if manifests is None else manifests)
    try:
        tree = _parsed(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return {by_module[module] for module in found if module in by_module}


def _parsed(source: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source)


def _judge(script: Script, node: ast.AST) -> None:
    kind = type(node).__name__
    if kind not in table("python", "nodes"):
        script.add(node, f"uses {kind}, which scripts here do not need", "Write it as plain functions and loops.")
    match node:
        case ast.Import() | ast.ImportFrom():
            _import(script, node)
        case ast.Name():
            _name(script, node)
        case ast.Attribute():
            judge_attribute(script, node)
        case ast.Call():
            judge_call(script, node)
        case ast.BinOp(op=ast.Div()):
            judge_path_join(script, node)
        case ast.FunctionDef(name=name):
            _defined(script, node, name, table("python", "dunder_methods"))
        case ast.arg(arg=name):
            _defined(script, node, name)
        case ast.ClassDef():
            _class(script, node)
        case ast.Constant(value=str() | bytes()):
            _literal(script, node)
        case ast.Assign(targets=targets, value=ast.Constant(value=str(text))):
            for target in targets:
                _named_secret(script, node, getattr(target, "id", getattr(target, "attr", "")), text)
        case ast.keyword(arg=str(name), value=ast.Constant(value=str(text))):
            _named_secret(script, node, name, text)
        case ast.Delete(targets=targets):
            if any(isinstance(target, ast.Attribute) for target in targets):
                script.add(node, "would take an attribute away", "Leave it out.")


def _import(script: Script, node: ast.Import | ast.ImportFrom) -> None:
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.name not in script.allowed:
                _import_refused(script, node, alias.name)
        return
    module = node.module or ""
    for alias in node.names:
        if node.level:
            _import_refused(script, node, "." * node.level + module)
        elif f"{module}.{alias.name}" in script.allowed:
            continue
        elif module not in script.allowed:
            _import_refused(script, node, module)
        elif not modules.member_allowed(module, alias.name, script.manifests):
            what = f"would use {module}.{alias.name}, which scripts here may not use"
            script.add(node, what, modules.why_not(module), Label.DANGEROUS)


def _import_refused(script: Script, node: ast.AST, module: str) -> None:
    script.add(node, f"would import {module}, which scripts here may not use", modules.why_not(module), Label.DANGEROUS)


def _name(script: Script, node: ast.Name) -> None:
    name = node.id
    if name.startswith("__") and name not in table("python", "dunder_names"):
        script.add(node, f"would use {name}, a part of the interpreter", "Leave it out.", Label.DANGEROUS)
    if not isinstance(node.ctx, ast.Load):
        if name in script.modules or name in script.members:
            script.add(node, f"gives the imported name {name} another meaning", "Use another name.")
        return
    if name in script.modules:
        if id(node) not in script.bases:
            script.add(node, f"hands on the module {name}", "Use its functions where they stand.", Label.DANGEROUS)
    elif name in script.members:
        if any(member in table("python", "only_called") for _, member in script.members[name]):
            _only_called(script, node, name)
    elif name not in script.local and name not in table("python", "dunder_names"):
        if name not in names.safe_builtins():
            instead = _BUILTINS.get(name, "")
            script.add(node, f"would use {name}, which scripts here may not use", instead, Label.DANGEROUS)
        elif name in table("python", "only_called"):
            _only_called(script, node, name)


def _only_called(script: Script, node: ast.Name, name: str) -> None:
    if script.handed_on(node) and id(node) not in script.bases:
        script.add(node, f"hands on {name}", "Call it where it is needed.")


def _defined(script: Script, node: ast.AST, name: str, dunders: frozenset[str] = frozenset()) -> None:
    if name.startswith("__") and name not in dunders:
        script.add(node, f"would define {name}, a part of the interpreter", "Use a plain name.", Label.DANGEROUS)
    if name in script.modules or name in script.members:
        script.add(node, f"gives the imported name {name} another meaning", "Use another name.")


def _class(script: Script, node: ast.ClassDef) -> None:
    _defined(script, node, node.name)
    if node.keywords and any(entry.arg != "total" for entry in node.keywords):
        script.add(node, "defines a class in an unusual way", "Use a plain class or a dataclass.")
    for base in node.bases:
        if script.flow.made(base):
            script.add(base, "would change a driver's client", "Use the client as it is.", Label.DANGEROUS)


def _literal(script: Script, node: ast.Constant) -> None:
    text = node.value if isinstance(node.value, str) else bytes(node.value).decode("latin-1")  # type: ignore[arg-type]
    if len(text) >= 12 and id(node) not in script.documentation and (said := find_format(text)):
        script.add(node, f"holds what looks like {said}", _FROM_ENV, Label.DANGEROUS)


def _named_secret(script: Script, node: ast.AST, name: str, text: str) -> None:
    if text and _SECRET_NAME.search(name):
        script.add(node, f"holds a secret in {name}", _FROM_ENV, Label.DANGEROUS)
