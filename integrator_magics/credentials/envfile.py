"""One `.env` file: read without touching the process environment, written whole or not at all, mode 0600."""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ..errors import ConfigError

__all__ = ["EnvFile"]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class EnvFile:
    """Values of one file, read again when it changed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, ...] | None = None
        self._values: dict[str, str] = {}

    def values(self) -> dict[str, str]:
        """Variables that are not blank. Raises ConfigError in one sentence when the file can't be read."""
        try:
            found = self.path.stat()
        except OSError:
            self._seen, self._values = None, {}
            return {}
        stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
        if stamp != self._seen:
            self._values = _read(self.path)
            self._seen = stamp
        return self._values

    def warning(self) -> str:
        """A sentence when others on this machine may read the file, else ""."""
        if os.name != "posix":
            return ""
        try:
            mode = self.path.stat().st_mode
        except OSError:
            return ""
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            return f"{self.path} can be read by other users of this machine. Run `chmod 600 {self.path}`."
        return ""

    def save(self, values: Mapping[str, str]) -> None:
        """Set variables, leaving every other line as it is; a blank value removes its variable."""
        from dotenv import dotenv_values, set_key, unset_key

        for name, value in values.items():
            if not _NAME.fullmatch(name):
                raise ConfigError(f'"{name}" can\'t be the name of a variable in {self.path}.')
            if "\0" in value:
                raise ConfigError(f"The value of {name} holds a NUL character; {self.path} can't hold that.")
        target = self.path.resolve()
        try:
            handle, name = tempfile.mkstemp(prefix=".env-", dir=target.parent)  # mode 0600
            os.close(handle)
            draft = Path(name)
        except OSError as exc:
            raise self._unwritable(exc) from exc
        try:
            if target.exists():
                shutil.copyfile(target, draft)
            for name, value in values.items():
                if not value:
                    if name in dotenv_values(draft, interpolate=False):
                        unset_key(draft, name)
                elif "\r" in value:
                    set_key(draft, name, _double_quoted(value), quote_mode="never")
                else:
                    set_key(draft, name, value)
            draft.chmod(0o600)
            kept = dotenv_values(draft, interpolate=False)
            wrong = [name for name, value in values.items() if value and kept.get(name) != value]
            if wrong:
                raise ConfigError(f"The value of {wrong[0]} can't be kept exactly in {self.path}; nothing was changed.")
            with draft.open("rb") as file:
                os.fsync(file.fileno())
            draft.replace(target)
        except OSError as exc:
            raise self._unwritable(exc) from exc
        finally:
            draft.unlink(missing_ok=True)
        self._seen = None

    def _unwritable(self, exc: OSError) -> ConfigError:
        why = (exc.strerror or str(exc)).lower()
        return ConfigError(f"{self.path} can't be written ({why}); nothing was saved.", "Check that folder.")


def _double_quoted(value: str) -> str:
    escapes = {"\\": "\\\\", '"': '\\"', "\r": "\\r", "\n": "\\n"}
    return '"' + "".join(escapes.get(char, char) for char in value) + '"'


def _read(path: Path) -> dict[str, str]:
    from dotenv import dotenv_values

    try:
        found = dotenv_values(path, interpolate=False, encoding="utf-8")
    except UnicodeDecodeError as exc:
        raise ConfigError(f"{path} is not UTF-8 text, so no variable was read from it.", "Save it as UTF-8.") from exc
    except OSError as exc:
        raise ConfigError(f"{path} can't be read ({(exc.strerror or '').lower()}).", "Check its permissions.") from exc
    return {name: value for name, value in found.items() if value and value.strip()}
