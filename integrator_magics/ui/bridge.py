"""Puts cells into the notebook, through the front end's half in `labextension/` (protocol: its protocol.ts).

Only sources that start with the line `%%integration NAME` travel, and a cell that the user edited is never replaced;
both halves check. A request is sent until the front end acknowledges it, also after a page reload. Main thread only.
"""

from __future__ import annotations

import hashlib
import logging
import re
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .dispatch import Dispatcher

__all__ = ["Ack", "AskingCell", "Bridge", "capture_cell", "cell_sha", "script_name"]

log = logging.getLogger(__name__)

TARGET = "integrator_magics"
HELLO_WAIT = 1.5  # seconds until "no front end" is believed
ACK_WAIT = 1.0  # seconds until another tab is asked
GIVE_UP = 3.0  # seconds until the caller shows the script another way
_HEAD = re.compile(r"%%integration ([a-z][a-z0-9_]{0,40})(?=\n|\Z)")


@dataclass(frozen=True)
class AskingCell:
    """Where a magic was run: the cell, and the browser tab. Both "" where there is no notebook."""

    cell_id: str = ""
    client: str = ""


@dataclass(frozen=True)
class Ack:
    """How a request ended. `why`: no front end, no answer, refused, missing, edited, read-only or failed."""

    ok: bool
    cell_id: str = ""
    existed: bool = False
    why: str = ""


def capture_cell() -> AskingCell:
    """The cell that is running now. Call first thing in a magic: later the kernel has another parent message."""
    from IPython import get_ipython

    kernel = getattr(get_ipython(), "kernel", None)
    if kernel is None:
        return AskingCell()
    parent = kernel.get_parent("shell") or {}
    metadata, header = parent.get("metadata") or {}, parent.get("header") or {}
    return AskingCell(str(metadata.get("cellId") or ""), str(header.get("session") or ""))


def script_name(source: str) -> str | None:
    """NAME of a source that starts with the line `%%integration NAME`; None for anything else."""
    match = _HEAD.match(source)
    return match[1] if match else None


def cell_sha(source: str) -> str:
    """SHA-256 of a whole cell source, as the front end computes it."""
    return hashlib.sha256(source.encode("utf-8", "replace")).hexdigest()


@dataclass
class _Request:
    message: dict[str, Any]
    done: Callable[[Ack], None]
    asked: float = field(default_factory=time.monotonic)
    gave_up: bool = False


