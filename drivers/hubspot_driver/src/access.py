"""What the broker needs to ask HubSpot in place of a script."""

from __future__ import annotations

from collections.abc import Mapping

from integrator_drivers.access import Access

from .settings import Settings

__all__ = ["authorize"]


def authorize(environ: Mapping[str, str]) -> Access:
    """The headers of every request. Raises AuthError naming what lacks."""
    return Access({"Authorization": f"Bearer {Settings.from_environment(environ).token}"})
