"""A Python script by its syntax tree: only what is known to be harmless passes, and each finding says why.

This explains and filters; the wall is the broker, the sandbox and the role's rights.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Mapping
from dataclasses import replace

from integrator_drivers import registry
from integrator_drivers.manifest import Manifest

from ..credentials import find_format
from . import modules, names
from .calls import Calls
from .flow import ClientFlow
from .folding import constants
from .model import Classification, Label, Reason, summed
from .text import unreadable

__all__ = ["classify_python", "imports"]

_LIMIT = 200_000  # characters
_NODES = frozenset(
    "Module FunctionDef ClassDef Return Delete Assign AugAssign AnnAssign For While If With Match Raise Try TryStar Assert"
    " Import ImportFrom Global Nonlocal Expr Pass Break Continue BoolOp NamedExpr BinOp UnaryOp Lambda IfExp Dict Set"
    " ListComp SetComp DictComp GeneratorExp Yield YieldFrom Compare Call FormattedValue JoinedStr Constant Attribute"
    " Subscript Starred Name List Tuple Slice Load Store Del And Or Add Sub Mult MatMult Div Mod Pow LShift RShift BitOr"
    " BitXor BitAnd FloorDiv Invert Not UAdd USub Eq NotEq Lt LtE Gt GtE Is IsNot In NotIn comprehension ExceptHandler"
    " arguments arg keyword alias withitem match_case MatchValue MatchSingleton MatchSequence MatchMapping MatchStar MatchAs"
    " MatchOr TypeAlias TypeVar".split()
)
_SECRET_NAME = re.compile(r"(?i)(?:^|_)(?:pass(?:word|wd|phrase)?|pwd|secret|token|api_?key|access_?key|private_?key)$")


def classify_python(source: str, manifests: Mapping[str, Manifest] | None = None) -> Classification:
    """Label a script, name the systems it talks to, and give a reason for everything but plain reading."""
    if found := unreadable(source):
        return summed(found)
    if len(source) > _LIMIT:
        return summed([Reason(1, "is longer than a script may be", "Split it.")])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
        return _Script(tree, registry.manifests() if manifests is None else manifests).classified()
    except SyntaxError as exc:
        return summed([Reason(exc.lineno or 1, f"is no valid Python ({exc.msg})", "Correct that line.")])
    except (RecursionError, MemoryError, ValueError) as exc:
        return summed([Reason(1, f"can't be analysed ({type(exc).__name__})", "Write it more simply.")])


def imports(source: str, manifests: Mapping[str, Manifest] | None = None) -> set[str]:
    """Names of the drivers a script imports; empty when it can't be parsed."""
    known = registry.manifests() if manifests is None else manifests
    by_module = {entry.client.partition(":")[0]: name for name, entry in known.items()}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return {by_module[module] for module in found if module in by_module}


