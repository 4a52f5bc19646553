"""No known value gets through, in whatever form and however it is cut; everything else stays as it is."""

from __future__ import annotations

import base64
import html
import json
import string
import urllib.parse
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrator_magics.credentials import Redactor

SECRETS = {
    "PLAIN": "Zq8vLm2RtY5w",
    "SIGNS": "p@ss/w+rd=1&2 \"q\" 'r' \\x <y>",
    "ONLY_SIGNS": "!$%&/()=?*+#",
    "UNICODE": "Grüße-an-😀-Ångström",
    "LINES": "first line 11\nsecond line 22\n",
    "COLON": "user:pa:ss:word99",
}


def encodings(value: str) -> dict[str, str]:
    data = value.encode()
    found = {
        "raw": value,
        "repr": repr(value),
        "ascii": ascii(value),
        "repr of repr": repr(repr(value)),
        "json": json.dumps(value),
        "json unicode": json.dumps(value, ensure_ascii=False),
        "json in json": json.dumps(json.dumps({"a": value})),
        "json escaped slash": json.dumps(value).replace("/", "\\/"),
        "quote": urllib.parse.quote(value),
        "quote all": urllib.parse.quote(value, safe=""),
        "quote like javascript": urllib.parse.quote(value, safe="!~*'()"),
        "quote lower": "".join(chr(byte) if chr(byte).isalnum() and byte < 128 else f"%{byte:02x}" for byte in data),
        "quote plus": urllib.parse.quote_plus(value),
        "urlencode": urllib.parse.urlencode({"k": value}),
        "percent every byte": "".join(f"%{byte:02X}" for byte in data),
        "percent every byte lower": "".join(f"%{byte:02x}" for byte in data),
        "html": html.escape(value),
        "html no quotes": html.escape(value, quote=False),
        "html numbers": "".join(f"&#{ord(char)};" for char in value),
        "html hex": "".join(f"&#x{ord(char):x};" for char in value),
        "hex": data.hex(),
        "HEX": data.hex().upper(),
        "hex bytes": data.hex(" "),
        "bytes repr": repr(data),
        "escaped bytes": "".join(f"\\x{byte:02x}" for byte in data),
        "escaped units": "".join(
            f"\\u{int.from_bytes(unit, 'big'):04x}"
            for char in value
            for unit in [char.encode("utf-16-be")[i : i + 2] for i in range(0, len(char.encode("utf-16-be")), 2)]
        ),
        "sql": value.replace("'", "''"),
        "csv": value.replace('"', '""'),
        "shell": value.replace("'", "'\\''"),
    }
    middle = len(value) // 2
    found["coloured"] = f"\x1b[1;31m{value[:middle]}\x1b[0m\x1b[32m{value[middle:]}\x1b[0m"
    found["coloured early"] = f"{value[:1]}\x1b[0m{value[1:]}"
    for at in (60, 68, 75):
        found[f"base64 in lines, {at}"] = base64.encodebytes(b"x" * (at * 3 // 4 - len(data) // 2) + data).decode()
    for offset in range(3):
        found[f"base64 at {offset}"] = base64.b64encode(b"x" * offset + data + b"y" * 3).decode()
        found[f"url base64 at {offset}"] = base64.urlsafe_b64encode(b"\xff" * offset + data).decode()
    return found


class Case(NamedTuple):
    name: str
    form: str
    text: str


CASES = [Case(name, form, text) for name, value in SECRETS.items() for form, text in encodings(value).items()]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}-{case.form}")
def test_every_form_of_a_value_is_replaced(case: Case) -> None:
    clean = Redactor(SECRETS).redact(f"before {case.text} after")
    assert f"[{case.name}]" in clean
    assert clean.startswith("before ")
    assert clean.endswith(" after")
    if "lines" in case.form or "coloured" in case.form:
        return
    assert len(clean) < len("before [] after") + len(case.name) + 20, clean  # at most padding is left of it


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}-{case.form}")
def test_cut_at_any_place_the_stream_gives_the_same(case: Case) -> None:
    redactor = Redactor(SECRETS)
    text = f"before {case.text} after"
    whole = redactor.redact(text)
    for at in range(1, len(text), max(1, len(text) // 50)):
        stream = redactor.stream()
        assert stream.feed(text[:at]) + stream.feed(text[at:]) + stream.flush() == whole


PIECES = [
    *[form.text for form in CASES if len(form.text) < 120][::7],
    "Zq8vLm2RtY5",
    "Zq8v",
    "%",
    "\\",
    "&#",
    "[",
    "\n",
    "abc",
    "pin=",
    "77",
]


@settings(max_examples=300, deadline=None)
@given(data=st.data(), parts=st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=6)), max_size=12))
def test_any_chunking_gives_the_same_output(data: st.DataObject, parts: list[str]) -> None:
    redactor = Redactor({**SECRETS, "PIN": "77", "SHORT": "a-b"})
    text = "".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    stream = redactor.stream()
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    out = "".join(stream.feed(piece) for piece in pieces) + stream.flush()
    assert out == redactor.redact(text)


@settings(max_examples=200, deadline=None)
@given(
    value=st.text(st.characters(exclude_categories=["Cs"]), min_size=8, max_size=30).filter(
        lambda v: len(v.strip()) >= 8
    ),
    before=st.text(string.printable, max_size=20),
    chunk=st.integers(1, 9),
)
def test_any_value_is_replaced_in_the_common_forms(value: str, before: str, chunk: int) -> None:
    redactor = Redactor({"X": value})
    forms = encodings(value)
    for form in (
        "raw",
        "repr",
        "json",
        "json unicode",
        "quote",
        "quote all",
        "quote plus",
        "html",
        "hex",
        "base64 at 1",
    ):
        text = f"{before} {forms[form]} end"
        clean = redactor.redact(text)
        assert "[X]" in clean, form
        stream = redactor.stream()
        assert "".join(stream.feed(text[i : i + chunk]) for i in range(0, len(text), chunk)) + stream.flush() == clean


