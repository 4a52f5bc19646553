"""English about when to run -> a cron line."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Schedule", "find_schedule"]

_DAYS = {
    name: number
    for number, names in enumerate(
        (
            "sunday sundays sun",
            "monday mondays mon",
            "tuesday tuesdays tues tue",
            "wednesday wednesdays wed",
            "thursday thursdays thurs thur thu",
            "friday fridays fri",
            "saturday saturdays sat",
        )
    )
    for name in names.split()
}
_DAY_NAMES = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
_DAY = "(?:" + "|".join(sorted(_DAYS, key=len, reverse=True)) + r")\b"
_NUMBERS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "fifteen": 15, "twenty": 20, "thirty": 30, "quarter": 15, "half": 30, "other": 2,
    "second": 2, "third": 3, "fourth": 4, "sixth": 6,
}  # fmt: skip
_NUMBER = r"\d+|" + "|".join(sorted(_NUMBERS, key=len, reverse=True))
_PART = {"night": 2, "morning": 7, "afternoon": 14, "evening": 18, "noon": 12, "midnight": 0, "lunchtime": 12}
_STOP = re.compile(
    r"\b(?:stop|remove|cancel|drop|end|delete|no|clear|unset|turn off|switch off|disable)\b[^.]*\b"
    r"(?:schedule|scheduling|running (?:it|this|automatically)|automatic runs?|nightly run|automation)\b"
    r"|\b(?:don't|do not|not|never|no longer|shouldn't|should not)\b[^.]*\b(?:run|schedule)[^.]*"
    r"\b(?:automatically|any ?more|any longer|every|by itself|on its own|regularly|schedule)\b"
    r"|\bunschedule\b|\b(?:only )?(?:run )?(?:it )?(?:only )?(?:by hand|manually)(?: only)?\b",
    re.IGNORECASE,
)
_TIME = re.compile(
    r"\b(?:at|@|around|about|by) (?:(?P<half>half past|quarter past|quarter to) )?"
    r"(?P<h>\d\d?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)(?:[:.h](?P<m>\d\d))?"
    r"\s*(?P<ap>a\.?m\b\.?|p\.?m\b\.?)?(?:\s*o'?clock)?(?: in the (?P<part>morning|afternoon|evening))?"
    r"|\bat (?P<name>noon|midnight|midday|night|lunchtime)\b",
    re.IGNORECASE,
)
_BARE = re.compile(r"\b(?P<h>\d\d?)(?:[:.](?P<m>\d\d))?\s*(?P<ap>a\.?m\b\.?|p\.?m\b\.?)", re.IGNORECASE)
_CLOCK = re.compile(r"\b(?P<h>[01]?\d|2[0-3]):(?P<m>[0-5]\d)\b")
_LEAD = (
    r"(?:\b(?:and |then |also |but )*(?:please )?(?:i (?:want|need|would like|'d like) (?:this|it|that) to )?"
    r"(?:have it |make it |let it )?(?:run|repeat|do|execute|refresh|update|schedule|scheduled|running|automate)"
    r"(?: (?:it|this|that|them|the script))?(?: (?:automatically|for|to run|regularly))? )?"
)
_DAY_LIST = rf"{_DAY}(?:(?:,| and|, and| or| &|/) (?:on |every )?{_DAY})*"
_RULES = {
    "minutes": rf"\b(?:every|each) (?P<n>{_NUMBER})?\s?(?:a |an )?(?P<unit>minute|min|hour|hr|h)s?\b",
    "hourly": r"\b(?:hourly|once an hour|every full hour)\b",
    "twice": r"\b(?:twice (?:a|per|each|every) day|twice daily)\b",
    "range": rf"\b(?:(?:every|each|on|from) )?(?P<a>{_DAY})\s?(?:-|–|to|till|through|until)\s?(?P<b>{_DAY})",
    "weekdays": r"\b(?:(?:on|every|each|all) )?(?:weekday|workday|working day|business day|work day)s?\b",
    "weekends": r"\b(?:on |every |each )(?:weekend)s?\b",
    "month_days": (
        r"\b(?:on |every )?(?:the )?(?P<days>(?:\d\d?(?:st|nd|rd|th)|first|1st|last)(?:(?:,| and|, and) (?:the )?"
        r"(?:\d\d?(?:st|nd|rd|th)))*)(?: day)?(?: of)? (?:each|every|the|a) month\b"
    ),
    "month_last": r"\b(?:on )?the last day of (?:each|every|the) month\b|\b(?:at )?(?:the )?end of (?:each|every) "
    "month\b",
    "monthly": r"\b(?:monthly|(?:once|every|each)(?: (?:a|per))? (?:single )?month)\b",
    "quarterly": r"\b(?:quarterly|(?:once a|every|each) quarter)\b",
    "yearly": r"\b(?:yearly|annually|(?:once a|every|each) year)\b",
    "n_days": rf"\b(?:every|each) (?P<n>{_NUMBER}) (?:days|nights|day|night)\b",
    "every_days": rf"\b(?:every|each|all) (?P<days>{_DAY_LIST})",
    "on_days": rf"\b(?:on )?(?P<days>(?:{_DAY}(?:, | and |, and ))*(?:mon|tues|wednes|thurs|fri|satur|sun)days)\b",
    "once_on": rf"\b(?:weekly|once (?:a|per) week|every week|each week)(?:,)? (?:on )?(?P<days>{_DAY_LIST})",
    "weekly": r"\b(?:weekly|once (?:a|per) week|every week|each week)\b",
    "daily": (
        r"\b(?:(?:every|each) (?:single )?(?:day|night|morning|evening|afternoon|noon|midnight)|daily|nightly"
        r"|(?:once|one time) (?:a|per) (?:day|night)|overnight(?=,| at|$))\b"
    ),
}
_ORDER = (
    "once_on", "range", "month_days", "month_last", "minutes", "hourly", "twice", "weekdays", "weekends", "n_days",
    "every_days", "on_days", "quarterly", "yearly", "monthly", "weekly", "daily",
)  # fmt: skip
# Beside a finer schedule they only repeat it: "daily sync ... on weekdays at 6:30".
_ADJECTIVE = re.compile(
    r"\b(?:daily|nightly|weekly|hourly|monthly|regular|recurring|scheduled)"
    r"(?= (?:\w+ )?(?:sync|copy|export|import|update|load|feed|report|job|backup|transfer|refresh)\b)",
    re.IGNORECASE,
)
_COMPILED = {name: re.compile(_LEAD + pattern, re.IGNORECASE) for name, pattern in _RULES.items()}


@dataclass(frozen=True)
class Schedule:
    """When a script runs. `cron` None = never by itself; `problem` says what a cron line can't express."""

    cron: str | None
    words: str
    spans: tuple[tuple[int, int], ...] = ()  # where the words stood
    problem: str = ""


