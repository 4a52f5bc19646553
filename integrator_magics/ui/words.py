"""Numbers, times and texts as people read them."""

from __future__ import annotations

import unicodedata
from datetime import UTC, date, datetime

__all__ = [
    "clean",
    "clip",
    "clock",
    "count",
    "day",
    "duration",
    "join_words",
    "moment",
    "money",
    "number",
    "plural",
    "recently",
    "short",
    "size",
]

# Not strftime: the product speaks English whatever the locale is.
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_IRREGULAR = {"reply": "replies", "entry": "entries", "query": "queries", "company": "companies"}


def number(value: float) -> str:
    """1240 -> "1,240"; fractions keep at most two digits."""
    if isinstance(value, float) and not value.is_integer():
        return f"{value:,.2f}".rstrip("0").rstrip(".")
    return f"{int(value):,}"


def plural(word: str, amount: float) -> str:
    """The word, with an s unless there is exactly one."""
    return word if amount == 1 else _IRREGULAR.get(word, word + "s")


def count(amount: float, word: str) -> str:
    """412, "row" -> "412 rows"."""
    return f"{number(amount)} {plural(word, amount)}"


def duration(seconds: float) -> str:
    """0.23 -> "0.2 s", 130 -> "2 min 10 s", 3700 -> "1 h 1 min"."""
    if seconds < 9.95:
        return f"{max(seconds, 0):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        minutes, rest = divmod(whole, 60)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, rest = divmod(round(whole / 60), 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def size(amount: int) -> str:
    """Bytes as B, kB, MB or GB, in steps of 1000."""
    value = float(amount)
    for unit in ("B", "kB", "MB"):
        if value < 999.5:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 9.95 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


def money(usd: float) -> str:
    """0.0234 -> "0.02 USD"; amounts under one cent keep two significant digits."""
    return f"{usd:.2f} USD" if usd == 0 or usd >= 0.01 else f"{usd:.2g} USD"


def _local(when: str | datetime) -> datetime:
    """Local time of an ISO text or a datetime; one without a zone is taken as UTC."""
    if isinstance(when, str):
        when = datetime.fromisoformat(when)
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return when.astimezone()


def day(when: date) -> str:
    """ "22 October 2026"."""
    return f"{when.day} {_MONTHS[when.month - 1]} {when.year}"


def clock(when: str | datetime) -> str:
    """Local time of day: "14:03". Text that is no ISO time is returned as it is."""
    try:
        return f"{_local(when):%H:%M}"
    except ValueError:
        return str(when)


def moment(when: str | datetime) -> str:
    """Local date and time with the zone: "22 October 2026, 14:03 CEST"."""
    try:
        local = _local(when)
    except ValueError:
        return str(when)
    return f"{day(local)}, {local:%H:%M} {local.tzname()}"


def recently(when: str | datetime, now: datetime | None = None) -> str:
    """The local time of day where it was today, "today, 14:03"; else the whole moment."""
    try:
        local = _local(when)
    except ValueError:
        return str(when)
    today = _local(now or datetime.now(UTC)).date()
    return f"today, {local:%H:%M}" if local.date() == today else moment(local)


def short(digest: str) -> str:
    """The first six characters of an id or a hash."""
    return digest if len(digest) <= 8 else f"{digest[:6]}..."


def join_words(words: list[str]) -> str:
    """["a", "b", "c"] -> "a, b and c"."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def clean(text: object) -> str:
    r"""Text from outside with control and direction characters made visible: ESC -> "\x1b". Keeps newline and tab."""
    text = str(text).replace("\r\n", "\n")
    if text.isprintable():
        return text
    return "".join(char if _plain(char) else char.encode("unicode_escape").decode("ascii") for char in text)


def _plain(char: str) -> bool:
    # Cf holds the direction overrides, but also the joiner that emoji and several scripts need.
    return char in "\n\t\u200d\u200c" or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp", "Co")


def clip(text: object, width: int = 60) -> str:
    """One line of at most `width` characters; what was cut is counted: "abc... (120 characters hidden)"."""
    line = " ".join(clean(text).split())
    return line if len(line) <= width else f"{line[:width]}... ({number(len(line) - width)} characters hidden)"
