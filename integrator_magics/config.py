"""Where state lives, and the few settings there are."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from .errors import ConfigError

__all__ = ["Settings", "cache_folder", "home"]


def home() -> Path:
    """The state folder ($INTEGRATOR_HOME or the user's data folder), made with mode 0700."""
    folder = os.environ.get("INTEGRATOR_HOME")
    if folder:
        path = Path(folder).expanduser()
    else:
        from platformdirs import user_data_path

        path = user_data_path("integrator", appauthor=False)
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        raise ConfigError(
            f"The state folder {path} can't be made ({exc.strerror}).",
            "Set INTEGRATOR_HOME to a folder you own.",
        ) from exc
    return path


def cache_folder() -> Path:
    """Where things live that can be made again, such as the knowledge index."""
    from platformdirs import user_cache_path

    path = Path(os.environ["INTEGRATOR_HOME"]) / "cache" if "INTEGRATOR_HOME" in os.environ else None
    path = path or user_cache_path("integrator", appauthor=False)
    path.mkdir(parents=True, exist_ok=True)
    return path


@dataclass
class Settings:
    """settings.toml in the state folder; each may be overridden by INTEGRATOR_<NAME>."""

    model: str = ""  # "" = the default model; "guided" = no model
    sandbox: str = ""  # "" = e2b with a key, else embedded
    ceiling: float = 2.0  # USD per dialog
    turns: int = 25
    personal_values: bool = False  # may values of personal fields reach the model

    @classmethod
    def load(cls) -> Self:
        """The settings in force. Raises ConfigError on a key or value that is not understood."""
        path = home() / "settings.toml"
        values: dict[str, Any] = {}
        if path.exists():
            try:
                values = tomllib.loads(path.read_text(encoding="utf-8"))
            except tomllib.TOMLDecodeError as exc:
                raise ConfigError(f"{path} can't be read: {exc}.", "Correct or delete that file.") from exc
        for name in cls.__dataclass_fields__:
            if text := os.environ.get(f"INTEGRATOR_{name.upper()}"):
                values[name] = text
        settings = cls()
        for name, value in values.items():
            settings.set(name, value)
        return settings

    def set(self, name: str, value: object) -> None:
        """Set one by name, converting text. Raises ConfigError in one sentence."""
        known = type(self).__dataclass_fields__
        if name not in known:
            raise ConfigError(f'There is no setting "{name}".', f"Known are: {', '.join(known)}.")
        kind = type(getattr(type(self)(), name))
        text = str(value).strip()
        try:
            converted = text.lower() in ("1", "true", "yes", "on") if kind is bool else kind(text)
        except ValueError as exc:
            raise ConfigError(f'"{value}" does not fit the setting {name}; a {kind.__name__} is needed.') from exc
        setattr(self, name, converted)

    def save(self) -> None:
        """Write settings.toml with what differs from the defaults."""
        default = type(self)()
        lines = []
        for name in type(self).__dataclass_fields__:
            value = getattr(self, name)
            if value != getattr(default, name):
                shown = str(value).lower() if isinstance(value, bool) else value
                lines.append(f'{name} = "{shown}"' if isinstance(value, str) else f"{name} = {shown}")
        (home() / "settings.toml").write_text("".join(line + "\n" for line in lines), encoding="utf-8")
