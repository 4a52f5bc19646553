"""What a machine at E2B needs: the contract and the drivers as one archive, and the libraries they import."""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from integrator_drivers import registry

from .. import place

__all__ = ["DRIVERS", "Bundle", "bundle", "program"]

DRIVERS = "/opt/integrator/drivers"  # where the archive is unpacked
_ALWAYS = ("python-dotenv", "msgspec", "apscheduler", "tzdata", "pandas", "pyarrow")  # of the contract, and for tables
_IMPORTS = {"python-dotenv": "dotenv", "psycopg[binary]": "psycopg"}
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Bundle:
    """Bytes of the archive, and libraries as (requirement with the version installed here, module to import)."""

    archive: bytes
    libraries: tuple[tuple[str, str], ...]

    @cached_property
    def name(self) -> str:
        """Of the template that has exactly this."""
        text = "\n".join(requirement for requirement, _ in self.libraries).encode()
        return f"integrator-{hashlib.sha256(self.archive + text).hexdigest()[:16]}"


def bundle() -> Bundle:
    """What the drivers installed here need; the same sources and versions give the same name."""
    requirements = dict.fromkeys(_ALWAYS)
    for entry in registry.manifests().values():
        requirements |= dict.fromkeys(_distribution(text) for text in entry.requires)
    pinned = tuple(found for name in requirements if (found := _pinned(name)) is not None)
    return Bundle(_zip(place.driver_folders()), pinned)


def program() -> dict[str, bytes]:
    """Files of the program inside, by their path in its folder."""
    return {f"inside/{path.name}": path.read_bytes() for path in sorted(place.INSIDE.glob("*.py"))}


def _pinned(distribution: str) -> tuple[str, str] | None:
    """None for an optional library that is not here."""
    plain = distribution.partition("[")[0]
    try:
        found = version(plain)
    except PackageNotFoundError:
        return None
    return f"{distribution}=={found}", _IMPORTS.get(distribution, plain.replace("-", "_").lower())


def _distribution(requirement: str) -> str:
    for mark in "<>=!~; ":
        requirement = requirement.split(mark)[0]
    return requirement


def _zip(folders: list[Path]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for folder in sorted(folders, key=lambda entry: entry.name):
            for path in sorted(folder.rglob("*")):
                inside = path.relative_to(folder)
                is_built = any(part == "__pycache__" or part.startswith(".") for part in inside.parts)
                if path.is_file() and not is_built and inside.parts[0] != "practice":
                    name = f"{folder.name}/{inside.as_posix()}"
                    archive.writestr(zipfile.ZipInfo(name, _EPOCH), path.read_bytes(), zipfile.ZIP_DEFLATED)
    return out.getvalue()
