"""Time expressions of people -> the bounds of a window, as code and in words."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

__all__ = ["VERBS", "Moment", "Window", "find_window"]

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan",
            "february feb",
            "march mar",
            "april apr",
            "may",
            "june jun",
            "july jul",
            "august aug",
            "september sept sep",
            "october oct",
            "november nov",
            "december dec",
        ),
        start=1,
    )
    for name in names.split()
}
MONTH_NAMES = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_DAYS = {
    name: number
    for number, names in enumerate(
        (
            "monday mon",
            "tuesday tues tue",
            "wednesday wed",
            "thursday thurs thu",
            "friday fri",
            "saturday sat",
            "sunday sun",
        )
    )
    for name in names.split()
}
_NUMBERS = {
    word: value
    for value, words in enumerate(
        [
            "zero",
            "a an one",
            "two couple",
            "three",
            "four",
            "five",
            "six half-dozen",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve dozen",
        ]
    )
    for word in words.split()
} | {"fourteen": 14, "fifteen": 15, "twenty": 20, "thirty": 30, "sixty": 60, "ninety": 90, "hundred": 100}
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "1st": 1, "2nd": 2, "3rd": 3, "4th": 4}
_DAYS_IN = {"day": 1, "week": 7, "fortnight": 14, "month": 30, "quarter": 91, "year": 365}

_M = "(?P<{0}>" + "|".join(sorted(_MONTHS, key=len, reverse=True)) + r")\.?"
_MONTH = "(?:" + "|".join(sorted(_MONTHS, key=len, reverse=True)) + r")\b\.?"
_YEAR = r"(?:19|20)\d\d"
_DATE = (
    rf"(?:{_YEAR}-\d\d?-\d\d?|\d\d?\.\d\d?\.{_YEAR}|\d\d?/\d\d?/{_YEAR}"
    rf"|(?:the )?\d\d?(?:st|nd|rd|th)?(?: of)? {_MONTH}(?:,? {_YEAR})?"
    rf"|{_MONTH} \d\d?(?:st|nd|rd|th)?\b(?:,? {_YEAR})?|{_MONTH}(?: (?:of )?{_YEAR})?|{_YEAR}\b(?!-))"
)
_COUNT = r"\d+|" + "|".join(sorted(_NUMBERS, key=len, reverse=True))
_UNIT = r"hour|day|business day|week|fortnight|month|quarter|year"


@dataclass(frozen=True)
class Moment:
    """A bound of a window. `unit`, `ago`: relative to each run; `day`: fixed; `hours`: that many hours ago."""

    unit: str = ""
    ago: int = 0
    day: date | None = None
    hours: int = 0
    rolling: bool = False  # days_ago(ago) instead of start_of(unit, ago)

    def code(self, kind: str = "datetime") -> str:
        """A Python expression for a field of type date or datetime."""
        if self.day:
            if kind == "date":
                return f"date({self.day.year}, {self.day.month}, {self.day.day})"
            return f"datetime({self.day.year}, {self.day.month}, {self.day.day}, tzinfo=UTC)"
        if self.hours:
            text = f"now() - timedelta(hours={self.hours})"
            return f"({text}).date()" if kind == "date" else text
        if self.rolling:
            text = f"days_ago({self.ago})"
        else:
            text = f'start_of("{self.unit}", {self.ago})' if self.ago else f'start_of("{self.unit}")'
        return f"{text}.date()" if kind == "date" else text

    def short(self) -> str:
        """The bound as tables of tests write it."""
        return self.day.isoformat() if self.day else self.code()

    def on(self, today: date) -> date:
        """The day this bound falls on when the script runs on `today`."""
        if self.day:
            return self.day
        if self.hours:
            return today - timedelta(days=-(-self.hours // 24))
        if self.rolling or self.unit == "day":
            return today - timedelta(days=self.ago)
        if self.unit == "week":
            return today - timedelta(days=today.weekday(), weeks=self.ago)
        if self.unit == "year":
            return date(today.year - self.ago, 1, 1)
        month = today.month - self.ago
        if self.unit == "quarter":
            month = (today.month - 1) // 3 * 3 + 1 - 3 * self.ago
        years, index = divmod(month - 1, 12)
        return date(today.year + years, index + 1, 1)


@dataclass(frozen=True)
class Window:
    """When: from `start` (inclusive) until `end` (exclusive), in the user's words, and where they stood in the text."""

    start: Moment | None
    end: Moment | None
    words: str  # "the last 30 days"
    verb: str = ""  # created, updated, closed ...: which time is meant
    span: tuple[int, int] = (0, 0)

    def short(self) -> tuple[str | None, str | None]:
        """Both bounds as tables of tests write them."""
        return (self.start.short() if self.start else None, self.end.short() if self.end else None)