class Bridge:
    """One kernel's line to its front ends. `open` in `%load_ext`; the rest answers through `done` callbacks.

    `done` may be called twice: with "no answer" after 3 s, and with the real end when a page comes back later.
    """

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._comm: Any = None
        self._opened = 0.0
        self._clients: dict[str, float] = {}  # tab -> when it last said hello
        self._requests: dict[str, _Request] = {}
        self.path = ""  # of the notebook, as the front end knows it
        self.on_hello: list[Callable[[str], None]] = []
        self.on_act: Callable[[str, str], None] = lambda act, name: None
        self._state: dict[str, Any] | None = None

    def open(self) -> None:
        """Tell the front ends that a kernel half is here. Does nothing without a kernel, or when done already."""
        if self._comm is not None or not self._dispatcher.has_loop:
            return
        import comm

        self._comm = comm.create_comm(target_name=TARGET, data={"protocol": 1})
        # The callback may come on a subshell's thread (ipykernel 7.1 to 7.3), hence the hop.
        self._comm.on_msg(lambda message: self._dispatcher.post(lambda: self._received(message["content"]["data"])))
        self._opened = time.monotonic()

    def close(self) -> None:
        """Take the line down; waiting requests are dropped."""
        if self._comm is not None:
            self._comm.close()
        self._comm = None
        self._clients.clear()
        self._requests.clear()

    def push(self, state: dict[str, Any]) -> None:
        """Tell every tab where things stand; one that comes later is told then."""
        self._state = state
        if self._comm is not None:
            self._comm.send({"type": "state", "state": state})

    def available(self) -> bool:
        """Whether a front end with our extension has said hello."""
        return bool(self._clients)

    def insert_cell(
        self,
        source: str,
        done: Callable[[Ack], None],
        *,
        at: AskingCell,
        new_id: str = "",
        tags: tuple[str, ...] = ("integration",),
        metadata: Mapping[str, Any] | None = None,
        run: bool = False,
        scroll: bool = True,
    ) -> str:
        """A new cell below the asking one. Returns the id it will have. Raises ValueError for any other source."""
        self._check(source)
        new_id = new_id or f"integrator-{uuid.uuid4().hex[:12]}"
        message: dict[str, Any] = {
            "type": "insert_cell",
            "new_id": new_id,
            "below": at.cell_id or None,
            "source": source,
        }
        message |= {"tags": list(tags), "metadata": dict(metadata or {}), "run": run, "scroll": scroll}
        self._ask(message, done, at.client)
        return new_id

    def replace_cell(
        self,
        cell_id: str,
        expected_sha: str,
        source: str,
        done: Callable[[Ack], None],
        *,
        at: AskingCell,
        metadata: Mapping[str, Any] | None = None,
        scroll: bool = True,
    ) -> None:
        """Replace a cell whose present source has the expected hash; else the answer is "edited" or "missing"."""
        self._check(source)
        message = {"type": "replace_cell", "cell_id": cell_id, "expected_sha": expected_sha, "source": source}
        self._ask(message | {"metadata": dict(metadata or {}), "scroll": scroll}, done, at.client)

    def show_cell(self, cell_id: str, *, at: AskingCell) -> None:
        """Scroll to a cell."""
        self._ask({"type": "show_cell", "cell_id": cell_id}, lambda _: None, at.client)

    def store_output(self, identity: str, html: str, text: str, *, at: AskingCell) -> None:
        """Bring a saved transcript up to date after a page reload, when display handles no longer reach it."""
        if not self.available() or not at.cell_id:
            return
        message = {"type": "store_output", "cell_id": at.cell_id, "identity": identity}
        self._ask(message | {"data": {"text/html": html, "text/plain": text}}, lambda _: None, at.client)

    @staticmethod
    def _check(source: str) -> None:
        if script_name(source) is None:
            raise ValueError("only cells that start with %%integration NAME are put into the notebook")

    def _ask(self, message: dict[str, Any], done: Callable[[Ack], None], client: str) -> None:
        if self._comm is None:
            done(Ack(False, why="no front end"))
            return
        # A newer transcript takes the place of one still on its way.
        request_id = f"store-{message['identity']}" if message["type"] == "store_output" else uuid.uuid4().hex
        message |= {"request_id": request_id, "client": client if client in self._clients else self._latest()}
        request = self._requests[request_id] = _Request(message, done)
        if self._clients:
            self._send(request)
            self._dispatcher.post_later(ACK_WAIT, lambda: self._overdue(request_id, ACK_WAIT))
        else:
            wait = max(0.0, self._opened + HELLO_WAIT - time.monotonic())
            self._dispatcher.post_later(wait, lambda: self._nobody(request_id))

    def _send(self, request: _Request) -> None:
        if self._comm is not None and request.message["client"]:
            self._comm.send(request.message)

    def _latest(self) -> str:
        return max(self._clients, key=lambda client: self._clients[client], default="")

    def _nobody(self, request_id: str) -> None:
        request = self._requests.get(request_id)
        if request is None:
            return
        if self._clients:
            self._overdue(request_id, 0.0)
            return
        request.gave_up = True
        request.done(Ack(False, why="no front end"))

    def _overdue(self, request_id: str, waited: float) -> None:
        """No answer in time: the tab is gone. Ask the one that said hello last."""
        request = self._requests.get(request_id)
        if request is None:
            return
        late = time.monotonic() - request.asked - waited
        if late > ACK_WAIT and waited <= ACK_WAIT:
            # The kernel itself was busy; an answer may lie in the queue behind this call.
            request.asked = time.monotonic() - waited
            self._dispatcher.post_later(0.2, lambda: self._overdue(request_id, waited + 0.2))
            return
        if waited >= GIVE_UP:
            request.gave_up = True
            request.done(Ack(False, why="no answer"))
            return
        silent = request.message["client"]
        if waited and len(self._clients) > 1:
            self._clients.pop(silent, None)
        request.message["client"] = self._latest()
        self._send(request)
        self._dispatcher.post_later(ACK_WAIT, lambda: self._overdue(request_id, waited + ACK_WAIT))

    def _received(self, data: Mapping[str, Any]) -> None:
        kind, client = data.get("type"), str(data.get("client") or "")
        if kind == "hello" and client:
            known = client in self._clients
            self._clients[client] = time.monotonic()
            self.path = str(data.get("path") or self.path)
            self._resend(client)
            if self._state is not None:
                self.push(self._state)
            if not known:
                for listener in list(self.on_hello):
                    listener(client)
        elif kind == "ack":
            if client:
                self._clients[client] = time.monotonic()
            request = self._requests.pop(str(data.get("request_id")), None)
            if request is not None:
                ok, why = bool(data.get("ok")), str(data.get("why") or "")
                request.done(Ack(ok, str(data.get("cell_id") or ""), bool(data.get("existed")), why))
        elif kind == "act":
            self.on_act(str(data.get("act")), str(data.get("name") or ""))
        else:
            log.warning("the front end said something unknown: %r", kind)

    def _resend(self, client: str) -> None:
        """A page came (back): it is asked what nobody has answered. Cell ids make a second arrival harmless."""
        for request in list(self._requests.values()):
            if request.gave_up or request.message["client"] not in self._clients:
                request.message["client"] = client
            if request.message["client"] == client:
                self._send(request)