def find_schedule(text: str) -> Schedule | None:
    """What a sentence says about when to run, None when it says nothing."""
    if stop := _STOP.search(text):
        return Schedule(None, "only when you run it", (stop.span(),))
    for name in _ORDER:
        match = _COMPILED[name].search(text)
        if match:
            begin, end = match.span()
            hour, minute, said, clock = _time(text, match)
            fields = _fields(name, match, hour, minute, said)
            if fields is None:
                continue
            cron, words, problem = fields
            if name == "weekdays" and not said and not re.search(r"every|each|on|all|run", match[0], re.IGNORECASE):
                continue
            spans = _joined((begin, end), clock)
            beside = [
                found.span()
                for found in _ADJECTIVE.finditer(text)
                if all(found.end() <= first or found.start() >= last for first, last in spans)
            ]
            return Schedule(cron, words, (*spans, *beside), problem)
    return None


def _joined(words: tuple[int, int], clock: tuple[int, int]) -> tuple[tuple[int, int], ...]:
    """Both spans, as one where they touch."""
    if clock[1] <= clock[0]:
        return (words,)
    first, second = sorted((words, clock))
    if second[0] - first[1] < 3:
        return ((first[0], max(first[1], second[1])),)
    return (first, second)


def _time(text: str, match: re.Match[str]) -> tuple[int, int, bool, tuple[int, int]]:
    """Hour and minute to run, whether a time was said, and where it stood."""
    default = 2
    for part, hour in _PART.items():
        if re.search(rf"\b{part}s?\b", match[0], re.IGNORECASE):
            default = hour
    tail_start = match.end()
    tail = re.match(r"\s*(?P<part>morning|evening|afternoon|night|noon|midnight)s?\b", text[tail_start:], re.IGNORECASE)
    if tail:
        default = _PART[tail["part"].casefold()]
        tail_start += tail.end()
    for pattern in (_TIME, _BARE, _CLOCK):
        for found in pattern.finditer(text):
            near = found.start() - tail_start
            if not (found.start() - match.start() > -60 and near < 40):
                continue
            groups = found.groupdict()
            if groups.get("name"):
                word = groups["name"].casefold()
                return {"noon": 12, "midday": 12, "lunchtime": 12, "night": 2}.get(word, 0), 0, True, found.span()
            hour = int(groups["h"]) if groups["h"].isdigit() else _NUMBERS[groups["h"].casefold()]
            minute = int(groups.get("m") or 0)
            half = (groups.get("half") or "").casefold()
            if half:
                minute = {"half past": 30, "quarter past": 15, "quarter to": 45}[half]
                hour -= half == "quarter to"
            marker = (groups.get("ap") or "").casefold().replace(".", "")
            part = (groups.get("part") or "").casefold()
            spoken = marker or part
            if hour <= 12 and (marker == "pm" or part in ("afternoon", "evening")):
                hour = hour % 12 + 12
            elif marker == "am" and hour == 12:
                hour = 0
            elif (not spoken and default in (18, 14) and hour < 12) or (
                not spoken and default == 2 and 8 <= hour < 12 and re.search("night", match[0], re.IGNORECASE)
            ):
                hour += 12
            elif not spoken and hour == 12 and re.search("night", match[0], re.IGNORECASE):
                hour = 0
            if hour > 23 or minute > 59:
                continue
            return (
                hour % 24,
                minute,
                True,
                found.span()
                if found.start() > tail_start or found.end() <= match.start()
                else (tail_start, max(found.end(), tail_start)),
            )
    return default, 0, bool(tail), (match.end(), tail_start)


