"""The light wheel `integrator-drivers`, made from the installed packages: contract and drivers, no Jupyter."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import integrator_drivers
from integrator_drivers import registry

from .. import __version__

__all__ = ["WHEEL_NAME", "build_light_wheel"]

WHEEL_NAME = f"integrator_drivers-{__version__}-py3-none-any.whl"
CORE = ("python-dotenv>=1.0", "msgspec>=0.19", "apscheduler>=3.11,<4")
EXTRAS = {"dataframe": ("pandas>=2.2",), "parquet": ("pyarrow>=17",)}
EPOCH = (1980, 1, 1, 0, 0, 0)


def build_light_wheel(folder: Path) -> Path:
    """Write the wheel into `folder` and return its path; the same sources give the same bytes (PEP 427)."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / WHEEL_NAME
    info = f"integrator_drivers-{__version__}.dist-info"
    entries = dict(_files())
    entries[f"{info}/METADATA"] = _metadata().encode()
    entries[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: integrator\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record = "".join(f"{name},sha256={_digest(data)},{len(data)}\n" for name, data in entries.items())
    entries[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    temporary = path.with_suffix(".tmp")
    with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(zipfile.ZipInfo(name, EPOCH), data, zipfile.ZIP_DEFLATED)
    temporary.replace(path)
    return path


def _files() -> Iterator[tuple[str, bytes]]:
    root = Path(integrator_drivers.__file__).parent.parent
    packages = [root / "integrator_drivers", *(entry.folder for entry in registry.manifests().values())]
    for package in sorted(packages, key=lambda folder: folder.name):
        for path in sorted(package.rglob("*")):
            inside = path.relative_to(package)
            built = any(part == "__pycache__" or part.startswith(".") for part in inside.parts)
            if path.is_file() and not built and inside.parts[0] != "practice":
                yield f"{package.name}/{inside.as_posix()}", path.read_bytes()


def _metadata() -> str:
    lines = ["Metadata-Version: 2.1", "Name: integrator-drivers", f"Version: {__version__}", "Requires-Python: >=3.11"]
    lines += [f"Requires-Dist: {requirement}" for requirement in CORE]
    extras = EXTRAS | {name: entry.requires for name, entry in registry.manifests().items()}
    for extra, requirements in sorted(extras.items()):
        lines.append(f"Provides-Extra: {extra}")
        lines += [f'Requires-Dist: {requirement}; extra == "{extra}"' for requirement in requirements]
    return "\n".join(lines) + "\n"


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
