"""Request targets that every server reads the same way; everything else is refused."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote_to_bytes

from .refusal import Refused

__all__ = ["plain_path", "plain_query", "template"]

_CHARACTERS = re.compile(r"[A-Za-z0-9\-._~!$&'()*+,=:@%/ ]*")
_ESCAPES = re.compile(r"%(?![0-9A-Fa-f]{2})")
# Parameters that some servers take as another method, or as a credential of their own.
_NEVER = frozenset(
    {
        *("_httpmethod", "_method", "http_method", "x-http-method-override", "method_override", "access_token"),
        *("oauth_token", "hapikey", "sid", "api_key", "apikey"),
    }
)
_ID = re.compile(
    r"\d{2,}|(?=[A-Za-z]*\d)[A-Za-z0-9]{15,}(?:-\d+)?|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|.*[%@ ].*"
)


def plain_path(target: str) -> str:
    """The decoded path of a target, without a slash at its end. Raises Refused where servers could disagree."""
    raw = target.partition("?")[0]
    if not raw.startswith("/") or "#" in target:
        raise Refused("The address of the request is not plain.", status=400)
    if _ESCAPES.search(target):
        raise Refused("The address of the request has a broken escape in it.", status=400)
    try:
        path = unquote_to_bytes(raw).decode("utf-8")
    except UnicodeDecodeError as exc:
        raise Refused("The address of the request is not in UTF-8.", status=400) from exc
    hidden = path.count("/") != raw.count("/") or path.count(".") != raw.count(".")
    if hidden or any(char in path for char in "%\\;?#") or not path.isprintable() or not _CHARACTERS.fullmatch(raw):
        raise Refused("The address of the request can be read in more than one way.", status=400)
    path = path.removesuffix("/") if path != "/" else path
    if path != "/" and any(part in ("", ".", "..") for part in path.split("/")[1:]):
        raise Refused("The address of the request can be read in more than one way.", status=400)
    return path


def plain_query(target: str) -> dict[str, str]:
    """The parameters of a target. Raises Refused for repeated ones, and what stands for a method or a credential."""
    text = target.partition("?")[2]
    try:
        pairs = parse_qsl(text, keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=1_000)
    except ValueError as exc:
        raise Refused("The parameters of the request can't be read.", status=400) from exc
    found: dict[str, str] = {}
    for name, value in pairs:
        key = name.strip().lower()
        if key in _NEVER:
            raise Refused(f"The parameter {name} is not for scripts.")
        if key in found and found[key] != value:
            raise Refused(f"The parameter {name} stands twice in the request.", status=400)
        found[key] = value
    return found


def template(path: str) -> str:
    """The path without ids and values, for the audit log."""
    return "/".join("{id}" if _ID.fullmatch(part) else part for part in path.split("/"))
