from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

from ui_events import DIALOG, PREVIEWED, RAN, TARGET, WROTE

from integrator_magics import events as e
from integrator_magics.ui.html import html, transcript

HOSTILE = "<img src=x onerror=alert(1)>\"'><script>alert(2)</script>\u202e"


class Tags(HTMLParser):
    """Which elements and attributes there are, and whether they close."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_text_from_outside_stays_text_in_every_event() -> None:
    target = e.TargetCounts(
        HOSTILE, HOSTILE, [HOSTILE], HOSTILE, add=1, update=1, reject=9, changes=[HOSTILE],
        differences=[{HOSTILE: HOSTILE}, {"field": HOSTILE, "old": HOSTILE, "new": HOSTILE, "key": HOSTILE}],
        rejects=[{"reason": HOSTILE, "record": {HOSTILE: HOSTILE}}],
    )  # fmt: skip
    table = e.Table(HOSTILE, [HOSTILE], [{HOSTILE: HOSTILE}], 2)
    option = e.Option(HOSTILE, HOSTILE)
    files = [{"path": HOSTILE, "rows": 1, "bytes": 1}]
    events = [
        e.Opened(HOSTILE, HOSTILE, HOSTILE),
        e.Said(HOSTILE),
        e.Step("a", HOSTILE, HOSTILE, "done", 1, [table], HOSTILE),
        e.Asked(HOSTILE, [option]),
        e.Answered(HOSTILE),
        e.Wrote(HOSTILE, HOSTILE, HOSTILE, 2, HOSTILE, HOSTILE),
        e.Explained(HOSTILE, [HOSTILE], [HOSTILE]),
        replace(
            PREVIEWED,
            name=HOSTILE,
            sha256=HOSTILE,
            targets=[target],
            tables=[table],
            files=files,
            sandbox=HOSTILE,
            expires=HOSTILE,
        ),
        e.Decided(HOSTILE, False, HOSTILE, HOSTILE, HOSTILE),
        e.Ran(HOSTILE, [target], [table], files, 1, HOSTILE, HOSTILE, 1, False),
        e.Failed(HOSTILE, HOSTILE, HOSTILE, [option], HOSTILE),
        e.Ended("cancelled", HOSTILE),
    ]
    for event in [*events, e.Progress(HOSTILE, 1, 2)]:
        source = html(event)
        tags = Tags(source)
        assert not tags.open
        assert not tags.seen & {"img", "script", "iframe", "a", "button"}
        assert not {name for name in tags.attributes if name.startswith("on") or name in ("src", "href", "style")}
        assert "\u202e" not in source
    assert not Tags(transcript(events)).seen & {"img", "script"}


def test_the_saved_dialog_tells_the_whole_story() -> None:
    text = re.sub("<[^>]+>", " ", transcript(DIALOG))
    for part in ("Which one do you mean?", "You answered", "380 added + 32 updated", "approved by jana", "log whole"):
        assert part in text


def test_a_saved_dialog_holds_no_code_of_an_approval_and_no_button() -> None:
    source = transcript(DIALOG)
    assert "7K2Q" not in source
    assert not Tags(source).seen & {"button", "input"}


def test_meaning_is_never_in_colour_alone() -> None:
    assert '<span class="ig-word">failed</span>' in html(e.Failed("It broke."))
    assert '<span class="ig-word">done</span>' in html(RAN)


def test_only_theme_variables_give_colours() -> None:
    source = html(WROTE)
    assert not re.search(r"#[0-9a-fA-F]{3,8}\b|rgb\(", source.split("</style>")[0])


def test_numbers_stand_on_the_right() -> None:
    assert '<td class="ig-number">380</td>' in html(replace(PREVIEWED, targets=[TARGET]))
