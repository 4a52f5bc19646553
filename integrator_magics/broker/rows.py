"""How many records an answer holds."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

import msgspec

__all__ = ["MOST", "rows_in"]

MOST = 4 << 20  # bytes of an answer that is looked into


def rows_in(body: bytes, headers: Mapping[str, str], names: Sequence[str]) -> int | None:
    """The length of the list that one of `names` holds in a JSON answer; None where that can't be told."""
    if not names or not body or "json" not in headers.get("content-type", ""):
        return None
    try:
        if headers.get("content-encoding", "identity") == "gzip":
            body = zlib.decompressobj(wbits=31).decompress(body, 4 * MOST)
        found = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        for name in names:
            if name in found and bytes(found[name])[:1] == b"[":
                return len(msgspec.json.decode(found[name], type=list[msgspec.Raw]))
    except (msgspec.MsgspecError, zlib.error):
        return None
    return None
