"""A plan -> the text of the script. The same plan gives the same bytes, already formatted."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterable

from .bodies import body, systems_of
from .explain import summary, title
from .plan import Plan, System
from .pretty import plain, quoted
from .reads import read_of, variable
from .words import snake

__all__ = ["compose", "count_code"]

_FROM_DRIVERS = ("Records", "Source", "Target", "band", "days_ago", "join", "now", "run", "show", "start_of", "sync")
_FROM_DATETIME = ("UTC", "date", "datetime", "timedelta")


def compose(plan: Plan) -> str:
    """The whole file."""
    lines = body(plan)
    systems = systems_of(plan)
    cron = quoted(plan.cron) if plan.cron else "None"
    whole = [*_header(systems), *_docstring(plan), "", *_imports("\n".join(lines), systems), ""]
    whole += [f"SCHEDULE = {cron}"]
    if plan.rate and plan.rate.minimum:
        whole += [f"MINIMUM = {plan.rate.minimum}  # {plan.noun} that a {plain(plan.group_label)} needs to be ranked"]
    whole += ["", "", "def main() -> None:", *lines, "", ""]
    whole += ['if __name__ == "__main__":', "    run(main, SCHEDULE)"]
    return "\n".join(whole) + "\n"


def count_code(plan: Plan) -> str:
    """A short script that counts what the plan would read."""
    client = variable(plan.source.name)
    noun = variable(snake(plan.noun), {client})
    lines = [f"with {plan.source.client}() as {client}:"]
    lines += read_of(plan, client, [plan.columns[0].field]).lines(4, f"{noun} = ")
    lines.append(f"    show(sum(1 for _ in {noun}), name={quoted(snake(plan.noun))})")
    return "\n".join([*_imports("\n".join(lines), [plan.source], extra=()), "", *lines]) + "\n"


def _header(systems: list[System]) -> list[str]:
    from ... import __version__

    extras = ",".join(sorted(system.name for system in systems))
    return [
        "# /// script",
        '# requires-python = ">=3.11"',
        f'# dependencies = ["integrator-drivers[{extras}]"]',
        "#",
        "# [tool.uv.sources]",
        f'# integrator-drivers = {{ path = "wheels/integrator_drivers-{__version__}-py3-none-any.whl" }}',
        "# ///",
    ]


def _plain(text: str) -> str:
    """Text that may stand in a docstring."""
    return re.sub(r"[\x00-\x1f\x7f]", " ", text).replace("\\", "/").replace('"', "'")


def _docstring(plan: Plan) -> list[str]:
    first = textwrap.shorten(_plain(title(plan)), 112, placeholder=" ...")
    lines = textwrap.wrap(_plain(summary(plan)), 118)
    return [f'"""{first}', "", *lines, '"""']


def _imports(text: str, systems: list[System], extra: Iterable[str] = ("run",)) -> list[str]:
    """Only what the text uses, as isort orders it."""
    block = text if not text.startswith(" ") else f"if True:\n{text}"
    used = {node.id for node in ast.walk(ast.parse(block)) if isinstance(node, ast.Name)}
    lines = []
    if counting := [name for name in ("Counter", "defaultdict") if name in used]:
        lines.append(f"from collections import {', '.join(counting)}")
    if dates := [name for name in _FROM_DATETIME if name in used]:
        lines.append(f"from datetime import {', '.join(dates)}")
    if "median" in used:
        lines.append("from statistics import median")
    if lines:
        lines.append("")
    names = sorted({*(used & set(_FROM_DRIVERS)), *extra}, key=lambda name: (not name[0].isupper(), name))
    modules = {"integrator_drivers": names}
    for system in systems:
        modules.setdefault(system.module, []).append(system.client)
    return [*lines, *(f"from {module} import {', '.join(modules[module])}" for module in sorted(modules))]
