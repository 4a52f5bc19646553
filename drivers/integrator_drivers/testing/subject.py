"""The driver under test: its manifest and documents, its client, and the practice systems around it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from .. import registry
from ..manifest import Manifest

if TYPE_CHECKING:
    from integrator_practice import Practice

__all__ = ["Skipped", "Subject"]

IMPORTED = re.compile(r"^\s*(?:from|import)\s+(\w+)_driver\b", re.MULTILINE)


class Skipped(Exception):  # it is no error
    """A check does not apply here; the text says why."""


class Subject:
    """One driver. Practice systems start when they are first needed and end with `close`."""

    def __init__(self, name: str) -> None:
        self.manifest: Manifest = registry.manifest(name)
        self.docs = registry.docs(self.manifest.name)
        self._stack = ExitStack()
        self._practice: dict[str, Practice] = {}

    @property
    def examples(self) -> dict[str, Path]:
        """File name -> path of the certified scripts."""
        return {path.name: path for path in sorted(self.manifest.folder.glob("examples/*.py"))}

    def practice(self, name: str = "") -> Practice:
        """The running practice system of this driver, or of another one that an example needs."""
        name = name or self.manifest.name
        if name not in self._practice:
            if not registry.manifest(name).practice:
                raise Skipped(f"{name} has no practice system")
            try:
                from integrator_practice import PracticeError, start
            except ImportError as exc:
                raise Skipped("practice systems are not installed") from exc
            try:
                self._practice[name] = self._stack.enter_context(start(name, rows=200))
            except PracticeError as exc:
                raise Skipped(f"no practice system for {name}: {exc}") from exc
        return self._practice[name]

    def needed_by(self, example: Path) -> list[str]:
        """Drivers that a script imports."""
        modules = IMPORTED.findall(example.read_text(encoding="utf-8"))
        by_module = {entry.client.partition("_driver")[0]: name for name, entry in registry.manifests().items()}
        return sorted({by_module[module] for module in modules if module in by_module})

    def script_environment(self, example: Path, mode: str, report: Path) -> dict[str, str]:
        """What a script sees in the sandbox: the mode, the report, and the variables of the drivers it imports."""
        env = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "SYSTEMROOT")}
        env |= {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUTF8": "1"}
        env |= {"INTEGRATOR_MODE": mode, "INTEGRATOR_REPORT": str(report)}
        for name in self.needed_by(example):
            env |= self.practice(name).env
        return env

    @contextmanager
    def client(self, mode: str = "discovery") -> Iterator[Any]:
        """A connected client in one run mode."""
        before = dict(os.environ)
        os.environ.update(self.practice().env)
        os.environ["INTEGRATOR_MODE"] = mode
        try:
            with registry.client(self.manifest.name)() as client:
                yield client
        finally:
            os.environ.clear()
            os.environ.update(before)

    def close(self) -> None:
        """End the practice systems."""
        self._practice.clear()
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
