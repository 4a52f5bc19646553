"""An RSA key that follows from a seed, for the JWT login of a practice org. Predictable: no key for anything else."""

from __future__ import annotations

import base64
import hashlib
import json
import random
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

__all__ = ["Key", "claims_of", "key"]

BITS = 2048
EXPONENT = 65537
SHA256 = bytes.fromhex("3031300d060960864801650304020105000420")  # DigestInfo of PKCS #1
SMALL = [n for n in range(3, 2000, 2) if all(n % d for d in range(3, int(n**0.5) + 1, 2))]


@dataclass(frozen=True)
class Key:
    """Both primes; everything else follows."""

    p: int
    q: int

    @property
    def modulus(self) -> int:
        return self.p * self.q

    def signed(self, data: bytes, signature: bytes) -> bool:
        """Is this the RS256 signature of the data?"""
        found = pow(int.from_bytes(signature), EXPONENT, self.modulus).to_bytes(BITS // 8)
        digest = SHA256 + hashlib.sha256(data).digest()
        return found == b"\x00\x01" + b"\xff" * (BITS // 8 - len(digest) - 3) + b"\x00" + digest


@lru_cache(maxsize=4)
def key(seed: int) -> Key:
    """The key of a seed; takes about a second."""
    source = random.Random(f"practice key {seed}")
    p, q = _prime(source), _prime(source)
    return Key(p, q)


def claims_of(assertion: str, key: Key) -> dict[str, Any] | None:
    """What a signed token says; None where it is none or not signed with the key."""
    head, _, signature = assertion.rpartition(".")
    try:
        header, claims = (json.loads(_decoded(part)) for part in head.split("."))
        good = header.get("alg") == "RS256" and key.signed(head.encode(), _decoded(signature))
    except (ValueError, AttributeError, OverflowError):
        return None
    return claims if good and isinstance(claims, dict) else None


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _prime(source: random.Random) -> int:
    while True:
        candidate = source.getrandbits(BITS // 2) | 3 << (BITS // 2 - 2) | 1
        if all(candidate % small for small in SMALL) and candidate % EXPONENT != 1 and _likely(candidate, source):
            return candidate


def _likely(number: int, source: random.Random) -> bool:
    """Miller and Rabin, ten times."""
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for _ in range(10):
        power = pow(source.randrange(2, number - 1), odd, number)
        if power in (1, number - 1):
            continue
        for _ in range(twos - 1):
            power = pow(power, 2, number)
            if power == number - 1:
                break
        else:
            return False
    return True
