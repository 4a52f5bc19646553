"""Credentials that a script spells out: as they stand, put together from pieces, or coded."""

from __future__ import annotations

import ast
import base64
import binascii
import io
import tokenize
from collections.abc import Callable, Iterator, Mapping

from ..errors import SecretInText
from .folding import constants, fold

__all__ = ["require_no_secret", "secret_in"]

Find = Callable[[str], str | None]


def require_no_secret(code: str, find: Find) -> None:
    """Raises SecretInText where a script holds a credential; `find` says what kind of secret a text holds."""
    if found := secret_in(code, find):
        line, kind = found
        where = f"Line {line} of the script" if line else "The script"
        raise SecretInText(
            f"{where} holds what looks like a credential ({kind}), so it was neither run nor stored.",
            "Take it out: drivers read their variables from .env by themselves, `%connect SYSTEM` puts them there.",
        )


def secret_in(code: str, find: Find) -> tuple[int, str] | None:
    """Line and kind of the first credential in a script, None without one. Line 0: somewhere in its text."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError):
        kind = find(code)
        return (0, kind) if kind else None
    names = constants(tree)
    for line, text in _texts(tree, names):
        if kind := find(text):
            return line, kind
    for number, text in _comments(code):
        if kind := find(text):
            return number, kind
    return None


def _comments(code: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def _texts(tree: ast.AST, names: Mapping[str, object]) -> Iterator[tuple[int, str]]:
    """Every text a script makes of constants, with the name it gets, as `name = "text"`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.expr) and (text := _text(node, names)) is not None and len(text) > 3:
            yield node.lineno, text
        for name, value in _named(node):
            if (text := _text(value, names)) is not None and not isinstance(value, ast.Name):
                # A dict may map one name to another; a value under a secret's name must look made up.
                yield value.lineno, f"{name}: {text}" if isinstance(node, ast.Dict) else f'{name} = "{text}"'


def _named(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    match node:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                yield from ((name, value) for name in _names_of(target))
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            yield from ((name, value) for name in _names_of(target))
        case ast.keyword(arg=str(name), value=value):
            yield name, value
        case ast.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield key.value, value


def _names_of(target: ast.expr) -> Iterator[str]:
    match target:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            yield name
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            yield name


def _text(node: ast.expr, names: Mapping[str, object]) -> str | None:
    value = fold(node, names)
    if value is None:
        value = _decoded(node, names)
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return value if isinstance(value, str) else None


def _decoded(node: ast.expr, names: Mapping[str, object]) -> object:
    """What base64, hex, encode, decode and a reversal make of a constant."""
    match node:
        case ast.Call(func=ast.Attribute(attr="decode" | "encode" | "strip", value=inner)):
            return _text(inner, names)
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[inner, *_]):
            text = _text(inner, names)
            return None if text is None else _plain(name, text)
        case ast.Subscript(
            value=inner, slice=ast.Slice(lower=None, upper=None, step=ast.UnaryOp(ast.USub(), ast.Constant(value=1)))
        ):
            text = _text(inner, names)
            return None if text is None else text[::-1]
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            one, two = _text(left, names), _text(right, names)
            return None if one is None or two is None else one + two
    return None


def _plain(name: str, text: str) -> object:
    try:
        if name in ("b64decode", "urlsafe_b64decode", "standard_b64decode"):
            return base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4))
        if name in ("fromhex", "unhexlify"):
            return bytes.fromhex(text)
        if name == "reversed":
            return text[::-1]
    except (ValueError, binascii.Error):
        return None
    return text if name in ("str", "bytes") else None
