"""Names of files a script may write: relative, inside its own folder, told by the text of the script."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

from .folding import fold

__all__ = ["HOLE", "file_name_problem"]

HOLE = "\ufffc"  # a part that is filled in at run time
_INSTEAD = 'Use a plain relative name such as "leads.csv".'


def file_name_problem(node: ast.expr | None, names: Mapping[str, object]) -> tuple[str, str] | None:
    """(what, instead) when this is no plain relative file name; None when it is."""
    if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in ("Path", "PurePath"):
        for argument in node.args:
            if problem := file_name_problem(argument, names):
                return problem
        return None if node.args else ("would use the current folder as a file", _INSTEAD)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return file_name_problem(node.left, names) or file_name_problem(node.right, names)
    text = fold(node, names, hole=HOLE)
    if not isinstance(text, str) or not text.strip(HOLE):
        return "would use a file whose name can't be told from the script", _INSTEAD
    if text.startswith(("/", "\\", "~", HOLE)) or re.match(r"[A-Za-z]:|[A-Za-z][\w+.-]*://", text):
        return f"would use a file outside its own folder ({_shown(text)})", _INSTEAD
    if ".." in re.split(r"[/\\]", text) or re.search(rf"(?:^|[/\\.]){HOLE}|{HOLE}[/\\]\.\.", text):
        return f"would use a file outside its own folder ({_shown(text)})", _INSTEAD
    parts = re.split(r"[/\\]", text)
    if any(part.startswith(".") and part != "." for part in parts) or "\0" in text:
        return f"would use a hidden file ({_shown(text)})", _INSTEAD
    if parts[-1].lower().endswith((".py", ".pth", ".ipynb", ".so", ".sh", ".pyc", ".toml", ".cfg", ".ini")):
        return f"would write a file that programs act on ({_shown(text)})", _INSTEAD
    return None


def _shown(text: str) -> str:
    return text.replace(HOLE, "...")[:80]
