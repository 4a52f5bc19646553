"""Which systems a request is about: found, asked for, loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from integrator_drivers.errors import near_matches

from .explain import and_list
from .knowledge import STOPPED, Knowledge
from .lexicon import ANY_SQL, Lexicon
from .plan import System
from .request import FileWish, Goal, Request
from .steps import Ask, Choice, Need, Say, ToolCall
from .words import name_tokens, singular, tokens

__all__ = ["load", "settle", "system_of"]

_UNWRITABLE = {
    "excel": "Excel files",
    "pdf": "PDF files",
    "xml": "XML files",
    "word": "Word documents",
    "avro": "Avro files",
    "yaml": "YAML files",
}
_FILES = {"CSV file": "csv", "JSON file": "json", "JSON lines file": "jsonl", "Parquet file": "parquet"}


def settle(request: Request, known: Knowledge, lexicon: Lexicon) -> Request:
    """The request with its source and its target, or files, decided. Raises Ask or Say."""
    request = _unknown(request, known, lexicon)
    for role in ("source", "target"):
        if getattr(request, role) == ANY_SQL:
            name = _the_database(known, lexicon, role, request)
            request = replace(request, **{role: name})  # type: ignore[arg-type]
    request = replace(request, goals=tuple(_settled(goal, known, lexicon, request) for goal in request.goals))
    request = _formats(request, known)
    if not request.source:
        request = replace(request, source=_source(request, known, lexicon))
    if not request.target and not request.files and request.kind == "copy":
        request = _goal(request, known, lexicon)
    return request


def _settled(goal: Goal, known: Knowledge, lexicon: Lexicon, request: Request) -> Goal:
    """ "our DB" of a further target."""
    if goal.system != ANY_SQL:
        return goal
    sql = {name for name, system in lexicon.systems.items() if system.kind == "sql"}
    spoken = next((name for name in (request.target, request.source) if name in sql), "")
    return replace(goal, system=spoken or _the_database(known, lexicon, "target", request))


def _connected(lexicon: Lexicon, kind: str = "") -> list[str]:
    return [name for name, system in lexicon.systems.items() if system.connected and (not kind or system.kind == kind)]


def _pick(
    known: Knowledge, lexicon: Lexicon, slot: str, question: str, names: list[str], more: Sequence[Choice] = ()
) -> str:
    reply = known.answer(slot)
    choices = [Choice(lexicon.label(name)) for name in names]
    if reply is None:
        raise Ask(slot, question, [*choices, *more, Choice("Stop")])
    answer, _ = reply
    if answer.index is not None and answer.index < len(names):
        return names[answer.index]
    mentioned = [mention.system for mention in lexicon.mentions(answer.text) if mention.system != ANY_SQL]
    if mentioned:
        return mentioned[0]
    raise Say(f'I know no system called "{answer.text}". {_all(lexicon)}')


def _all(lexicon: Lexicon) -> str:
    labels = [system.label for system in lexicon.systems.values()]
    return f"I know {and_list(labels)}; `%drivers` lists them." if labels else "No driver is installed."


def _unknown(request: Request, known: Knowledge, lexicon: Lexicon) -> Request:
    if not request.unknown_system:
        return request
    name = request.unknown_system
    spoken = {said: system.name for system in lexicon.systems.values() for said in system.spoken}
    near = list(dict.fromkeys(spoken[said] for said in near_matches(name, spoken)))
    hint = f" Did you mean {lexicon.label(near[0])}?" if near else ""
    others = near or [system for system in lexicon.systems if system not in (request.source, request.target)]
    if not others:
        raise Say(f'There is no driver for "{name}". {_all(lexicon)}')
    role = request.unknown_role
    verb = "read from" if role == "source" else "write to"
    count = len(lexicon.systems)
    question = f'There is no driver for "{name}".{hint} `%drivers` lists all {count}. Which system shall I {verb}?'
    place = Choice(f"{name} is no system", "a condition on the records") if role == "source" and not near else None
    reply = known.answer(f"system_{role}")
    if place and reply and reply[0].index is not None and reply[1][reply[0].index]["label"] == place.label:
        return replace(request, unknown_system="", conditions=(*request.conditions, f"from {name}"))
    chosen = _pick(known, lexicon, f"system_{role}", question, others[:6], [place] if place else [])
    return replace(request, unknown_system="", **{role: chosen})  # type: ignore[arg-type]


def _the_database(known: Knowledge, lexicon: Lexicon, role: str, request: Request) -> str:
    names = _connected(lexicon, "sql") or [name for name, system in lexicon.systems.items() if system.kind == "sql"]
    if not names:
        raise Say("You speak of a database, but there is no driver for one. " + _all(lexicon))
    if len(names) == 1:
        return names[0]
    return _pick(known, lexicon, f"database_{role}", "Which database do you mean?", names)


def _formats(request: Request, known: Knowledge) -> Request:
    odd = [wish for wish in request.files if wish.format in _UNWRITABLE]
    if odd:
        what = _UNWRITABLE[odd[0].format]
        hint = "opens in Excel" if odd[0].format == "excel" else "opens in any spreadsheet"
        choices = [Choice("CSV file", hint), Choice("JSON file"), Choice("Stop")]
        question = f"I can't write {what} in the guided mode. Which format shall I write instead?"
    elif any(not wish.format for wish in request.files):
        choices = [
            Choice("CSV file", "for spreadsheets"),
            Choice("JSON file", "for other programs"),
            Choice("JSON lines file"),
            Choice("Parquet file", "for analysis; needs pyarrow"),
        ]
        question = "Which format shall the file have?"
    else:
        return request
    reply = known.answer("format")
    if reply is None:
        raise Ask("format", question, choices)
    form = _format_said(reply[0].index, [choice.label for choice in choices], reply[0].text)
    files = tuple(
        FileWish(form, wish.name.rsplit(".", 1)[0]) if wish.format in ("", *_UNWRITABLE) else wish
        for wish in request.files
    )
    return replace(request, files=files)


def _format_said(index: int | None, labels: list[str], text: str) -> str:
    if index is not None:
        return _FILES.get(labels[index], "csv")
    from .outputs import Text, take_files

    wishes = take_files(Text(text))
    if wishes and wishes[0].format in _FILES.values():
        return wishes[0].format
    raise Say(f'I can write CSV, JSON, JSON lines and Parquet, not "{text}".')


def _source(request: Request, known: Knowledge, lexicon: Lexicon) -> str:
    """The one connected system that has such an object; asked for when there are several."""
    candidates = [name for name in _connected(lexicon) if name != request.target]
    if not candidates:
        candidates = [name for name in lexicon.systems if name != request.target]
    if request.subject and len(candidates) <= 6:
        known.need("", *(ToolCall("load_driver", {"name": name}) for name in candidates))
        fitting = [name for name in candidates if lexicon.objects_called(request.subject, name)]
        if any(_own_name(request.subject, name, lexicon) for name in fitting if lexicon.systems[name].kind != "sql"):
            fitting = [name for name in fitting if lexicon.systems[name].kind != "sql"]  # a table of it is a copy
        else:
            listed = _listed(request.subject, candidates, known, lexicon)
            fitting = list(dict.fromkeys([*fitting, *listed]))
        if len(fitting) == 1:
            return fitting[0]
        candidates = fitting or candidates
    if len(candidates) == 1:
        return candidates[0]
    if not candidates:
        raise Say("No driver is installed, so there is nothing to read from.")
    noun = request.subject or "data"
    return _pick(known, lexicon, "source", f"Where shall I read the {noun} from?", candidates)


def _own_name(said: str, system: str, lexicon: Lexicon) -> bool:
    """Whether an object of a system is really called so, not only by some people."""
    wanted = [singular(word) for word in tokens(said)]
    found = lexicon.objects_called(said, system)
    return any([singular(word) for word in name_tokens(name.rpartition(".")[2])] == wanted for name in found)


def _listed(said: str, names: list[str], known: Knowledge, lexicon: Lexicon) -> list[str]:
    """Connected systems without words of their own that have an object of that name."""
    silent = [name for name in names if lexicon.systems[name].connected and lexicon.systems[name].kind == "sql"]
    labels = and_list([lexicon.label(name) for name in silent])
    calls = [ToolCall("list_objects", {"system": name}) for name in silent]
    results = known.need(f"I am looking at what is in {labels}, reading only.", *calls) if calls else []
    wanted = [singular(word) for word in tokens(said)]
    return [
        name
        for name, result in zip(silent, results, strict=True)
        if any(
            [singular(word) for word in name_tokens(entry["name"].rpartition(".")[2])] == wanted
            for entry in result.get("objects") or ()
        )
    ]


def _goal(request: Request, known: Knowledge, lexicon: Lexicon) -> Request:
    reply = known.answer("target")
    others = [name for name in _connected(lexicon) if name != request.source]
    sql_first = sorted(others, key=lambda name: lexicon.systems[name].kind != "sql")
    choices = [Choice(lexicon.label(name)) for name in sql_first[:4]]
    choices += [Choice("CSV file", "opens in a spreadsheet"), Choice("JSON file"), Choice("Show them here")]
    if reply is None:
        raise Ask("target", f"Where shall the {request.subject or 'records'} go?", choices)
    answer, options = reply
    if answer.index is not None:
        label = options[answer.index]["label"]
        if label in _FILES:
            return replace(request, files=(FileWish(_FILES[label]),))
        if label.startswith("Show"):
            return replace(request, kind="show")
        name = next((name for name in lexicon.systems if lexicon.label(name) == label), "")
        return replace(request, target=name)
    mentioned = lexicon.mentions(answer.text)
    if mentioned:
        name = mentioned[0].system
        return replace(request, target=_the_database(known, lexicon, "target", request) if name == ANY_SQL else name)
    from .outputs import Text, take_files

    wishes = take_files(Text(answer.text))
    if wishes:
        return _formats(replace(request, files=wishes), known)
    raise Say(f'I know no system called "{answer.text}". {_all(lexicon)}')


def load(names: list[str], known: Knowledge, lexicon: Lexicon) -> dict[str, dict[str, Any]]:
    """The drivers' own data, all loaded at once. Asks when one is not connected."""
    labels = and_list([lexicon.label(name) for name in names])
    calls = [ToolCall("load_driver", {"name": name}) for name in names]
    results = known.need(f"I am loading what I know about {labels}.", *calls)
    drivers = {}
    for name, call, result in zip(names, calls, results, strict=True):
        if error := result.get("error"):
            raise Say(f"{error.get('message', 'The driver could not be loaded.')} {error.get('next', '')}".strip())
        driver = result["driver"]
        if not driver.get("connected"):
            _connect(name, driver, call, known)
        drivers[name] = driver
    return drivers


