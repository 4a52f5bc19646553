"""One machine at E2B through its SDK: made for one run, never paused, always ended."""

from __future__ import annotations

import json
import shlex
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import SandboxUnavailable
from .bundle import DRIVERS, Bundle, program
from .network import Reach

if TYPE_CHECKING:
    from e2b import E2B, CommandHandle, Sandbox

__all__ = ["ROOM", "Machine"]

ROOM = "/run/integrator"
BASE = "code-interpreter-v1"  # E2B's own template, where there is none of ours
LIFE = 300  # seconds a machine lives without a sign from here
INSTALL = 300.0
_REQUEST = 30.0
_START = "import sys; sys.path.insert(0, sys.argv.pop()); from inside.remote import main; main()"
_UNPACK = """
import importlib.util, json, sys, zipfile
archive, target, *modules = sys.argv[1:]
zipfile.ZipFile(archive).extractall(target)
found = [name for name in modules if getattr(importlib.util.find_spec(name), "origin", None) is None]
print(json.dumps({"python": sys.version_info[:2], "missing": found}))
"""


class Machine:
    """Blocking calls; `kill` and `stop` may come from any thread."""

    def __init__(self, client: E2B, bundle: Bundle, reach: Reach, metadata: Mapping[str, str]) -> None:
        self._client = client
        self._bundle = bundle
        self._reach = reach
        self._metadata = dict(metadata)
        self._lock = threading.Lock()
        self._sandbox: Sandbox | None = None
        self._ended = threading.Event()
        self.note = ""  # a sentence about how it was made

    def make(self) -> None:
        """Get a machine and put the program and the drivers on it. Raises what the SDK raises."""
        has_template = self._client.Template.exists(self._bundle.name, request_timeout=_REQUEST)
        sandbox = self._client.Sandbox.create(
            template=self._bundle.name if has_template else BASE,
            timeout=LIFE,
            metadata=self._metadata,
            network=self._reach.rules,  # type: ignore[arg-type]
            lifecycle={"on_timeout": "kill", "auto_resume": False},
            request_timeout=_REQUEST,
            retries=2,
        )
        with self._lock:
            self._sandbox = sandbox
            is_unwanted = self._ended.is_set()
        if is_unwanted:
            self._kill(sandbox)
            raise SandboxUnavailable("The run was stopped before it began.")
        threading.Thread(target=self._keep_alive, args=(sandbox,), name="integrator-e2b-life", daemon=True).start()
        self._write({f"{ROOM}/{name}": data for name, data in program().items()})
        if not has_template:
            self._bring_drivers(sandbox)

    def run(
        self, job: Mapping[str, Any], files: Mapping[str, bytes], variables: Mapping[str, str], seconds: float
    ) -> Frames:
        """Start the script; credentials are in `variables` only, which go to the process and to no file."""
        self._write({**files, f"{ROOM}/job.json": json.dumps(job).encode()})
        handle = self._there().commands.run(
            f"exec python3 -I -X utf8 -c {shlex.quote(_START)} {ROOM}",
            background=True,
            user="root",
            envs=dict(variables),
            timeout=seconds + 60,
            retain_output=False,
        )
        return Frames(handle)

    def stop(self) -> None:
        """Ask the script to end."""
        self._write({f"{ROOM}/stop": b"stop"})

    def fetch(self, path: str, target: Path) -> None:
        """Copy a file of the machine to this one."""
        with self._there().files.read(path, format="stream", user="root") as stream, target.open("wb") as out:
            for chunk in stream:
                out.write(chunk)

    def kill(self) -> None:
        """End it, or see to it that it ends as soon as it is there. Raises what the SDK raises."""
        with self._lock:
            is_first = not self._ended.is_set()
            self._ended.set()
            sandbox = self._sandbox
        if sandbox is not None and is_first:
            self._kill(sandbox)

    def _there(self) -> Sandbox:
        if self._sandbox is None:
            raise SandboxUnavailable("There is no machine at E2B.")
        return self._sandbox

    def _write(self, files: Mapping[str, bytes]) -> None:
        self._there().files.write_files([{"path": path, "data": data} for path, data in files.items()], user="root")

    def _bring_drivers(self, sandbox: Sandbox) -> None:
        """Without a template: unpack the drivers, and install what is missing while nothing secret is there."""
        archive = f"{ROOM}/drivers.zip"
        self._write({archive: self._bundle.archive})
        modules = {module: requirement for requirement, module in self._bundle.libraries}
        command = shlex.join(["python3", "-I", "-c", _UNPACK, archive, DRIVERS, *modules])
        told = json.loads(sandbox.commands.run(command, user="root", timeout=_REQUEST).stdout)
        if tuple(told["python"]) < (3, 11):
            raise SandboxUnavailable(
                f"E2B's own machine has Python {told['python'][0]}.{told['python'][1]}, and the drivers need 3.11; "
                "nothing ran.",
                "Run `integrator sandbox build-template` once.",
            )
        self.note = "The drivers were sent to E2B for this run; `integrator sandbox build-template` saves that time."
        if not told["missing"]:
            return
        sandbox.update_network({})  # no rule: open
        install = ["python3", "-m", "pip", "install", "--quiet", *(modules[name] for name in told["missing"])]
        sandbox.commands.run(shlex.join(install), user="root", timeout=INSTALL)
        sandbox.update_network(self._reach.update)  # type: ignore[arg-type]
        self.note = (
            "The drivers and their libraries were put on the E2B machine for this run; "
            "`integrator sandbox build-template` saves that time."
        )

    def _keep_alive(self, sandbox: Sandbox) -> None:
        """Move the end of its life on while it is wanted; if that fails it ends by itself, and the run says so."""
        while not self._ended.wait(LIFE / 3):
            try:
                sandbox.set_timeout(LIFE, request_timeout=_REQUEST)
            except Exception:  # noqa: BLE001 - an account's longest life is reached, or E2B can't be reached: tried again
                continue

    @staticmethod
    def _kill(sandbox: Sandbox) -> None:
        sandbox.kill(request_timeout=_REQUEST)


class Frames:
    """What the program on the machine tells, line by line. `said` is what it wrote to stderr, its last part."""

    def __init__(self, handle: CommandHandle[Any]) -> None:
        self._handle = handle
        self.said = ""

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Raises what the SDK raises when the connection breaks off, ValueError for what is no message."""
        rest = ""
        for out, err, _ in self._handle:
            self.said = (self.said + (err or ""))[-4_000:]
            *lines, rest = (rest + (out or "")).split("\n")
            for line in lines:
                found = json.loads(line)
                if not isinstance(found, dict):
                    raise ValueError("not an object")
                yield found
