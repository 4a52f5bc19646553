"""The variables a run gets, by what it may do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from integrator_drivers import Mode
from integrator_drivers.manifest import Manifest

__all__ = ["for_mode", "mode_variables"]


def for_mode(manifest: Manifest, env: Mapping[str, str], mode: Mode) -> dict[str, str]:
    """The variables a run in this mode gets.

    Where a read-only login is there (PG_READ_USER, PG_READ_PASSWORD), discovery and preview don't get the secrets of
    the writing one (PGPASSWORD), and apply does not get those of the reading one.
    """
    secrets = {variable.name for variable in manifest.env if variable.secret and variable.name in env}
    readers = {name for name in secrets if "_READ_" in name}
    writers = {plain for name in readers for plain in (name.replace("_READ_", "_"), name.replace("_READ_", ""))}
    withheld = readers if mode is Mode.APPLY else writers & secrets
    return {name: value for name, value in env.items() if name not in withheld}


def mode_variables(mode: Mode, now: datetime, max_rows: int | None, first: int | None = None) -> dict[str, str]:
    """What tells the drivers the mode, the moment the run stands for, the rows approved, and how many to begin with."""
    found = {"INTEGRATOR_MODE": str(mode), "INTEGRATOR_NOW": now.astimezone(UTC).isoformat()}
    found |= {"INTEGRATOR_MAX_ROWS": str(max_rows)} if max_rows is not None else {}
    return found | ({"INTEGRATOR_FIRST_ROWS": str(first)} if first is not None else {})
