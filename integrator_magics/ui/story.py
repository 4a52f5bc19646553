"""A dialog as the list of what is to be seen: later events take the place of earlier ones where they tell the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..events import (
    Answered,
    Asked,
    Decided,
    Ended,
    Event,
    Failed,
    Opened,
    Previewed,
    Progress,
    Ran,
    Said,
    Step,
    Usage,
)

__all__ = ["Story"]

# A step of the same id after one of these is a new step.
_TURNS = (Opened, Answered, Decided, Ran, Failed, Ended)


class Story:
    """Folds events. `entries` is in the order of appearance; usage and progress are kept apart, as they pass."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.entries: list[Event] = []
        self.usage: Usage | None = None
        self.progress: Progress | None = None
        for event in events:
            self.add(event)

    def add(self, event: Event) -> tuple[int | None, bool]:
        """Take one event in. Returns where it stands in `entries` (None: nowhere) and whether it took a place over."""
        if isinstance(event, Usage):
            self.usage = event
            return None, False
        if isinstance(event, Progress):
            self.progress = event
            return None, False
        if isinstance(event, (Ran, Failed, Ended, Previewed)):
            self.progress = None
        if isinstance(event, (Failed, Ended)):
            self._stop_steps()
        if (place := self._same(event)) is not None:
            self.entries[place] = event
            return place, True
        self.entries.append(event)
        return len(self.entries) - 1, False

    def _same(self, event: Event) -> int | None:
        if isinstance(event, Step):
            for place in range(len(self.entries) - 1, -1, -1):
                entry = self.entries[place]
                if isinstance(entry, _TURNS):
                    break
                if isinstance(entry, Step) and entry.id == event.id:
                    return place
        last = self.entries[-1] if self.entries else None
        if isinstance(event, Previewed) and isinstance(last, Step) and last.id == "preview":
            return len(self.entries) - 1
        if isinstance(event, Said) and isinstance(last, Said) and last.partial:
            return len(self.entries) - 1
        return None

    def _stop_steps(self) -> None:
        """What is still under way when the turn is over was not finished."""
        for place, entry in enumerate(self.entries):
            if isinstance(entry, Step) and entry.state == "running":
                self.entries[place] = replace(entry, state="failed")

    @property
    def waiting(self) -> Event | None:
        """The question, preview or failure with options that waits for a person; None when nothing does."""
        for event in reversed(self.entries):
            if isinstance(event, Asked):
                return event
            if isinstance(event, Previewed):
                return event if event.needs_decision else None
            if isinstance(event, Failed) and event.options:
                return event
            if isinstance(event, (Answered, Decided, Ran, Failed, Ended)):
                return None
        return None
