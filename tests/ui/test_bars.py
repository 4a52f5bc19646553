"""A table's column of numbers as a bar chart."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from integrator_magics.events import Previewed, Table
from integrator_magics.ui.bars import bar_chart
from integrator_magics.ui.html import fragment
from integrator_magics.ui.text import lines

ROWS = [
    {"campaign": "Web & <b>Co</b>", "percent": 41.5},
    {"campaign": "Fair", "percent": 20.75},
    {"campaign": "Tiny", "percent": None},
]
TABLE = Table("ranking", ["campaign", "percent"], ROWS, 3, "percent")
SVG = "{http://www.w3.org/2000/svg}"


def previewed(table: Table) -> Previewed:
    return Previewed("x", "0" * 64, [], [table], [], 0.1, "embedded", False, False, answers=["Web is <first>."])


def test_bars_are_as_long_as_their_numbers_and_all_text_is_escaped() -> None:
    root = ET.fromstring(bar_chart(TABLE))
    first, second = (float(bar.get("width", "0")) for bar in root.iter(f"{SVG}rect"))
    assert first == 2 * second
    said = [text.text for text in root.iter(f"{SVG}text")]
    assert said == ["Web & <b>Co</b>", "41.5", "Fair", "20.75", "Tiny", "–"]


def test_nothing_is_drawn_without_a_number() -> None:
    assert bar_chart(Table("x", ["a", "n"], [{"a": "b", "n": None}, {"a": "c", "n": "5"}], 2, "n")) == ""


def test_a_preview_shows_the_sentence_the_chart_and_the_table() -> None:
    page = fragment(previewed(TABLE))
    assert page.index("Web is &lt;first&gt;.") < page.index("<svg") < page.index("<table")
    assert "<svg" not in fragment(previewed(Table("ranking", ["campaign"], ROWS, 3)))


def test_the_chart_has_a_twin_in_plain_text() -> None:
    shown = lines(previewed(TABLE))
    assert "Web is <first>." in [line.strip() for line in shown]
    bars = {line.split("  ")[1].strip(): line.count("#") for line in shown if "#" in line}
    assert bars == {"Web & <b>Co</b>": 40, "Fair": 20}
