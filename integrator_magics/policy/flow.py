"""Where a script's driver clients go: every name that may hold one, however it got there.

Flow-insensitive and generous: a name that once may hold a client counts as one everywhere.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from .names import CLIENT_WRITES
from .tables import table

__all__ = ["ClientFlow"]

_PASSES = 100


class ClientFlow:
    """`systems(expression)` = the drivers whose client the expression may be or hold."""

    def __init__(self, tree: ast.Module, classes: Mapping[str, str], dotted: Mapping[tuple[str, str], str]) -> None:
        self._classes = classes  # local name of a client class -> system
        self._dotted = dotted  # (local module name, class) -> system
        self._names: dict[str, set[str]] = {}
        self._attributes: dict[str, set[str]] = {}
        self._returns: dict[str, set[str]] = {}
        self._functions: dict[str, list[ast.arguments]] = {}
        self._fields: dict[str, list[str]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                self._functions.setdefault(node.name, []).append(node.args)
            elif isinstance(node, ast.ClassDef):
                self._fields[node.name] = [
                    entry.target.id
                    for entry in node.body
                    if isinstance(entry, ast.AnnAssign) and isinstance(entry.target, ast.Name)
                ]
        self._known: dict[int, set[str]] = {}  # within one pass
        for _ in range(_PASSES):
            before = self._size()
            self._known = {}
            self._pass(tree)
            if self._size() == before:
                return
        raise ValueError("names are handed on too often")

    def systems(self, node: ast.expr | None) -> set[str]:
        """Drivers whose client this may be, or hold."""
        if node is None:
            return set()
        if id(node) not in self._known:
            self._known[id(node)] = self._systems(node)
        return self._known[id(node)]

    def _systems(self, node: ast.expr) -> set[str]:
        match node:
            case ast.Constant() | ast.Compare() | ast.JoinedStr() | ast.UnaryOp():
                return set()
            case ast.Name(id=name):
                return set(self._names.get(name, ()))
            case ast.Attribute(value=value, attr=attr):
                return (
                    self._attributes.get(attr, set())
                    | self._returns.get(attr, set())
                    | (set() if attr in _methods() else self._held(value) if not self._is_client(value) else set())
                )
            case ast.Call():
                return self._call(node)
            case ast.Lambda(body=body):
                return self.systems(body)
        return self._held(node)

    def made(self, node: ast.expr) -> str | None:
        """The driver whose client class this names."""
        if isinstance(node, ast.Name):
            return self._classes.get(node.id)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            return self._dotted.get((node.value.id, node.attr))
        return None

    def _held(self, node: ast.AST) -> set[str]:
        found: set[str] = set()
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                found |= self.systems(child)
            elif isinstance(child, (ast.keyword, ast.comprehension)):
                found |= self._held(child)
        return found if not isinstance(node, ast.Name) else self.systems(node)

    def _is_client(self, node: ast.expr) -> bool:
        return isinstance(node, (ast.Name, ast.Call, ast.Attribute)) and bool(self.systems(node))

    def _call(self, node: ast.Call) -> set[str]:
        if system := self.made(node.func):
            return {system}
        arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
        held: set[str] = set()
        for argument in arguments:
            held |= self.systems(argument)
        if isinstance(node.func, ast.Name):
            name = node.func.id
            if name in table("methods", "takes_clients"):
                return set()
            if name in self._functions:
                return self._returns.get(name, set())
            return held | self._names.get(name, set())
        if isinstance(node.func, ast.Attribute):
            if node.func.attr in _methods() or node.func.attr in table("methods", "takes_clients"):
                return set()
            return held | self.systems(node.func.value) | self._returns.get(node.func.attr, set())
        return held | self.systems(node.func)

    def _size(self) -> int:
        return sum(len(found) for table in (self._names, self._attributes, self._returns) for found in table.values())

    def _pass(self, tree: ast.Module) -> None:
        self._scope(tree.body, None)
        for node in ast.walk(tree):
            match node:
                case ast.Assign(targets=targets, value=value):
                    for target in targets:
                        self._bind(target, self.systems(value))
                case ast.AnnAssign(target=target, value=value, annotation=annotation):
                    self._bind(target, self.systems(value) | self._named(annotation))
                case ast.AugAssign(target=target, value=value) | ast.NamedExpr(target=target, value=value):
                    self._bind(target, self.systems(value))
                case ast.For(target=target, iter=value) | ast.comprehension(target=target, iter=value):
                    self._bind(target, self.systems(value))
                case ast.withitem(context_expr=value, optional_vars=ast.expr() as target):
                    self._bind(target, self.systems(value))
                case ast.arg(arg=name, annotation=annotation):
                    self._add(self._names, name, self._named(annotation))
                case ast.Match(subject=value, cases=cases):
                    for name in _captured(cases):
                        self._add(self._names, name, self.systems(value))
                case ast.Call():
                    self._pass_arguments(node)

    def _scope(self, body: list[ast.stmt], function: str | None) -> None:
        for statement in body:
            for node in _own(statement):
                if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                    name = node.name if isinstance(node, ast.FunctionDef) else function
                    self._scope(node.body, name)
                elif isinstance(node, (ast.Return, ast.Yield, ast.YieldFrom)) and function and node.value is not None:
                    self._add(self._returns, function, self.systems(node.value))

    def _pass_arguments(self, node: ast.Call) -> None:
        every: set[str] = set()
        for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
            every |= self.systems(argument)
        if not every:
            return
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        known = [*self._functions.get(name, []), *(self._functions.get("__init__", []) if name in self._fields else [])]
        for signature in known:
            for parameter in _parameters(signature):
                if parameter.arg not in ("self", "cls"):
                    self._add(self._names, parameter.arg, every)
        for field in self._fields.get(name, ()):
            self._add(self._attributes, field, every)
        if name not in table("methods", "takes_clients") and name not in _methods():
            for argument in node.args:  # map(f, clients), partial(f, client), pipe(f, client)
                if isinstance(argument, (ast.Name, ast.Lambda)):
                    signatures = (
                        [argument.args] if isinstance(argument, ast.Lambda) else self._functions.get(argument.id, [])
                    )
                    for signature in signatures:
                        for parameter in _parameters(signature):
                            self._add(self._names, parameter.arg, every)
            if isinstance(node.func, ast.Attribute):  # things.append(client)
                self._bind(node.func.value, every)

    def _named(self, annotation: ast.expr | None) -> set[str]:
        if annotation is None:
            return set()
        found = {system for node in ast.walk(annotation) if isinstance(node, ast.expr) and (system := self.made(node))}
        if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
            found |= {system for name, system in self._classes.items() if name in annotation.value}
        return found

    def _bind(self, target: ast.expr, found: set[str]) -> None:
        match target:
            case ast.Name(id=name):
                self._add(self._names, name, found)
            case ast.Attribute(attr=attr):
                self._add(self._attributes, attr, found)
            case ast.Tuple(elts=elts) | ast.List(elts=elts):
                for entry in elts:
                    self._bind(entry, found)
            case ast.Starred(value=value) | ast.Subscript(value=value):
                self._bind(value, found)

    @staticmethod
    def _add(table: dict[str, set[str]], name: str, found: set[str]) -> None:
        if found:
            table.setdefault(name, set()).update(found)


def _parameters(signature: ast.arguments) -> list[ast.arg]:
    rest = [entry for entry in (signature.vararg, signature.kwarg) if entry]
    return [*signature.posonlyargs, *signature.args, *signature.kwonlyargs, *rest]


def _captured(cases: list[ast.match_case]) -> Iterator[str]:
    for case in cases:
        for node in ast.walk(case.pattern):
            if isinstance(node, (ast.MatchAs, ast.MatchStar)) and node.name:
                yield node.name


def _own(statement: ast.stmt) -> Iterator[ast.AST]:
    """Nodes of a statement down to, and including, nested definitions."""
    stack: list[ast.AST] = [statement]
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Lambda)):
            stack.extend(ast.iter_child_nodes(node))


def _methods() -> frozenset[str]:
    """Methods of clients: what they give back is no client."""
    return table("methods", "client_reads") | frozenset(CLIENT_WRITES)
