"""Scripts as files: every version kept, the approved one exported."""

from .script import Exported, export, get_schedule, same_but_schedule, set_schedule
from .store import NAME, ScriptStore, Version, notebook_folder, sha256
from .wheel import WHEEL_NAME, build_light_wheel

__all__ = [
    "NAME",
    "WHEEL_NAME",
    "Exported",
    "ScriptStore",
    "Version",
    "build_light_wheel",
    "export",
    "get_schedule",
    "notebook_folder",
    "same_but_schedule",
    "set_schedule",
    "sha256",
]
