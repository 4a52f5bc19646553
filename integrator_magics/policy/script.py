"""A parsed script with what its names stand for; findings are gathered here."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from integrator_drivers.manifest import Manifest

from . import modules
from .flow import ClientFlow
from .folding import constants
from .model import Label, Reason

__all__ = ["Script", "called_name", "keyword"]

_OF_TYPES = (ast.Name, ast.Attribute, ast.Subscript, ast.Tuple, ast.List, ast.BinOp, ast.BitOr, ast.Constant, ast.Load)


class Script:
    """`modules`, `members` and `local` say what a name may stand for; a name can be in several."""

    def __init__(self, tree: ast.Module, manifests: Mapping[str, Manifest]) -> None:
        self.tree = tree
        self.manifests = manifests
        self.reasons: list[Reason] = []
        self.allowed = modules.allowed_modules(manifests)
        self.clients = modules.client_names(manifests)
        self.modules: dict[str, set[str]] = {}  # local name -> dotted modules
        self.members: dict[str, set[tuple[str, str]]] = {}  # local name -> (module, member)
        self.local: set[str] = set()
        self.functions: set[str] = set()  # defined here
        self.definitions: list[ast.FunctionDef] = []
        self.loose: set[str] = set()  # bound by loops, unpacking, walrus
        self.classes: set[str] = set()  # defined here
        self.methods: set[str] = set()  # of classes defined here
        self.bound: dict[str, list[ast.expr | None]] = {}  # local name -> what it was bound to; None = anything
        self.called: dict[int, ast.Call] = {}  # id of a callee -> its call
        self.bases: set[int] = set()  # ids of expressions an attribute is taken of
        self.annotations: set[int] = set()  # ids of nodes inside annotations and isinstance(...)
        self.documentation: set[int] = set()  # ids of texts that stand by themselves
        self.constants = constants(tree)
        for node in ast.walk(tree):
            self._look(node)
        named = {
            name: self.clients[pair] for name, pairs in self.members.items() for pair in pairs if pair in self.clients
        }
        dotted = {
            (name, cls): system
            for name, found in self.modules.items()
            for (module, cls), system in self.clients.items()
            if module in found
        }
        self.flow = ClientFlow(tree, named, dotted)

    def add(
        self, node: ast.AST, what: str, instead: str = "", label: Label = Label.UNKNOWN, *, never: bool = False
    ) -> None:
        """Note a finding at the line of a node."""
        self.reasons.append(Reason(getattr(node, "lineno", 1), what, instead, label, never))

    def dotted(self, node: ast.expr) -> set[str]:
        """Modules an expression may name: `datetime`, `urllib.parse`."""
        if isinstance(node, ast.Name):
            return self.modules.get(node.id, set())
        if isinstance(node, ast.Attribute):
            return {f"{module}.{node.attr}" for module in self.dotted(node.value)} & self.allowed
        return set()

    def calls(self, func: ast.expr, wanted: frozenset[str]) -> bool:
        """Whether a callee is one of these functions, also under another imported name."""
        name = called_name(func)
        imported = {member for _, member in self.members.get(name, set())} if isinstance(func, ast.Name) else set()
        return bool(({name} | imported) & wanted)

    def handed_on(self, node: ast.expr) -> bool:
        """The expression is neither called nor a part of an annotation."""
        return id(node) not in self.called and id(node) not in self.annotations

    def given(self, name: str) -> list[ast.expr]:
        """Everything a parameter of one function is ever given; empty when that can't be told."""
        if self.bound.get(name) != [None] or name in self.loose:
            return []
        owners = [node for node in self.definitions if name in {entry.arg for entry in _positional(node.args)}]
        if len(owners) != 1 or owners[0].decorator_list or not self._only_called(owners[0].name):
            return []
        owner = owners[0]
        order = [entry.arg for entry in _positional(owner.args)]
        place = order.index(name)
        missing = len(order) - len(owner.args.defaults)
        default = owner.args.defaults[place - missing] if place >= missing else None
        found: list[ast.expr] = []
        for call in self.called.values():
            if not (isinstance(call.func, ast.Name) and call.func.id == owner.name):
                continue
            if any(isinstance(entry, ast.Starred) for entry in call.args) or any(k.arg is None for k in call.keywords):
                return []
            value = call.args[place] if len(call.args) > place else keyword(call, name) or default
            if value is None:
                return []
            found.append(value)
        return found

    def _only_called(self, function: str) -> bool:
        loads = [n for n in ast.walk(self.tree) if isinstance(n, ast.Name) and n.id == function]
        return self.bound.get(function) == [None] and all(id(node) in self.called for node in loads)

    def labels(self, systems: set[str]) -> str:
        """Systems in words."""
        return " or ".join(self.manifests[system].label for system in sorted(systems)) or "a system"

    def used_systems(self) -> set[str]:
        """Drivers the script imports."""
        used = {module for found in self.modules.values() for module in found}
        used |= {module for pairs in self.members.values() for module, _ in pairs}
        by_module = modules.driver_modules(self.manifests)
        return {by_module[module] for module in used if module in by_module}

    def _look(self, node: ast.AST) -> None:
        match node:
            case ast.Import(names=names):
                for alias in names:
                    local = alias.asname or alias.name.partition(".")[0]
                    self.modules.setdefault(local, set()).add(alias.name if alias.asname else local)
            case ast.ImportFrom(module=module, names=names):
                for alias in names:
                    local, whole = alias.asname or alias.name, f"{module}.{alias.name}"
                    if whole in self.allowed and not node.level:
                        self.modules.setdefault(local, set()).add(whole)
                    else:
                        self.members.setdefault(local, set()).add((module or "", alias.name))
            case ast.Call(func=func):
                self.called[id(func)] = node
                if called_name(func) == "isinstance":
                    for argument in node.args[1:]:
                        self._annotated(argument)
            case ast.Attribute(value=value):
                self.bases.add(id(value))
            case ast.Expr(value=ast.Constant() as text):
                self.documentation.add(id(text))
            case ast.FunctionDef(name=name, returns=returns):
                self._bind(name, None)
                self.functions.add(name)
                self.definitions.append(node)
                self._annotated(returns)
            case ast.ClassDef(name=name, body=body):
                self._bind(name, None)
                self.classes.add(name)
                self.methods |= {entry.name for entry in body if isinstance(entry, ast.FunctionDef)}
            case ast.arg(arg=name, annotation=annotation):
                self._bind(name, None)
                self._annotated(annotation)
            case ast.AnnAssign(annotation=annotation):
                self._annotated(annotation)
                if isinstance(node.target, ast.Name):
                    self._bind(node.target.id, node.value)
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    if isinstance(target, ast.Name):
                        self._bind(target.id, value)
            case ast.withitem(context_expr=value, optional_vars=ast.Name(id=name)):
                self._bind(name, value)
            case ast.AugAssign(target=ast.Name(id=name), value=value):
                self._bind(name, value)
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                self._bind(name, None)
            case ast.MatchMapping(rest=str(name)):
                self._bind(name, None)
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                self.local.add(name)
        for loose in _loose_targets(node):
            self._bind(loose, None)
            self.loose.add(loose)

    def _bind(self, name: str, value: ast.expr | None) -> None:
        self.local.add(name)
        self.bound.setdefault(name, []).append(value)

    def _annotated(self, annotation: ast.expr | None) -> None:
        if annotation is not None and all(isinstance(inner, _OF_TYPES) for inner in ast.walk(annotation)):
            self.annotations |= {id(inner) for inner in ast.walk(annotation)}


def _positional(signature: ast.arguments) -> list[ast.arg]:
    return [*signature.posonlyargs, *signature.args]


def called_name(node: ast.expr) -> str:
    """The last name of what is called, "" without one."""
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def keyword(call: ast.Call, *wanted: str) -> ast.expr | None:
    """The value of the first keyword argument with one of these names."""
    return next((entry.value for entry in call.keywords if entry.arg in wanted), None)


def _loose_targets(node: ast.AST) -> Iterator[str]:
    """Names bound by loops, unpacking and walrus: to anything."""
    found: list[ast.expr] = []
    if isinstance(node, (ast.For, ast.comprehension, ast.NamedExpr)):
        found = [node.target]
    elif isinstance(node, ast.Assign):
        found = [target for target in node.targets if not isinstance(target, (ast.Name, ast.Attribute, ast.Subscript))]
    elif isinstance(node, ast.withitem) and node.optional_vars and not isinstance(node.optional_vars, ast.Name):
        found = [node.optional_vars]
    for target in found:
        for inner in ast.walk(target):
            if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                yield inner.id
