"""The key that signs heads of the log (Ed25519). Its private half is read by the keeper process alone."""

from __future__ import annotations

import base64
import binascii
import os
import tempfile
from pathlib import Path
from typing import Any, Self

__all__ = ["PUBLIC", "Signer", "is_signed_by", "public_key"]

PRIVATE = "key"  # PEM, mode 0600
PUBLIC = "key.pub"  # base64 of the 32 bytes


class Signer:
    """Signs with the key of one log."""

    def __init__(self, path: Path, key: Any) -> None:
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        self._path = path
        self._inode = path.stat().st_ino
        self._key = key
        raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.public = base64.b64encode(raw).decode("ascii")

    @classmethod
    def of(cls, folder: Path) -> Self:
        """The key in `folder`, made at the first use. Raises OSError, also when what is there is no key."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import (
            Encoding,
            NoEncryption,
            PrivateFormat,
            load_pem_private_key,
        )

        path = folder / PRIVATE
        if path.exists():
            try:
                found = load_pem_private_key(path.read_bytes(), None)
            except (ValueError, TypeError) as exc:
                raise OSError(f"{path} holds no key") from exc
            if not isinstance(found, Ed25519PrivateKey):
                raise OSError(f"{path} holds a key of another kind")
            signer = cls(path, found)
        else:
            key = Ed25519PrivateKey.generate()
            _put(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
            signer = cls(path, key)
        if public_key(folder) != signer.public:
            _put(folder / PUBLIC, signer.public.encode("ascii") + b"\n")
        return signer

    def is_current(self) -> bool:
        """Is the file it was read from still there?"""
        try:
            return self._path.stat().st_ino == self._inode
        except FileNotFoundError:
            return False

    def sign(self, message: bytes) -> str:
        """The signature in base64."""
        return base64.b64encode(self._key.sign(message)).decode("ascii")


def public_key(folder: Path) -> str:
    """The public half of the log's key, in base64; "" while there is none."""
    try:
        return (folder / PUBLIC).read_text(encoding="ascii").strip()
    except (FileNotFoundError, UnicodeDecodeError):
        return ""


def is_signed_by(public: str, message: bytes, signature: str) -> bool:
    """Does the signature belong to this message and this public key?"""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public, validate=True))
        key.verify(base64.b64decode(signature, validate=True), message)
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True


def _put(path: Path, data: bytes) -> None:
    """Write a file of mode 0600 whole or not at all."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
