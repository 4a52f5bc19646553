"""Objects and their references as a drawing: boxes in columns, an arrow from each reference field to its object."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from ..relations import Node, Relations
from . import words

__all__ = ["Graph"]

ROW, PAD, GAP_X, GAP_Y = 18, 10, 72, 18
CHARACTER, BOLD = 7.1, 8.0  # width of a character at 12 px, on the generous side
WIDE = 860
FIELDS = 6  # reference fields shown in a box
SWEEPS = 6
# An image does not see the theme: boxes bring their own background, lines are readable on light and dark.
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#1f2937}.t{font-weight:600}.d{fill:#4b5563}"
    ".b{fill:#f8fafc;stroke:#7a8594}.c{stroke:#1967d2;stroke-width:2}.e{fill:none;stroke:#7a8594;stroke-width:1.4}"
)


@dataclass
class _Box:
    node: Node
    column: int
    x: float = 0
    y: float = 0

    @property
    def fields(self) -> list[str]:
        return list(self.node.references)[:FIELDS]

    @property
    def rows(self) -> list[str]:
        more = len(self.node.references) - FIELDS
        itself = [self.node.name]
        shown = [f"{name} (itself)" if self.node.references[name] == itself else name for name in self.fields]
        return [*shown, *([f"and {more} more"] if more > 0 else [])]

    @property
    def detail(self) -> str:
        label = self.node.label if self.node.label != self.node.name else ""
        count = "" if self.node.records is None else words.count(self.node.records, "record")
        return " · ".join(filter(None, (words.clip(label, 40), count)))

    @property
    def height(self) -> float:
        return 2 * PAD + ROW * (1 + bool(self.detail) + len(self.rows))

    @property
    def width(self) -> float:
        longest = max(len(text) for text in (self.detail, *self.rows, "any name"))
        return max(longest * CHARACTER, len(self.node.name) * BOLD) + 2 * PAD

    def row_y(self, field: str) -> float:
        at = self.fields.index(field) if field in self.fields else FIELDS
        return self.y + PAD + ROW * (1 + bool(self.detail) + at) + ROW / 2


class Graph:
    """Shown as an SVG in a notebook and as lines of text elsewhere."""

    def __init__(self, relations: Relations) -> None:
        self._relations = relations

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"image/svg+xml": self.svg(), "text/plain": self.text()}

    def text(self) -> str:
        """Each object with the fields that refer to others."""
        lines = []
        for name, node in self._relations.nodes.items():
            count = "" if node.records is None else f"  {words.count(node.records, 'record')}"
            lines.append(words.clean(f"{name}{count}"))
            lines += [words.clean(f"  {field} -> {', '.join(to)}") for field, to in node.references.items()]
        return "\n".join([*lines, *filter(None, [self._note()])])

    def svg(self) -> str:
        """The drawing, complete in itself. Names are text, escaped."""
        boxes = _placed(self._relations)
        width = max((box.x + box.width for box in boxes.values()), default=0) + PAD
        note = self._note()
        bottom = max((box.y + box.height for box in boxes.values()), default=0) + PAD
        height = bottom + (ROW if note else 0)
        parts = [_edges(boxes), *(_box(box, box.node.name == self._relations.center) for box in boxes.values())]
        if note:
            parts.append(f'<text x="{PAD}" y="{bottom + 10:.0f}" style="fill:#7a8594">{_text(note)}</text>')
            width = max(width, len(note) * CHARACTER * 0.9 + PAD)
        arrow = (
            '<defs><marker id="a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
            '<path d="M0 0L8 4L0 8z" fill="#7a8594"/></marker></defs>'
        )
        title = f"How the objects of {self._relations.system} refer to each other"
        # A wide drawing fits the page; a small one is not blown up.
        size = f'width="{width:.0f}" height="{height:.0f}"' if width <= WIDE else 'width="100%"'
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} '
            f'viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{_text(title)}">'
            f"<title>{_text(title)}</title><style>{_STYLE}</style>{arrow}{''.join(parts)}</svg>"
        )

    def _note(self) -> str:
        found = self._relations
        notes = []
        if found.hubs:
            notes.append(f"Not drawn: {', '.join(found.hubs)}, to which nearly every object refers.")
        if found.looked_at < found.objects:
            notes.append(f"Looked at {found.looked_at} of {words.count(found.objects, 'object')}, the largest ones.")
        return words.clean(" ".join(notes))


def _placed(found: Relations) -> dict[str, _Box]:
    """Boxes in columns: what refers to others on the left, what is referred to on the right."""
    boxes = {
        name: _Box(node, column) for (name, node), column in zip(found.nodes.items(), _columns(found), strict=True)
    }
    columns: dict[int, list[_Box]] = {}
    for box in boxes.values():
        columns.setdefault(box.column, []).append(box)
    near = _neighbours(found)
    for sweep in range(SWEEPS):
        for column in sorted(columns, reverse=bool(sweep % 2)):
            places = {box.node.name: place for row in columns.values() for place, box in enumerate(row)}

            def middle(box: _Box, places: dict[str, int] = places) -> float:
                at = [places[name] for name in near[box.node.name]]
                return sum(at) / len(at) if at else places[box.node.name]

            columns[column].sort(key=middle)
    tallest = max((sum(box.height + GAP_Y for box in row) for row in columns.values()), default=0)
    x = float(PAD)
    for column in sorted(columns):
        row = columns[column]
        y = PAD + (tallest - sum(box.height + GAP_Y for box in row)) / 2
        for box in row:
            box.x, box.y = x, y
            y += box.height + GAP_Y
        x += max(box.width for box in row) + GAP_X
    return boxes


def _columns(found: Relations) -> list[int]:
    """A column for each object: one right of everything that refers to it; references in a circle count once."""
    if found.center:
        center = found.nodes[found.center]
        parents = {target for targets in center.references.values() for target in targets}
        return [1 if name == found.center else 2 if name in parents else 0 for name in found.nodes]
    columns: dict[str, int] = {}
    on_way: set[str] = set()
    children: dict[str, set[str]] = {name: set() for name in found.nodes}
    for name, node in found.nodes.items():
        for targets in node.references.values():
            for target in targets:
                if target != name:
                    children[target].add(name)

    def column(name: str) -> int:
        if name not in columns:
            on_way.add(name)
            columns[name] = max((column(child) + 1 for child in children[name] if child not in on_way), default=0)
            on_way.discard(name)
        return columns[name]

    for name in found.nodes:
        column(name)
    # What refers to nothing and is not referred to stands on the right, out of the way.
    alone = [name for name in found.nodes if not children[name] and not found.nodes[name].references]
    columns |= dict.fromkeys(alone, max(columns.values(), default=0))
    return [columns[name] for name in found.nodes]


def _neighbours(found: Relations) -> dict[str, list[str]]:
    near: dict[str, list[str]] = {name: [] for name in found.nodes}
    for name, node in found.nodes.items():
        for targets in node.references.values():
            for target in targets:
                if target != name:
                    near[name].append(target)
                    near[target].append(name)
    return near


def _edges(boxes: dict[str, _Box]) -> str:
    lines = []
    for box in boxes.values():
        for field, targets in box.node.references.items():
            for target in targets:
                if target == box.node.name:
                    continue
                to = boxes[target]
                x1, y1 = box.x + box.width, box.row_y(field)
                x2, y2 = to.x, to.y + PAD + ROW / 2
                bend = max(36.0, abs(x2 - x1) / 2)
                path = f"M{x1:.0f} {y1:.0f}C{x1 + bend:.0f} {y1:.0f} {x2 - bend:.0f} {y2:.0f} {x2:.0f} {y2:.0f}"
                tip = _text(f"{box.node.name}.{field} refers to {target}")
                lines.append(f'<path class="e" marker-end="url(#a)" d="{path}"><title>{tip}</title></path>')
    return "".join(lines)


def _box(box: _Box, is_center: bool) -> str:
    x, y = box.x + PAD, box.y + PAD + ROW - 5
    lines = [f'<text class="t" x="{x:.0f}" y="{y:.0f}">{_text(box.node.name)}</text>']
    for text in [*([box.detail] if box.detail else []), *box.rows]:
        y += ROW
        lines.append(f'<text class="d" x="{x:.0f}" y="{y:.0f}">{_text(text)}</text>')
    kind = "b c" if is_center else "b"
    return (
        f'<g><rect class="{kind}" x="{box.x:.0f}" y="{box.y:.0f}" width="{box.width:.0f}" '
        f'height="{box.height:.0f}" rx="4"/>{"".join(lines)}</g>'
    )


def _text(text: str) -> str:
    return escape(words.clean(text), quote=True)
