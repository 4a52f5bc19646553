"""Which words name a system or an object, gathered from what the drivers say about themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

from .words import singular, tokens

__all__ = ["ANY_SQL", "Lexicon", "Mention", "SystemWords"]

ANY_SQL = "@sql"  # "our database": the one SQL system that is connected
_DATABASE = re.compile(
    r"\b(?:(?:our|my|the|a|this|that|company(?:'s)?|own|local|internal|sql|relational) )*"
    r"(?:data ?bases?|data ?warehouse|warehouse|dwh|db)\b(?! (?:table|column|schema))",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class SystemWords:
    """One driver, as people speak of it."""

    name: str
    label: str
    kind: str = "saas"
    aliases: tuple[str, ...] = ()
    connected: bool = False
    objects: dict[str, tuple[str, ...]] = field(default_factory=dict)  # object -> words for it

    @property
    def spoken(self) -> list[str]:
        """Every name of the system, the longest first."""
        names = dict.fromkeys([self.label, self.name, self.name.replace("_", " "), *self.aliases])
        return sorted((name for name in names if name), key=lambda name: (-len(name), name))


@dataclass(frozen=True)
class Mention:
    """A system that a sentence names, and where."""

    system: str
    start: int
    end: int


@dataclass(frozen=True)
class Lexicon:
    """All known systems."""

    systems: dict[str, SystemWords] = field(default_factory=dict)

    @classmethod
    def of(cls, drivers: Iterable[dict[str, Any]]) -> Lexicon:
        """From the metadata of find_drivers and load_driver, later entries winning."""
        found: dict[str, SystemWords] = {}
        for entry in drivers:
            before = found.get(entry["name"])
            words = {obj: tuple(said) for obj, said in dict(entry.get("words") or {}).items()}
            found[entry["name"]] = SystemWords(
                name=entry["name"],
                label=entry.get("label") or entry["name"].capitalize(),
                kind=entry.get("kind") or (before.kind if before else "saas"),
                aliases=tuple(entry.get("aliases") or (before.aliases if before else ())),
                connected=bool(entry.get("connected")),
                objects=words or (before.objects if before else {}),
            )
        return cls(found)

    def mentions(self, text: str) -> list[Mention]:
        """Systems named in a text, in order; typing errors are forgiven in long names."""
        taken: list[Mention] = []

        def add(system: str, start: int, end: int) -> None:
            if all(end <= other.start or start >= other.end for other in taken):
                taken.append(Mention(system, start, end))

        spoken = [(name, system) for system in self.systems.values() for name in system.spoken]
        for name, system in sorted(spoken, key=lambda entry: -len(entry[0])):
            flags = re.NOFLAG if len(name) <= 3 and name.isupper() else re.IGNORECASE
            gap = r"[\s_-]?".join(re.escape(part) for part in re.split(r"[\s_-]+", name))
            for match in re.finditer(rf"(?<![\w.]){gap}(?![\w]|\.\w)(?:'s\b)?", text, flags):
                add(system.name, *match.span())
        for match in _DATABASE.finditer(text):
            add(ANY_SQL, *match.span())
        for match in re.finditer(r"[A-Za-z]{5,}", text):
            for name, system in spoken:
                if len(name) >= 6 and SequenceMatcher(None, match[0].casefold(), name.casefold()).ratio() >= 0.86:
                    add(system.name, *match.span())
        return sorted(taken, key=lambda mention: mention.start)

    def label(self, system: str) -> str:
        """What to call a system towards people."""
        return self.systems[system].label if system in self.systems else system

    def object_words(self) -> list[tuple[str, ...]]:
        """Token sequences (singular) that name an object of any system, the longest first."""
        found = {
            tuple(singular(word) for word in tokens(said))
            for system in self.systems.values()
            for obj, words in system.objects.items()
            for said in (*words, obj.rpartition(".")[2])
        }
        return sorted((entry for entry in found if entry), key=lambda entry: (-len(entry), entry))

    def objects_called(self, said: str, system: str) -> list[str]:
        """Objects of a system for which people say exactly this, singular or plural."""
        wanted = [singular(word) for word in tokens(said)]
        found = []
        for obj, words in self.systems[system].objects.items() if system in self.systems else ():
            if any([singular(word) for word in tokens(name)] == wanted for name in (*words, obj)):
                found.append(obj)
        return found
