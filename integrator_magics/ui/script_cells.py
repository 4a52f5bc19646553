"""The cells of a notebook that hold scripts: one per script name, renewed by each version unless the user edited it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..events import Wrote
from .bridge import Ack, AskingCell, Bridge, cell_sha

__all__ = ["Placed", "ScriptCells", "cell_source"]


@dataclass(frozen=True)
class Placed:
    """Where a script version went. `how` is "shown" where no cell could be put in; it is in `path` then."""

    how: Literal["inserted", "replaced", "beside", "shown"]
    cell_id: str = ""
    path: Path | None = None
    why: str = ""


def cell_source(name: str, code: str) -> str:
    """The whole source of the cell: the magic line, then the file."""
    head = f"%%integration {name}\n"
    return (code if code.startswith(head) else head + code).removesuffix("\n")


class ScriptCells:
    """Puts script versions into the notebook. `save(name, code) -> Path` keeps one where no cell can be put in."""

    def __init__(self, bridge: Bridge, save: Callable[[str, str], Path] | None = None) -> None:
        self._bridge = bridge
        self._save = save
        self._known: dict[str, tuple[str, str]] = {}  # name -> (cell id, hash of the source put there)

    def remember(self, event: Wrote, cell_id: str = "") -> None:
        """Learn of a version an earlier kernel put in. Where its id is not known, the front end finds it by name."""
        self._known[event.name] = (cell_id or self._cell_id(event), cell_sha(cell_source(event.name, event.code)))

    def cell_of(self, name: str) -> str:
        """The id of the cell with that script, "" when there is none."""
        return self._known.get(name, ("", ""))[0]

    def put(self, event: Wrote, at: AskingCell, done: Callable[[Placed], None]) -> None:
        """Renew the cell of that script, or insert one below the asking cell: where there is none, or an edited one."""
        source = cell_source(event.name, event.code)
        metadata = {"version": event.version}

        def insert(how: Literal["inserted", "beside"]) -> None:
            new_id = self._cell_id(event)

            def inserted(ack: Ack) -> None:
                if ack.ok:
                    self._known[event.name] = (ack.cell_id, cell_sha(source))
                    done(Placed(how, ack.cell_id))
                else:
                    path = self._save(event.name, event.code) if self._save else None
                    done(Placed("shown", path=path, why=ack.why))

            self._bridge.insert_cell(source, inserted, at=at, new_id=new_id, metadata=metadata)

        if event.name not in self._known:
            insert("inserted")
            return
        cell_id, sha = self._known[event.name]

        def replaced(ack: Ack) -> None:
            if ack.ok:
                found = ack.cell_id or cell_id
                self._known[event.name] = (found, cell_sha(source))
                done(Placed("replaced", found))
            else:
                insert("beside" if ack.why == "edited" else "inserted")

        self._bridge.replace_cell(cell_id, sha, source, replaced, at=at, metadata=metadata)

    @staticmethod
    def _cell_id(event: Wrote) -> str:
        # Known beforehand, so that a kernel restart does not lose it. nbformat allows 64 of [a-zA-Z0-9-_].
        return f"integrator-{event.name}-{event.sha256[:8]}"
