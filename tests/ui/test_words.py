from __future__ import annotations

from datetime import date

import pytest

from integrator_magics.ui import words


@pytest.mark.parametrize(
    ("value", "shown"), [(0, "0"), (1240, "1,240"), (1234567.0, "1,234,567"), (0.93, "0.93"), (2.5, "2.5")]
)
def test_numbers_have_thousands_separators(value: float, shown: str) -> None:
    assert words.number(value) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.02, "0.0 s"),
        (0.23, "0.2 s"),
        (9.97, "10 s"),
        (59.7, "1 min"),
        (130, "2 min 10 s"),
        (3600, "1 h"),
        (3700, "1 h 2 min"),
        (-1, "0.0 s"),
    ],
)
def test_durations_are_human(seconds: float, shown: str) -> None:
    assert words.duration(seconds) == shown


@pytest.mark.parametrize(("amount", "shown"), [(999, "999 B"), (1200, "1.2 kB"), (30_400, "30 kB"), (5e9, "5.0 GB")])
def test_sizes_have_units(amount: int, shown: str) -> None:
    assert words.size(amount) == shown


def test_one_row_is_not_rows() -> None:
    assert [words.count(n, "row") for n in (0, 1, 2)] == ["0 rows", "1 row", "2 rows"]


def test_dates_are_written_out() -> None:
    assert words.day(date(2026, 10, 22)) == "22 October 2026"


def test_times_are_local_with_the_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        assert words.moment("2026-07-22T12:03:00+00:00") == "22 July 2026, 14:03 CEST"
        assert words.clock("2026-12-22T12:03:00") == "13:03"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_time_that_is_none_is_shown_as_it_is() -> None:
    assert words.moment("soon") == "soon"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("a\nb\tc", "a\nb\tc"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("abc\u202ecba", "abc\\u202ecba"),
        ("a\r\nb\rc", "a\nb\\rc"),
        ("Zoë 👩‍💻", "Zoë 👩‍💻"),
    ],
)
def test_control_and_direction_characters_are_visible(text: str, shown: str) -> None:
    assert words.clean(text) == shown


def test_what_is_cut_is_counted() -> None:
    assert words.clip("x" * 70, 10) == "xxxxxxxxxx... (60 characters hidden)"


def test_small_amounts_of_money_are_not_zero() -> None:
    assert [words.money(usd) for usd in (0, 0.0034, 0.05, 2)] == ["0.00 USD", "0.0034 USD", "0.05 USD", "2.00 USD"]
