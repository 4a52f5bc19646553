"""One dialog as it stands on disk, so that it survives a kernel restart."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .events import Event, from_json, to_json
from .export import notebook_folder

__all__ = ["DIALOG", "Dialog", "run_channel"]

DIALOG = "dialog"  # the channel of its events
WORKING = "working"


def run_channel(name: str) -> str:
    """The channel on which events of one script's preview and run arrive."""
    return f"run:{name}"


@dataclass
class Dialog:
    """Prompts, events and the agent's message history of one notebook's dialog.

    `state` is idle, working, asking, done, failed or cancelled; `call` is the id of the question that waits.
    """

    path: Path
    state: str = "idle"
    prompts: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    history: list[Any] = field(default_factory=list)  # JSON-ready messages
    call: str = ""
    question: str = ""

    @classmethod
    def load(cls, home: Path, notebook: str) -> Dialog:
        """The stored dialog of a notebook, or a new one. One that was at work when the kernel ended is `cancelled`."""
        path = home / "dialogs" / f"{notebook_folder(notebook)}.json"
        if not path.exists():
            return cls(path)
        data = json.loads(path.read_text(encoding="utf-8"))
        dialog = cls(path, **{**data, "events": [from_json(entry) for entry in data["events"]]})
        if dialog.state == WORKING:
            dialog.state = "cancelled"
        return dialog

    def save(self) -> None:
        """Write atomically; a crash leaves the old dialog or the new one."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        data = {
            "state": self.state,
            "prompts": self.prompts,
            "events": [to_json(event) for event in self.events],
            "history": self.history,
            "call": self.call,
            "question": self.question,
        }
        handle, temporary = tempfile.mkstemp(dir=self.path.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(data, file, default=str)
        Path(temporary).replace(self.path)

    def start_again(self) -> None:
        """Forget everything said so far; the scripts stay."""
        self.state, self.prompts, self.events, self.history, self.call = "idle", [], [], [], ""
