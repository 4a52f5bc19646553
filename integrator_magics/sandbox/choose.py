"""Which back-end runs a script: the setting, else the one there is. Never a silent change from one to another."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..broker import Broker
from ..config import Settings
from ..credentials import Credentials
from ..errors import ConfigError, SandboxUnavailable
from .bubblewrap import Bubblewrap
from .child import ChildProcess
from .e2b import E2BSandbox
from .e2b.words import EMBEDDED
from .landlocked import Landlocked
from .protocols import Sandbox

__all__ = ["choose", "embedded"]


def choose(
    settings: Settings,
    credentials: Credentials,
    preload: Callable[[], Sequence[str]] = tuple,
    broker: Broker | None = None,
) -> tuple[Sandbox, str]:
    """The back-end, and a few words about the choice where it may surprise.

    Raises SandboxUnavailable when the settings name one that is not there.
    """
    wanted = settings.sandbox.strip().lower()
    if wanted not in ("", "embedded", "e2b"):
        raise ConfigError(f'There is no sandbox "{settings.sandbox}".', "Known are: embedded, e2b.")
    key = credentials.model_key("e2b")
    if wanted == "e2b" and not key:
        raise SandboxUnavailable(
            "The settings ask for E2B, but E2B_API_KEY is not set, so nothing runs.",
            f"Put it into .env (`%connect e2b`). {EMBEDDED}",
        )
    if key and wanted != "embedded":
        return E2BSandbox(key), "" if wanted else "chosen because E2B_API_KEY is set"
    return embedded(preload, broker), ""


def embedded(preload: Callable[[], Sequence[str]] = tuple, broker: Broker | None = None) -> Sandbox:
    """The best this machine offers, found by trying."""
    walled = Bubblewrap(preload, broker)
    level = walled.probe()
    if level.name == "full":
        return walled
    walled.close()
    landlocked = Landlocked(level.reason, preload, broker)
    level = landlocked.probe()
    if level.name == "reduced":
        return landlocked
    landlocked.close()
    return ChildProcess(level.reason, preload, broker)
