"""Who acts: the person whose program this is, and whether a human, the agent or a program started the act."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache

__all__ = ["acting", "actor", "person"]

_actor: ContextVar[str] = ContextVar("integrator_actor", default="human")


@cache
def person() -> str:
    """The name of the user whose program this is."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no such user in this container
        return f"uid {os.getuid()}"


def actor() -> str:
    """human, agent or program: who started what is going on in this thread or task."""
    return _actor.get()


@contextmanager
def acting(name: str) -> Iterator[None]:
    """Within this, and within threads and tasks started by asyncio from here, `name` acts."""
    token = _actor.set(name)
    try:
        yield
    finally:
        _actor.reset(token)