class _Script:
    """One script under examination."""

    def __init__(self, tree: ast.Module, manifests: Mapping[str, Manifest]) -> None:
        self.tree = tree
        self.manifests = manifests
        self.reasons: list[Reason] = []
        self.modules: dict[str, set[str]] = {}  # local name -> dotted modules
        self.members: dict[str, set[tuple[str, str]]] = {}  # local name -> (module, member)
        self.local: set[str] = set()
        self.methods: set[str] = set()
        self.classes: set[str] = set()
        self.constants = constants(tree)

    def classified(self) -> Classification:
        self._bindings()
        clients = modules.client_names(self.manifests)
        named = {name: clients[pair] for name, pairs in self.members.items() for pair in pairs if pair in clients}
        dotted = {
            (name, cls): system
            for name, found in self.modules.items()
            for (module, cls), system in clients.items()
            if module in found
        }
        self.flow = ClientFlow(self.tree, named, dotted)
        self.calls = Calls(self)
        for node in ast.walk(self.tree):
            self._node(node)
        by_module = {entry.client.partition(":")[0]: name for name, entry in self.manifests.items()}
        used = {module for found in self.modules.values() for module in found} | {
            module for pairs in self.members.values() for module, _ in pairs
        }
        return summed(self.reasons, {by_module[module] for module in used if module in by_module})

    def add(self, node: ast.AST, what: str, instead: str = "", label: Label = Label.UNKNOWN) -> None:
        self.reasons.append(Reason(getattr(node, "lineno", 1), what, instead, label))

    def dotted(self, node: ast.expr) -> set[str]:
        """Modules an expression may name: `datetime`, `urllib.parse`."""
        if isinstance(node, ast.Name):
            return self.modules.get(node.id, set())
        if isinstance(node, ast.Attribute):
            return {
                f"{module}.{node.attr}"
                for module in self.dotted(node.value)
                if f"{module}.{node.attr}" in modules.allowed_modules(self.manifests)
            }
        return set()

    def _bindings(self) -> None:
        allowed = modules.allowed_modules(self.manifests)
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    if alias.name not in allowed:
                        self._refused_import(node, alias.name)
                    local = alias.asname or alias.name.partition(".")[0]
                    self.modules.setdefault(local, set()).add(alias.name if alias.asname else local)
            elif isinstance(node, ast.ImportFrom):
                self._import_from(node, allowed)
            elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                self.local.add(node.name)
                if isinstance(node, ast.ClassDef):
                    self.classes.add(node.name)
                    self.methods |= {entry.name for entry in node.body if isinstance(entry, ast.FunctionDef)}
            elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                self.local.add(node.id)
            elif isinstance(node, ast.arg):
                self.local.add(node.arg)
            elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
                self.local.add(node.name)
            elif isinstance(node, ast.MatchMapping) and node.rest:
                self.local.add(node.rest)

    def _import_from(self, node: ast.ImportFrom, allowed: set[str]) -> None:
        module = node.module or ""
        if node.level or module not in allowed:
            parts = {f"{module}.{alias.name}" for alias in node.names}
            if not node.level and parts <= allowed:
                for alias in node.names:
                    self.modules.setdefault(alias.asname or alias.name, set()).add(f"{module}.{alias.name}")
                return
            self._refused_import(node, "." * node.level + module)
            self.local |= {alias.asname or alias.name for alias in node.names}
            return
        for alias in node.names:
            local = alias.asname or alias.name
            if f"{module}.{alias.name}" in allowed:
                self.modules.setdefault(local, set()).add(f"{module}.{alias.name}")
                continue
            self.members.setdefault(local, set()).add((module, alias.name))
            if not modules.member_allowed(module, alias.name, self.manifests):
                self.member_refused(node, module, alias.name)

    def _refused_import(self, node: ast.AST, module: str) -> None:
        self.add(
            node, f"would import {module}, which scripts here may not use", modules.why_not(module), Label.DANGEROUS
        )

    def member_refused(self, node: ast.AST, module: str, name: str) -> None:
        self.add(
            node, f"would use {module}.{name}, which scripts here may not use", modules.why_not(module), Label.DANGEROUS
        )

    def _node(self, node: ast.AST) -> None:
        kind = type(node).__name__
        if kind not in _NODES:
            self.add(node, f"uses {kind}, which scripts here do not need", "Write it as plain functions and loops.")
        match node:
            case ast.Name():
                self._name(node)
            case ast.Attribute():
                self.calls.attribute(node)
            case ast.Call():
                self.calls.call(node)
            case ast.FunctionDef(name=name):
                self._spelled(node, name, definition=True)
            case ast.ClassDef(name=name):
                self._class(node, name)
            case ast.arg(arg=name):
                self._spelled(node, name)
            case ast.MatchClass():
                self.add(node, "matches by class, which reads attributes by name", "Use isinstance and plain access.")
            case ast.Constant(value=str(text)):
                if len(text) >= 12 and (said := find_format(text)) and not self._is_docstring(node):
                    self.add(node, f"holds what looks like {said}", "The client reads it from .env by itself.")
            case ast.Assign(targets=targets, value=ast.Constant(value=str(text))):
                for target in targets:
                    written = getattr(target, "id", getattr(target, "attr", ""))
                    if text and _SECRET_NAME.search(written):
                        self.add(node, f"holds a secret in {written}", "The client reads it from .env by itself.")
            case ast.keyword(arg=str(name), value=ast.Constant(value=str(text))):
                if text and _SECRET_NAME.search(name):
                    self.add(node, f"holds a secret in {name}", "The client reads it from .env by itself.")

    def _is_docstring(self, node: ast.Constant) -> bool:
        return False

    def _name(self, node: ast.Name) -> None:
        name = node.id
        if name.startswith("__") and name not in names.DUNDER_NAMES:
            self.add(node, f"would use {name}, a part of the interpreter", "Leave it out.", Label.DANGEROUS)
        if not isinstance(node.ctx, ast.Load):
            if name in self.modules or name in self.members:
                self.add(node, f"gives the imported name {name} another meaning", "Use another name.")
            return
        if name in self.local or name in self.modules or name in self.members or name in names.DUNDER_NAMES:
            return
        if name not in names.safe_builtins():
            self.add(
                node, f"would call {name}, which scripts here may not use", _BUILTINS.get(name, ""), Label.DANGEROUS
            )

    def _spelled(self, node: ast.AST, name: str, *, definition: bool = False) -> None:
        allowed = names.DUNDER_METHODS if definition else frozenset()
        if name.startswith("__") and name not in allowed:
            self.add(node, f"would define {name}, a part of the interpreter", "Use a plain name.", Label.DANGEROUS)
        if name in self.modules or name in self.members:
            self.add(node, f"gives the imported name {name} another meaning", "Use another name.")

    def _class(self, node: ast.ClassDef, name: str) -> None:
        self._spelled(node, name)
        if node.keywords:
            self.add(node, "defines a class in an unusual way", "Use a plain class or a dataclass.")
        for base in node.bases:
            if self.flow.made(base):
                self.add(base, "would change a driver's client", "Use the client as it is.", Label.DANGEROUS)


_BUILTINS = {
    "eval": "Write the expression itself.",
    "exec": "Write the statements themselves.",
    "getattr": 'Use record["name"] or the attribute itself.',
    "__import__": "Use import at the top.",
    "input": "A script runs unattended; put the value into it.",
}

_ = replace
