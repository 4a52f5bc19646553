"""Where an incremental sync keeps its resume point, and when it is saved."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from . import mode
from .incremental import Asked, Window, account_of
from .protocols import StateKeeper, TableWriter
from .statefile import StateFile

__all__ = ["Resume"]


class Resume:
    """The window of one run and the place of its resume point: the target's own, else a file beside the script."""

    def __init__(self, window: Window, client: Any, obj: str) -> None:
        self.window = window
        self._keeper = client if isinstance(client, StateKeeper) else None
        self._file = StateFile(window.identity)
        self._obj = obj

    @classmethod
    def of(cls, source: Asked, client: Any, obj: str, system: str, key: str, cursor: str) -> Resume:
        """Find out where the last run came to. Raises where the cursor or the source's fields make no sense."""
        place = f"{system}.{obj}"
        if not isinstance(client, StateKeeper):
            place = " ".join([place, *account_of(client)])  # the file does not live in the target
        window = Window.of(source, place, key, cursor, takes_deleted=isinstance(client, TableWriter))
        found = cls(window, client, obj)
        state = found._file.load() if found._keeper is None else found._keeper.load_state(obj, window.identity)
        window.begin(state)
        return found

    def prepare(self) -> list[str]:
        """Make the place for the resume point; the DDL."""
        return [] if self._keeper is None else self._keeper.prepare_state(self._obj)

    def together(self) -> AbstractContextManager[None]:
        """Rows and resume point in one transaction, where the target can."""
        return nullcontext() if self._keeper is None else self._keeper.together()

    def save(self, *, finished: bool) -> None:
        """Say how far the target has got. A file only says so when the target has acknowledged the rows."""
        state = self.window.state(finished=finished)
        if self._keeper is not None:
            self._keeper.save_state(self._obj, self.window.identity, state)
        elif mode.current_mode() is mode.Mode.APPLY:
            self._file.save(state)
