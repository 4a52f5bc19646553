"""A session that follows a script, for driving the real widgets and the real bridge in a browser."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from integrator_magics import events as e
from integrator_magics.ui.bridge import Bridge, capture_cell
from integrator_magics.ui.dispatch import Dispatcher
from integrator_magics.ui.live import LiveView
from integrator_magics.ui.script_cells import Placed, ScriptCells

sys.path.insert(0, str(Path(__file__).parents[1] / "ui"))
from ui_events import DIALOG, PREVIEWED, RAN

dispatcher = Dispatcher()
bridge = Bridge(dispatcher)
bridge.open()
cells = ScriptCells(bridge, lambda name, code: Path(f"{name}.py"))


class Scripted:
    """Emits the next events from another thread whenever a button is pressed; notes what was pressed."""

    def __init__(self) -> None:
        self.at = capture_cell()
        self.view = LiveView(self, dispatcher, bridge, self.at)
        self.view.open()
        self.calls: list[tuple[object, ...]] = []
        self.version = 0

    def emit(self, *events: e.Event) -> None:
        def work() -> None:
            for event in events:
                dispatcher.post(lambda event=event: self.view.show(event))

        threading.Thread(target=work).start()

    def write(self, body: str) -> None:
        self.version += 1
        event = e.Wrote(
            "lead_sync", body, f"{self.version:08d}", self.version, diff="-a\n+b\n" if self.version > 1 else ""
        )
        self.emit(
            event, e.Explained("lead_sync", ["reads leads created since 22 October 2026", "never deletes anything"])
        )
        dispatcher.post(lambda: cells.put(event, self.at, self.placed))

    def placed(self, placed: Placed) -> None:
        self.calls.append(("placed", placed.how))
        self.view.placed("lead_sync", placed)

    def start(self) -> None:
        self.emit(*DIALOG[:5])

    def answer(self, text: str) -> None:
        self.calls.append(("answer", text))
        self.emit(e.Answered(text))
        self.write("print('one')\n")

    def approve(self, name: str, code: str, first: int | None = None) -> None:
        self.calls.append(("approve", name, code))
        self.emit(e.Decided(name, True, "jana", "2026-10-22T14:03:00+00:00"), e.Progress("Running", 260, 412, 1900.0))

    def finish(self) -> None:
        self.emit(RAN, e.Usage(12300, 900, 0.05, 2.0), e.Ended())

    def reject(self, name: str, why: str) -> None:
        self.calls.append(("reject", name, why))
        self.emit(e.Decided(name, False, "jana", "2026-10-22T14:03:00+00:00", why))

    def confirm(self, name: str, yes: bool, why: str = "") -> None:
        self.calls.append(("confirm", name, yes, why))

    def cancel(self) -> None:
        self.calls.append(("cancel",))
        self.emit(e.Ended("cancelled", "Cancelled. Nothing was written; everything so far is kept."))

    def start_again(self) -> None:
        self.calls.append(("start_again",))

    def stop_run(self, name: str) -> None:
        self.calls.append(("stop_run", name))
        self.finish()

    def retry(self) -> None:
        self.calls.append(("retry",))


__all__ = ["DIALOG", "PREVIEWED", "Scripted", "bridge", "cells", "dispatcher", "e"]