def _fields(name: str, match: re.Match[str], hour: int, minute: int, said: bool) -> tuple[str, str, str] | None:
    at = f"{hour:02d}:{minute:02d}"
    clock = f"{minute} {hour}"
    groups = match.groupdict()
    if name == "minutes":
        return _step(groups)
    if name == "hourly":
        return "0 * * * *", "every hour", ""
    if name == "twice":
        other = sorted((hour, (hour + 12) % 24))
        return (
            f"{minute} {other[0]},{other[1]} * * *",
            f"twice a day, at {other[0]:02d}:{minute:02d} and {other[1]:02d}:{minute:02d}",
            "",
        )
    if name == "range":
        first, last = _DAYS[groups["a"].casefold()], _DAYS[groups["b"].casefold()]
        if first > last:
            days = ",".join(str(day % 7) for day in sorted({day % 7 for day in range(first, last + 8)}))
        else:
            days = f"{first}-{last}"
        return f"{clock} * * {days}", f"{_DAY_NAMES[first]} to {_DAY_NAMES[last]} at {at}", ""
    if name == "weekdays":
        return f"{clock} * * 1-5", f"Monday to Friday at {at}", ""
    if name == "weekends":
        return f"{clock} * * 0,6", f"on Saturday and Sunday at {at}", ""
    if name == "month_days":
        if "last" in groups["days"].casefold():
            return _last_day(clock, at)
        dates = sorted({int(day) for day in re.findall(r"\d+", groups["days"].replace("first", "1"))})
        if not dates or dates[-1] > 31:
            return None
        text = " and ".join(_ordinal(day) for day in dates)
        return f"{clock} {','.join(map(str, dates))} * *", f"on the {text} of every month at {at}", ""
    if name == "month_last":
        return _last_day(clock, at)
    if name == "monthly":
        return f"{clock} 1 * *", f"on the first of every month at {at}", ""
    if name == "quarterly":
        return f"{clock} 1 1,4,7,10 *", f"on the first day of every quarter at {at}", ""
    if name == "yearly":
        return f"{clock} 1 1 *", f"on 1 January at {at}", ""
    if name == "n_days":
        count = _number(groups["n"])
        if count == 1:
            return f"{clock} * * *", f"every day at {at}", ""
        return f"{clock} */{count} * *", f"every {count} days at {at}", ""
    if name in ("every_days", "on_days", "once_on"):
        numbers = sorted({_DAYS[day] for day in re.findall(r"[a-z]+", groups["days"].casefold()) if day in _DAYS})
        text = " and ".join(_DAY_NAMES[day] for day in numbers)
        return f"{clock} * * {','.join(map(str, numbers))}", f"every {text} at {at}", ""
    if name == "weekly":
        return f"{clock} * * 1", f"every Monday at {at}", ""
    part = "night" if re.search("night", match[0], re.IGNORECASE) else "day"
    return f"{clock} * * *", f"every {part} at {at}", ""


def _step(groups: dict[str, str | None]) -> tuple[str, str, str] | None:
    count = _number(groups["n"] or "1")
    unit = (groups["unit"] or "").casefold()
    if unit.startswith("min"):
        if not 1 <= count <= 59:
            return (f"0 */{count // 60} * * *", f"every {count // 60} hours", "") if count % 60 == 0 else None
        problem = "" if 60 % count == 0 else f"every {count} minutes does not divide an hour evenly"
        return (
            ("* * * * *", "every minute", "")
            if count == 1
            else (f"*/{count} * * * *", f"every {count} minutes", problem)
        )
    if (groups["n"] or "").casefold() == "half":
        return "*/30 * * * *", "every 30 minutes", ""
    if count == 1:
        return "0 * * * *", "every hour", ""
    if count > 23:
        return None
    problem = "" if 24 % count == 0 else f"every {count} hours does not divide a day evenly"
    return f"0 */{count} * * *", f"every {count} hours", problem


def _last_day(clock: str, at: str) -> tuple[str, str, str]:
    return (
        f"{clock} 1 * *",
        f"on the first of every month at {at}",
        'a cron line can\'t say "the last day of the month", so I took the first of the next one',
    )


def _number(text: str | None) -> int:
    word = (text or "1").casefold()
    return int(word) if word.isdigit() else _NUMBERS[word]


def _ordinal(day: int) -> str:
    if 10 < day < 20:
        return f"{day}th"
    return f"{day}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(day % 10, 'th') }".replace(" ", "")
