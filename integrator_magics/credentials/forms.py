"""How a value can stand in text: each character's escapes, and the whole value in other alphabets."""

from __future__ import annotations

import base64
import re
import unicodedata
from functools import cache
from html.entities import codepoint2name
from urllib.parse import unquote, urlsplit

__all__ = ["base64_cores", "parts", "spellings", "whole"]


def parts(value: str) -> list[str]:
    """The value itself and what inside it is a secret on its own: Unicode forms, a URL's password, a key's lines."""
    found = [value, *(unicodedata.normalize(form, value) for form in ("NFC", "NFD"))]
    if "://" in value:
        try:
            password = urlsplit(value).password
        except ValueError:
            password = None
        if password:
            found += [password, unquote(password)]
    if "\n" in value:
        found.append(value.strip())
        lines = [line.strip() for line in value.splitlines()]
        found += [line for line in lines if len(line) >= 16 and not line.startswith("-----")]
    elif "\r" not in value and value != value.strip():
        found.append(value.strip())
    return list(dict.fromkeys(found))


@cache
def spellings(char: str) -> tuple[str, ...]:
    """How one character can stand in text, longest first. Letters and digits only as themselves (see `whole`)."""
    if char.isascii() and char.isalnum():
        return (char,)
    found = {char}
    code = ord(char)
    octets = char.encode("utf-8", "surrogatepass")
    units = char.encode("utf-16-be", "surrogatepass")
    percent = "".join(f"%{byte:02X}" for byte in octets)
    found |= {percent, percent.replace("%", "%25")}
    found.add("".join(f"\\x{byte:02x}" for byte in octets))
    found.add("".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2)))
    found |= {f"\\x{code:02x}" if code < 256 else f"\\U{code:08x}"}
    found |= {f"&#{code};", f"&#{code:03d};", f"&#x{code:x};", f"&#x{code:02x};"}
    if code in codepoint2name:
        found.add(f"&{codepoint2name[code]};")
    found |= {found_escape for found_escape in (_SHORT.get(char),) if found_escape}
    if char in "\"'\\/`$!":
        found.add("\\" + char)
    if char in "\"'":
        found |= {char * 2, "'\\''" if char == "'" else '""'}
    if char == "'":
        found.add("&apos;")
    if char == " ":
        found.add("+")
    if char == "\n":
        found |= {"\r\n", "\\r\\n", "%0D%0A"}
    for text in list(found):  # JSON inside JSON, repr of repr
        found |= _again(text)
    found |= {_upper_hex(text) for text in found} | {_lower_hex(text) for text in found}
    return tuple(sorted(found, key=lambda text: (-len(text), text)))


def whole(value: str) -> list[str]:
    """The whole value in alphabets that change every character: hex, every byte escaped."""
    data = value.encode("utf-8", "surrogatepass")
    units = value.encode("utf-16-be", "surrogatepass")
    pairs = [f"{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2)]
    found = [data.hex(), data.hex(" "), data.hex(":"), data.hex("-")]
    found += ["".join(f"{before}{byte:02x}" for byte in data) for before in ("%", "\\x", "\\\\x", "=")]
    found += ["".join(before + pair for pair in pairs) for before in ("\\u", "\\\\u")]
    found += ["".join(f"&#x{ord(char):x};" for char in value)]
    found += [_upper_hex(text) for text in found]
    found += ["".join(f"&#{ord(char)};" for char in value), "".join(f"&#{ord(char):03d};" for char in value)]
    return list(dict.fromkeys(found))


def base64_cores(value: str) -> list[str]:
    """What is common to base64 of every text that holds the value, at each of the three offsets, in both alphabets."""
    data = value.encode("utf-8", "surrogatepass")
    found = []
    for offset in range(3):
        core = base64.b64encode(b"\0" * offset + data).decode("ascii")
        core = core[(offset * 8 + 5) // 6 : (offset + len(data)) * 8 // 6]
        found += [core, core.translate(_URL_SAFE)]
    return list(dict.fromkeys(found))


_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f", "\v": "\\v", "\a": "\\a"}
_URL_SAFE = str.maketrans("+/", "-_")


def _again(text: str) -> set[str]:
    escaped = text.replace("\\", "\\\\")
    double, single = escaped.replace('"', '\\"'), escaped.replace("'", "\\'")
    return {escaped, double, single, double.replace("'", "\\'")}


def _upper_hex(text: str) -> str:
    if not re.search(r"[%\\&=]|^[0-9a-f :-]+$", text):
        return text
    return re.sub(r"(?<![a-zA-Z])(?:[0-9a-f]{2})+|(?<=[xuU])[0-9a-f]+", lambda match: match[0].upper(), text)


def _lower_hex(text: str) -> str:
    return re.sub(r"(?<=%)[0-9A-F]{2}|(?<=[xuU])[0-9A-F]+", lambda match: match[0].lower(), text)