def test_one_character_at_a_time_holds_back_little() -> None:
    redactor = Redactor({"PLAIN": SECRETS["PLAIN"]})
    stream = redactor.stream()
    text = "a long line of ordinary words without any secret in it\n" * 3
    shown = ""
    for char in text:
        shown += stream.feed(char)
    assert len(text) - len(shown) <= 6
    assert shown + stream.flush() == text


NEAR = [
    "Zq8vLm2RtY5",
    "zq8vlm2rty5w",
    "Zq8vLm2RtY6w",
    "q8vLm2RtY5w",
    "Zq8vLm2 RtY5w",
    "w5YtR2mLv8qZ",
    "p@ss/w+rd=1&2",
    "Grusse-an",
    "first line",
    "[PLAIN]",
    "%5A%71%38",
    base64.b64encode(b"Zq8vLm2").decode(),
    "SELECT * FROM leads WHERE pin = 12",
    "",
    "\0\x1b[0m\n",
]


@pytest.mark.parametrize("text", NEAR)
def test_near_misses_stay_as_they_are(text: str) -> None:
    redactor = Redactor({**SECRETS, "PIN": "77", "BLANK": "   ", "NOTHING": ""})
    assert redactor.redact(text) == text
    stream = redactor.stream()
    assert stream.feed(text) + stream.flush() == text


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("pin=4711", "pin=[DOOR_PIN]"),
        ("DOOR_PIN: 4711", "DOOR_PIN: [DOOR_PIN]"),
        ('{"door_pin": "4711"}', '{"door_pin": "[DOOR_PIN]"}'),
        ('{\\"password\\": \\"4711\\"}', '{\\"password\\": \\"[DOOR_PIN]\\"}'),
        ("password = '4711'", "password = '[DOOR_PIN]'"),
        ("Authorization: Bearer 4711", "Authorization: Bearer [DOOR_PIN]"),
        ("postgres://ann:4711@db/x", "postgres://ann:[DOOR_PIN]@db/x"),
        ("token=4711&x=1", "token=[DOOR_PIN]&x=1"),
        ("4711 rows", "4711 rows"),
        ("pin=47110", "pin=47110"),
        ("order 4711", "order 4711"),
    ],
)
def test_a_short_value_counts_only_where_something_says_what_it_is(text: str, clean: str) -> None:
    redactor = Redactor({"DOOR_PIN": "4711"})
    assert redactor.redact(text) == clean
    for at in range(len(text)):
        stream = redactor.stream()
        assert stream.feed(text[:at]) + stream.feed(text[at:]) + stream.flush() == clean


def test_where_two_values_begin_together_the_longer_counts() -> None:
    redactor = Redactor({"SHORTER": "secret-one", "LONGER": "secret-one-and-two"})
    assert redactor.redact("secret-one-and-two secret-one secret-one-and") == "[LONGER] [SHORTER] [SHORTER]-and"


def test_the_parts_of_an_address_and_of_a_key_file_count_too() -> None:
    key = (
        "-----BEGIN FAKE PRIVATE KEY-----\nQUJDREVGR0hJSktMTU5P\nUFFSU1RVVldYWVoxMjM0\n-----END FAKE PRIVATE KEY-----\n"
    )
    redactor = Redactor({"DATABASE_URL": "postgres://ann:p%40ss-w0rd@db.example/x", "KEY": key})
    assert redactor.redact("login p@ss-w0rd and p%40ss-w0rd") == "login [DATABASE_URL] and [DATABASE_URL]"
    assert redactor.redact("  2 | UFFSU1RVVldYWVoxMjM0") == "  2 | [KEY]"
    assert redactor.redact(json.dumps({"key": key})) == '{"key": "[KEY]"}'


def test_data_is_walked_with_its_keys_and_types() -> None:
    redactor = Redactor({"PLAIN": "Zq8vLm2RtY5w", "NUMBER": "1234567890", "PIN": "77"})
    data = {
        "rows": [{"a": "x Zq8vLm2RtY5w", "Zq8vLm2RtY5w": 1, "n": 1234567890, "f": 1.5, "t": True, "none": None}],
        "pair": ("Zq8vLm2RtY5w", 2),
        "bytes": b"Zq8vLm2RtY5w",
        "set": {"Zq8vLm2RtY5w"},
        "pin": "77",
        "count": 77,
    }
    assert redactor.redact_data(data) == {
        "rows": [{"a": "x [PLAIN]", "[PLAIN]": 1, "n": "[NUMBER]", "f": 1.5, "t": True, "none": None}],
        "pair": ("[PLAIN]", 2),
        "bytes": b"[PLAIN]",
        "set": {"[PLAIN]"},
        "pin": "[PIN]",
        "count": 77,
    }
    assert redactor.redact_data(3.5) == 3.5


def test_registering_twice_or_nothing_changes_nothing() -> None:
    redactor = Redactor({"A": "same-value-1"})
    redactor.register("same-value-1", "B")
    redactor.register("", "EMPTY")
    redactor.register(" \n ", "BLANK")
    assert redactor.redact("same-value-1  \n ") == "[A]  \n "


def test_a_session_id_learned_at_login_is_replaced_from_then_on() -> None:
    redactor = Redactor()
    stream = redactor.stream()
    shown = stream.feed("before 00Dfake!session ")
    redactor.register("00Dfake!session", "SALESFORCE_SESSION")
    shown += stream.feed("after 00Dfake!ses") + stream.feed("sion end") + stream.flush()
    assert shown.endswith("after [SALESFORCE_SESSION] end")
