"""Which back-end runs a script: the setting, else the one there is. Never a silent change from one to another."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..config import Settings
from ..credentials import Credentials
from ..errors import ConfigError, SandboxUnavailable
from .bubblewrap import Bubblewrap
from .child import ChildProcess
from .protocols import Sandbox

__all__ = ["choose"]


def choose(
    settings: Settings, credentials: Credentials, preload: Callable[[], Sequence[str]] = tuple
) -> tuple[Sandbox, str]:
    """The back-end, and a sentence about the choice where it may surprise.

    Raises SandboxUnavailable when the settings name one that is not there.
    """
    wanted = settings.sandbox.strip().lower()
    if wanted == "e2b":
        raise SandboxUnavailable(
            "The settings ask for E2B, which this version can't use yet, so nothing runs.",
            "`%integrator config --sandbox embedded` runs scripts on this machine instead.",
        )
    if wanted not in ("", "embedded"):
        raise ConfigError(f'There is no sandbox "{settings.sandbox}".', "Known are: embedded, e2b.")
    notice = ""
    if not wanted and credentials.model_key("e2b"):
        notice = "E2B_API_KEY is set, but E2B comes with a later version; scripts run on this machine."
    return _embedded(preload), notice


def _embedded(preload: Callable[[], Sequence[str]]) -> Sandbox:
    """The best this machine offers, found by trying."""
    walled = Bubblewrap(preload)
    level = walled.probe()
    if level.name == "full":
        return walled
    walled.close()
    return ChildProcess(level.reason, preload)
