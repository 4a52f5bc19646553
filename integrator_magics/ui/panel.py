"""Keeps the side panel true: hears everything, computes where things stand off the main thread, pushes it.

The panel may ask for two things only, to stop a run and to cancel the dialog; both are treated like the typed magics.
Deciding is not among them: it jumps to the cell, where the preview is.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from integrator_drivers import DriverError

from ..errors import IntegratorError
from ..events import Event, Progress, Ran, Said
from ..session import DIALOG
from .bridge import Bridge
from .dispatch import Dispatcher
from .panel_state import Seen, running, standing
from .story import Story

if TYPE_CHECKING:
    from ..session import Session

__all__ = ["Panel"]

log = logging.getLogger(__name__)
PAUSE = 0.1  # seconds in which several changes become one push


class Panel:
    """One notebook's side panel. `cell_of(channel)` is the cell that shows a channel, "" where none does."""

    def __init__(self, session: Session, bridge: Bridge, dispatcher: Dispatcher, cell_of: Callable[[str], str]) -> None:
        self._session = session
        self._bridge = bridge
        self._dispatcher = dispatcher
        self._cell_of = cell_of
        self._seen = Seen({DIALOG: Story(list(session.dialog.events))})
        self._state: dict[str, Any] = {}
        self._guard = threading.Lock()
        self._computing = threading.Lock()
        self._asked = False  # a computation is on its way
        self._whole = False  # and it is of everything, not only of what runs
        self._looked = False
        self._open = False

    def start(self) -> None:
        """Follow the session from now on."""
        self._open = True
        self._session.watch(self._heard)
        self._bridge.on_act = self.act
        self.refresh()

    def close(self) -> None:
        """Push nothing any more."""
        self._open = False

    def refresh(self) -> None:
        """Something may have changed that no event tells. Any thread may call."""
        self._ask(whole=True)

    def act(self, act: str, name: str) -> None:
        """What a press in the panel asks for; anything but stop and cancel is refused. Main thread."""
        try:
            if act == "stop" and name in self._session.running:
                self._session.stop_run(name)
            elif act == "cancel":
                self._session.cancel()
            else:
                log.warning("the panel asked for %r, which it may not", act)
        except (IntegratorError, DriverError) as exc:
            log.warning("%s", exc)
        self.refresh()

    def _heard(self, channel: str, event: Event | None) -> None:
        if event is not None:
            self._seen.stories.setdefault(channel, Story()).add(event)
        if isinstance(event, Said) and event.partial:
            return
        if isinstance(event, Ran):
            self._seen.last_runs[event.name] = datetime.now(UTC).isoformat()
        self._ask(whole=not isinstance(event, Progress))

    def _ask(self, *, whole: bool) -> None:
        with self._guard:
            self._whole |= whole
            if self._asked or not self._open:
                return
            self._asked = True
        timer = threading.Timer(PAUSE, self._compute)
        timer.daemon = True
        timer.start()

    def _compute(self) -> None:
        with self._guard:
            whole, self._whole, self._asked = self._whole, False, False
        with self._computing:
            try:
                if whole or not self._state:
                    self._look_at_the_log()
                    self._state = standing(self._session, self._seen, self._cell_of)
                else:
                    self._state = {**self._state, "running": running(self._session, self._seen, self._cell_of)}
            except (IntegratorError, DriverError, OSError) as exc:
                log.warning("the side panel is not up to date: %s", exc)
                return
            state = self._state
        if self._open:
            self._dispatcher.post(lambda: self._bridge.push(state))

    def _look_at_the_log(self) -> None:
        """Verify the log while nothing runs; the first time also find the last run of each script."""
        audit = self._session.audit
        if not self._looked:
            self._looked = True
            for record in audit.records():
                if record.get("event") == "receipt" and record.get("notebook") == self._session.notebook:
                    self._seen.last_runs[str(record.get("name"))] = str(record.get("at"))
        if self._session.working:
            return
        verdict = audit.verify()
        self._seen.log = {
            "records": verdict.records,
            "whole": verdict.whole,
            "words": "" if verdict.whole else f"broken at record {verdict.bad_at}: {verdict.reason}",
        }
