"""A request that does not pass, and why."""

from __future__ import annotations

__all__ = ["Refused"]


class Refused(Exception):
    """Not passed on. `kind` is the name of an error of integrator_drivers, the text a sentence for people."""

    def __init__(self, text: str, kind: str = "ForbiddenError", status: int = 403) -> None:
        super().__init__(text)
        self.kind = kind
        self.status = status
