"""A template at E2B that has the drivers and their libraries, so that a run need not bring them."""

from __future__ import annotations

import shlex
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...errors import RunFailed
from .bundle import DRIVERS, bundle
from .words import unavailable

__all__ = ["build_template"]

_ARCHIVE = "/opt/integrator/drivers.zip"
_UNPACK = "import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])"


def build_template(key: str, say: Callable[[str], None], **connection: Any) -> str:
    """Build it where it is not there yet, and return its name; it changes with every driver and library version.

    Raises SandboxUnavailable or RunFailed in one sentence. `say` gets the lines of the build.
    """
    from e2b import E2B, BuildException

    client, found = E2B(api_key=key, **connection), bundle()
    try:
        if client.Template.exists(found.name):
            return found.name
        with tempfile.TemporaryDirectory(prefix="integrator-template-") as folder:
            Path(folder, "drivers.zip").write_bytes(found.archive)
            install = ["python3", "-m", "pip", "install", "--no-cache-dir", *(text for text, _ in found.libraries)]
            template = (
                client.Template(file_context_path=folder)
                .from_python_image(f"{sys.version_info.major}.{sys.version_info.minor}")
                .set_user("root")
                .run_cmd(shlex.join(install))
                .copy("drivers.zip", _ARCHIVE)
                .run_cmd(shlex.join(["python3", "-c", _UNPACK, _ARCHIVE, DRIVERS]))
            )
            client.Template.build(template, found.name, on_build_logs=lambda entry: say(entry.message))
    except BuildException as exc:
        raise RunFailed(f"E2B could not build the template: {exc}", "Runs go on without it, only slower.") from exc
    except Exception as exc:
        raise unavailable(exc) from exc
    return found.name
