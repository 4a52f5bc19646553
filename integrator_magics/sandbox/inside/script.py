"""Runs one script as `__main__` and tells how it ended, in terms of the script's own lines."""

from __future__ import annotations

import contextlib
import io
import sys
import traceback
import types
from pathlib import Path
from typing import Any

__all__ = ["flush", "run"]

TEXT = 8_000  # characters of a message
FRAMES = 50


def run(path: str) -> dict[str, Any]:
    """Run the file. {"exit_code", "error": None or {type, message, frames, driver, memory}}; never raises."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    module = types.ModuleType("__main__")
    module.__dict__["__file__"] = path
    module.__dict__["__builtins__"] = __builtins__
    sys.modules["__main__"] = module
    sys.argv = [path]
    try:
        # As text: an encoding named in a comment must not make of it anything else than what was checked.
        code = compile(Path(path).read_bytes().decode("utf-8"), path, "exec", dont_inherit=True)
        exec(code, module.__dict__)
    except SystemExit as exc:
        return _exited(exc, path)
    except BaseException as exc:  # noqa: BLE001 - whatever the script raises is its result
        return {"exit_code": 1, "error": _described(exc, path)}
    finally:
        flush()
    return {"exit_code": 0, "error": None}


def _exited(exc: SystemExit, path: str) -> dict[str, Any]:
    """How sys.exit ended it; what was being handled then is the better explanation of a failure."""
    if exc.code is None or exc.code == 0:
        return {"exit_code": 0, "error": None}
    cause = exc.__cause__ or exc.__context__
    number = exc.code & 0xFF if isinstance(exc.code, int) else 1
    if cause is not None:
        return {"exit_code": number, "error": _described(cause, path)}
    if isinstance(exc.code, int):
        return {"exit_code": number, "error": {"type": "SystemExit", "message": "", "frames": _frames(exc, path)}}
    return {"exit_code": 1, "error": {"type": "SystemExit", "message": _text(exc.code), "frames": _frames(exc, path)}}


def _described(exc: BaseException, path: str) -> dict[str, Any]:
    errors = sys.modules.get("integrator_drivers.errors")
    kind = type(exc)
    found: dict[str, Any] = {
        "type": kind.__name__,
        "message": _text(exc),
        "frames": _frames(exc, path),
        "driver": errors is not None and isinstance(exc, errors.DriverError),
        "memory": isinstance(exc, MemoryError),
    }
    near = getattr(exc, "near", None)
    if isinstance(near, list):
        found["near"] = [_text(name) for name in near[:10]]
    return found


def _frames(exc: BaseException, path: str) -> list[dict[str, Any]]:
    """Places in the script itself, outermost first; where it does not even compile, that place."""
    found = []
    for frame, line in traceback.walk_tb(exc.__traceback__):
        if frame.f_code.co_filename == path:
            found.append({"line": line, "function": frame.f_code.co_name})
    if isinstance(exc, SyntaxError) and exc.filename == path and exc.lineno:
        found.append({"line": exc.lineno, "function": "<module>"})
    return found if len(found) <= FRAMES else found[: FRAMES // 2] + found[-FRAMES // 2 :]


def _text(value: object) -> str:
    try:
        return (value.msg if isinstance(value, SyntaxError) else str(value))[:TEXT]
    except BaseException:  # noqa: BLE001 - the text comes from the script's own class
        return "(its message can't be shown)"


def flush() -> None:
    """Send on what was printed."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):  # the script may have closed or replaced it
            stream.flush()
