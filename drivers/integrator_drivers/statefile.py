"""The resume point of a sync whose target can't keep it: a file beside the script."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

from .errors import ValidationError
from .files import replacing

__all__ = ["FOLDER", "StateFile"]

FOLDER = "integrator_state"


class StateFile:
    """`integrator_state/NAME.json` beside the script; inside the sandbox, in its working folder."""

    def __init__(self, sync_id: str) -> None:
        self.path = _beside() / FOLDER / (re.sub(r"[^A-Za-z0-9]+", "-", sync_id).strip("-") + ".json")

    def load(self) -> dict[str, Any] | None:
        """What was saved last; None before the first time. Raises ValidationError where the file makes no sense."""
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as exc:
            raise ValidationError(
                f"{self.path} should say how far the last sync came and can't be read. Nothing was written. "
                "Move it away to read everything again."
            ) from exc
        return found if isinstance(found, dict) else None

    def save(self, state: dict[str, Any]) -> None:
        """Replace it as a whole."""
        with replacing(self.path) as part:
            part.write_text(json.dumps(state, indent=1), encoding="utf-8")


def _beside() -> Path:
    if os.environ.get("INTEGRATOR_MODE") or os.environ.get("INTEGRATOR_REPORT"):
        return Path()
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    return Path(script).resolve().parent if script else Path()
