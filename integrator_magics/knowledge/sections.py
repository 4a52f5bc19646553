"""Documents cut into sections by heading, and examples as they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Section", "sections", "spoken"]

SIZE = 6_000  # characters; longer sections are cut between paragraphs
_HEADING = re.compile(r"(#{1,4})\s+(.+?)\s*#*\s*$")
_FENCE = re.compile(r"\s{0,3}(```+|~~~+)")


@dataclass(frozen=True)
class Section:
    """One part of a document. `heading` names the headings above it too: "Salesforce > Limits"."""

    heading: str
    text: str


def sections(path: str, text: str) -> Iterator[Section]:
    """The sections of a document in its order; nothing of it is left out."""
    found = _example(path, text) if path.endswith(".py") else _markdown(path, text)
    for section in found:
        parts = list(_parts(section.text))
        for number, part in enumerate(parts, 1):
            yield Section(section.heading if number == 1 else f"{section.heading} ({number})", part)


def spoken(text: str) -> str:
    """The words inside joined names: LeadSource and lead_source as "lead source"."""
    names = set(re.findall(r"\b[A-Za-z]+(?:[A-Z][a-z0-9]+)+\b", text))
    return " ".join(" ".join(re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name)) for name in sorted(names))


def _markdown(path: str, text: str) -> Iterator[Section]:
    trail: list[tuple[int, str]] = []
    lines: list[str] = []
    fence = ""
    for line in text.splitlines():
        if match := _FENCE.match(line):
            fence = "" if fence and match[1].startswith(fence) else fence or match[1]
        heading = None if fence else _HEADING.match(line)
        if heading:
            if any(entry.strip() for entry in lines):
                yield Section(_path(trail, path), "\n".join(lines).strip())
            lines = []
            level = len(heading[1])
            trail = [entry for entry in trail if entry[0] < level] + [(level, heading[2])]
        lines.append(line)
    if any(entry.strip() for entry in lines):
        yield Section(_path(trail, path), "\n".join(lines).strip())


def _path(trail: list[tuple[int, str]], path: str) -> str:
    return " > ".join(title for _, title in trail) or path


def _example(path: str, text: str) -> Iterator[Section]:
    match = re.search(r'"""\s*(.+)', text)
    yield Section(match[1].strip(' ."') if match else path, text.strip())


def _parts(text: str) -> Iterator[str]:
    while len(text) > SIZE:
        end = text.rfind("\n\n", SIZE // 2, SIZE)
        end = end if end > 0 else text.rfind("\n", SIZE // 2, SIZE)
        end = end if end > 0 else SIZE
        yield text[:end].strip()
        text = text[end:].lstrip("\n")
    if text.strip():
        yield text.strip()