_Found = tuple[Moment | None, Moment | None, str]


def _days(count: int, unit: str) -> Moment:
    if unit == "hour":
        return Moment(hours=count) if count % 24 else Moment(rolling=True, ago=count // 24)
    return Moment(rolling=True, ago=count * _DAYS_IN[unit])


def _count(text: str | None) -> int:
    if not text:
        return 1
    return int(text) if text.isdigit() else _NUMBERS[text]


def parse_date(text: str, today: date) -> tuple[date, date]:
    """First day and the day after the last of "1 March", "March 2026", "2026-03-01", "2025".

    Without a year it is the latest such date that is not in the future. Raises ValueError on 31 February.
    """
    text = re.sub(r"^the ", "", text.strip().casefold())
    numbers = [int(part) for part in re.findall(r"\d+", text)]
    month = next((_MONTHS[word] for word in re.findall(r"[a-z]+", text) if word in _MONTHS), None)
    if month is None:
        if len(numbers) == 1:
            return date(numbers[0], 1, 1), date(numbers[0] + 1, 1, 1)
        if "-" in text:
            day = date(*numbers)
        else:
            first, second, year = numbers
            if "/" in text and second > 12:  # 03/15/2026
                first, second = second, first
            day = date(year, second, first)
        return day, day + timedelta(days=1)
    years = [number for number in numbers if number > 31]
    days = [number for number in numbers if number <= 31]
    year = years[0] if years else today.year
    if not years and date(year, month, days[0] if days else 1) > today:
        year -= 1
    if days:
        day = date(year, month, days[0])
        return day, day + timedelta(days=1)
    return date(year, month, 1), date(year + month // 12, month % 12 + 1, 1)


def _spoken(day: date) -> str:
    return f"{day.day} {MONTH_NAMES[day.month - 1]} {day.year}"


def _last_n(match: re.Match[str], today: date) -> _Found:
    count, unit = _count(match["n"]), match["unit"].removeprefix("business ")
    several = f"{unit}s" if count != 1 else unit
    words = f"the last {count} {several}" if count != 1 else f"the last {unit}"
    moment = _days(count, unit)
    if unit in ("month", "quarter", "year"):
        words += f" ({moment.ago} days)"
    return moment, None, words


def _half_last(match: re.Match[str], today: date) -> _Found:
    days = 182 if match["unit"] == "year" else 15
    return Moment(rolling=True, ago=days), None, f"the last half {match['unit']} ({days} days)"


def _not_older(match: re.Match[str], today: date) -> _Found:
    moment, _, words = _last_n(match, today)
    return moment, None, words


def _older(match: re.Match[str], today: date) -> _Found:
    count, unit = _count(match["n"]), match["unit"].removeprefix("business ")
    several = f"{count} {unit}s" if count != 1 else f"one {unit}"
    return None, _days(count, unit), f"older than {several}"


def _period(match: re.Match[str], today: date) -> _Found:
    unit, which = match["unit"], match["which"]
    if which in ("this", "current", "running", "present"):
        return Moment(unit), None, f"this {unit}"
    return Moment(unit, 1), Moment(unit), f"last {unit}"


def _next(match: re.Match[str], today: date) -> _Found:
    unit = match["unit"]
    if not match["n"]:
        return Moment(unit, -1), Moment(unit, -2), f"next {unit}"
    count = _count(match["n"])
    days = count * _DAYS_IN[unit]
    several = f"{unit}s" if count != 1 else unit
    return Moment("day"), Moment("day", -days), f"the next {count} {several}"


def _tomorrow(match: re.Match[str], today: date) -> _Found:
    return Moment("day", -1), Moment("day", -2), "tomorrow"


def _to_date(match: re.Match[str], today: date) -> _Found:
    return Moment(match["unit"]), None, f"this {match['unit']}"


def _today(match: re.Match[str], today: date) -> _Found:
    return Moment("day"), None, "today"


def _yesterday(match: re.Match[str], today: date) -> _Found:
    if match["since"]:
        return Moment("day", 1), None, "since yesterday"
    return Moment("day", 1), Moment("day"), "yesterday"


def _between(match: re.Match[str], today: date) -> _Found:
    first, second = match["a"], match["b"]
    end_first, end_after = parse_date(second, today)
    year = re.search(_YEAR, second)
    if re.fullmatch(r"(?:the )?\d\d?(?:st|nd|rd|th)?", first):
        first = f"{first} {MONTH_NAMES[end_first.month - 1]} {end_first.year}"
    elif year and not re.search(_YEAR, first):
        first = f"{first} {year[0]}"
    start = parse_date(first, today)[0]
    if start > end_first:
        start = start.replace(year=start.year - 1)
    return Moment(day=start), Moment(day=end_after), f"{_spoken(start)} to {_spoken(end_after - timedelta(days=1))}"


def _since_date(match: re.Match[str], today: date) -> _Found:
    first, after = parse_date(match["date"], today)
    start = after if match["word"] in ("after", "later than", "newer than") else first
    return Moment(day=start), None, f"since {_spoken(start)}"


def _onwards(match: re.Match[str], today: date) -> _Found:
    first = parse_date(match["date"], today)[0]
    return Moment(day=first), None, f"since {_spoken(first)}"


def _before_date(match: re.Match[str], today: date) -> _Found:
    first, after = parse_date(match["date"], today)
    if match["word"] in ("before", "prior to", "earlier than", "older than"):
        return None, Moment(day=first), f"before {_spoken(first)}"
    return None, Moment(day=after), f"until {_spoken(after - timedelta(days=1))}"


def _in_date(match: re.Match[str], today: date) -> _Found:
    first, after = parse_date(match["date"], today)
    if after - first == timedelta(days=1):
        return Moment(day=first), Moment(day=after), f"on {_spoken(first)}"
    if (after - first).days > 31:
        return Moment(day=first), Moment(day=after), f"in {first.year}"
    return Moment(day=first), Moment(day=after), f"in {MONTH_NAMES[first.month - 1]} {first.year}"


def _quarter(match: re.Match[str], today: date) -> _Found:
    number = int(match["q"]) if match["q"] else _ORDINALS[match["nth"]]
    year = int(match["year"]) if match["year"] else today.year
    month = 3 * number - 2
    if not match["year"] and date(year, month, 1) > today:
        year -= 1
    after = date(year + (month + 3) // 13, (month + 2) % 12 + 1, 1)
    return Moment(day=date(year, month, 1)), Moment(day=after), f"in Q{number} {year}"


def _since_weekday(match: re.Match[str], today: date) -> _Found:
    back = (today.weekday() - _DAYS[match["day"]]) % 7 or 7
    day = today - timedelta(days=back)
    return Moment(day=day), None, f"since {_spoken(day)}"


def _days_past(match: re.Match[str], today: date) -> _Found:
    count, unit = _count(match["n"]), match["unit"]
    several = f"{count} {unit}s" if count != 1 else f"one {unit}"
    if match["word"] == "more than":
        return None, _days(count, unit), f"older than {several}"
    return _days(count, unit), None, f"since {several} ago"


_RULES: list[tuple[str, Callable[[re.Match[str], date], _Found]]] = [
    (rf"\bbetween (?P<a>{_DATE}|(?:the )?\d\d?(?:st|nd|rd|th)?) and (?P<b>{_DATE})", _between),
    (rf"\bfrom (?P<a>{_DATE}|(?:the )?\d\d?(?:st|nd|rd|th)?) (?:to|until|till|through|-|–) (?P<b>{_DATE})", _between),
    (rf"\b(?P<a>{_YEAR}-\d\d?-\d\d?) (?:to|until|till|through|-|–) (?P<b>{_DATE})", _between),
    (rf"\b(?:not|no) (?:older|more) than (?:the )?(?P<n>{_COUNT})? ?(?P<unit>{_UNIT})s?(?: old| ago)?\b", _not_older),
    (rf"\b(?:younger|newer|less) than (?P<n>{_COUNT}) (?P<unit>{_UNIT})s?(?: old| ago)?\b", _not_older),
    (rf"\b(?:older than|that are over|over|more than) (?P<n>{_COUNT}) (?P<unit>{_UNIT})s?(?: old| ago)\b", _older),
    (rf"\bolder than (?P<n>{_COUNT}) (?P<unit>{_UNIT})s?\b", _older),
    (rf"\b(?P<word>since|more than|from) (?P<n>{_COUNT}) (?P<unit>{_UNIT})s? ago\b", _days_past),
    (
        r"\b(?:(?:in|from|during|over|of|for|within) )?(?:the )?(?:last|past|previous|recent) half (?:a )?"
        r"(?P<unit>year|month)\b",
        _half_last,
    ),
    (
        rf"\b(?:(?:in|from|during|over|of|for|within|since) )?(?:the |our )?(?:last|past|previous|recent|latest|"
        rf"trailing)"
        rf"[ -](?P<n>{_COUNT})(?: (?:full|calendar|of))?[ -](?P<unit>{_UNIT})s?\b",
        _last_n,
    ),
    (rf"\b(?:within|in) (?P<n>\d+) (?P<unit>{_UNIT})s?\b", _last_n),
    (rf"\b(?:(?:in|from|during|over|of|for|within) )?(?:the )?past (?P<n>)(?P<unit>{_UNIT})\b", _last_n),
    (
        r"\b(?:(?:in|from|during|over|of|for|within|since) )?(?:the )?(?:last|previous|past) (?P<n>)"
        r"(?P<unit>fortnight)\b",
        _last_n,
    ),
    (
        r"\b(?:(?:in|from|during|of|for|within|since|so far) )?(?:the )?(?:start of |beginning of )?"
        r"(?P<which>this|current|running|present|last|previous) (?P<unit>day|week|month|quarter|year)\b"
        r"(?: so far)?",
        _period,
    ),
    (
        rf"\b(?:(?:in|during|of|for|within|over) )?(?:the )?(?:next|coming|upcoming)(?: (?P<n>{_COUNT}))? "
        r"(?P<unit>day|week|month|quarter|year)s?\b",
        _next,
    ),
    (r"\btomorrow\b", _tomorrow),
    (r"\bsince (?:the )?(?:start|beginning) of (?:the|this) (?P<unit>week|month|quarter|year)\b", _to_date),
    (r"\b(?P<unit>year|month|quarter|week)[ -]to[ -]date\b", _to_date),
    (r"\b(?P<unit>y)td\b", lambda match, today: (Moment("year"), None, "this year")),
    (r"\b(?:(?:in|of) )?q(?P<q>[1-4])(?P<nth>)(?:[ /-]?(?:of )?(?P<year>(?:19|20)\d\d))?\b", _quarter),
    (
        r"\b(?:(?:in|of|from|during) )?(?:the )?(?P<q>)(?P<nth>first|second|third|fourth|1st|2nd|3rd|4th) quarter"
        r"(?: (?:of )?(?P<year>(?:19|20)\d\d))?\b",
        _quarter,
    ),
    (
        r"\bsince (?:last )?(?P<day>" + "|".join(sorted(_DAYS, key=len, reverse=True)) + r")\b",
        _since_weekday,
    ),
    (rf"\b(?:from|starting(?: from| on| in| with)?) (?P<date>{_DATE})(?: on| onwards?)?\b", _onwards),
    (rf"\b(?P<date>{_DATE}) (?:onwards?|and later|or later|and after)\b", _onwards),
    (
        rf"\b(?P<word>since|after|later than|newer than|as of|on or after) (?P<date>{_DATE})",
        _since_date,
    ),
    (
        rf"\b(?P<word>before|prior to|earlier than|older than|until|till|up to|by the end of|to) (?P<date>{_DATE})",
        _before_date,
    ),
    (
        rf"\b(?:in|on|of|during|for|dated|within|throughout) (?:the year )?(?P<date>{_DATE})",
        _in_date,
    ),
    (r"\b(?P<since>since |from )?yesterday\b", _yesterday),
    (r"\b(?:since |from |of )?today(?:'s)?\b", _today),
]
_COMPILED = [(re.compile(pattern, re.IGNORECASE), rule) for pattern, rule in _RULES]

VERBS = (
    "came in|come in|coming in|arrived|came|"
    r"created|added|entered|registered|made|new|updated|modified|changed|edited|touched|closed|converted|won|lost|"
    "opened|ordered|placed|paid|invoiced|issued|shipped|delivered|joined|signed up|subscribed|started|ended|due|"
    "booked|sold|received|sent|submitted|completed|finished|published|scheduled|hired|born|expired|cancelled|"
    "captured|generated|collected|last seen|logged in|dated|(?!need|speed|feed|red)[a-z]{3,}ed|"
    "closing|ending|starting|beginning|expiring|renewing|arriving|shipping|maturing|finishing|launching|opening|"
    "(?:expected to|due to|set to|going to|supposed to|planned to|about to|will|should|can|to) (?:be )?"
    "(?:close|expire|end|start|renew|ship|arrive|finish|begin|open|launch|deliver|mature)|"
    "running out|due|departing|delivering|joining|converting|updating"
)
_BEFORE = re.compile(
    rf"(?:\b(?:that|which|who|and) )?(?:\b(?:have|has|had|were|was|are|is|got|been|have been|has been) )?"
    rf"(?:\bbeen )?\b(?P<verb>{VERBS})(?: (?:date|at|on|time))?(?: (?:only|just|is|was))?[ ,]*$",
    re.IGNORECASE,
)
_DATED = re.compile(  # with a close date in ...
    r"\b(?:with|whose|having|where) (?:(?:an?|the|their) )?(?P<verb>[a-z]+) date(?: is| are| was)?[ ,]*$", re.IGNORECASE
)
_SHOULD_STAY = re.compile(r"(?:\bonly|\bjust|\bfor|\bof|\bfrom|,)\s*$", re.IGNORECASE)


def find_window(text: str, today: date) -> Window | None:
    """The first time window a sentence speaks of, None without one."""
    for pattern, rule in _COMPILED:
        for match in pattern.finditer(text):
            groups = {key: value.casefold() if value else value for key, value in match.groupdict().items()}
            try:
                start, end, words = rule(_Lower(match, groups), today)  # type: ignore[arg-type]
            except ValueError:
                continue
            begin = match.start()
            before = _DATED.search(text[:begin]) or _BEFORE.search(text[:begin])
            verb = ""
            if before:
                verb = before["verb"].casefold()
                if re.match(r"(?:expected|due|set|going|supposed|planned|about|will|should|can|to) ", verb):
                    verb = verb.rsplit(" ", 1)[-1]
                begin = before.start() if verb != "new" else before.end()
            return Window(start, end, words, verb, (begin, match.end()))
    return None


class _Lower:
    """A match whose groups are lower case."""

    def __init__(self, match: re.Match[str], groups: dict[str, str | None]) -> None:
        self._match, self._groups = match, groups

    def __getitem__(self, key: str) -> str | None:
        return self._groups[key]