def _connect(name: str, driver: dict[str, Any], call: ToolCall, known: Knowledge) -> None:
    slot = f"connect_{name}"
    reply = known.answer(slot)
    tries = len(
        [entry for entry in known.results("load_driver", known.since, name=name) if not _is_connected(entry.result)]
    )
    label = driver.get("label") or name
    missing = [str(variable) for variable in driver.get("missing") or ()]
    what = f"{label} needs {and_list(missing)} in .env." if missing else f"{label} is not connected."
    ways = f"Run `%connect {name}` to fill them in, or `%integrator demo` to try with practice data."
    sentence = f"{what} Nothing was read. {ways}"
    before = known.results("load_driver", name=name)
    if before and not known.results("load_driver", known.since, name=name):
        raise Need(f"I am looking whether {label} is connected now.", [call])
    if reply is None or known.asked(slot) < tries:
        raise Ask(slot, sentence, [Choice("Try again", "after you connected it"), Choice("Stop")])
    if reply[0].index == 0 or reply[0].index is None:
        raise Need(f"I am looking whether {label} is connected now.", [call])
    raise Say(STOPPED)


def _is_connected(result: dict[str, Any] | None) -> bool:
    return bool(((result or {}).get("driver") or {}).get("connected"))


def system_of(driver: dict[str, Any]) -> System:
    """A driver as scripts see it."""
    client = str(driver.get("client") or "")
    module, _, attribute = client.rpartition(":")
    module = module or str(driver.get("module") or f"{driver['name']}_driver")
    return System(
        driver["name"], driver.get("label") or driver["name"], module, attribute, driver.get("kind") or "saas"
    )
