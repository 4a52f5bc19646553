"""Checks that run the certified examples, each in a process of its own, against practice systems."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import ProxyHandler, build_opener

from .subject import Skipped, Subject

__all__ = ["allows", "examples_apply", "examples_preview", "requests_are_allowed"]

COUNTS = ("add", "update", "unchanged", "reject")
GLOB = re.compile(r"(\*\*|\*)")
TIMEOUT = 120  # seconds for one example
_open = build_opener(ProxyHandler({})).open  # practice systems are on this machine


class Run(NamedTuple):
    """How one run of an example went."""

    problem: str  # "" when it ended well
    facts: list[dict[str, Any]]

    @property
    def targets(self) -> list[dict[str, Any]]:
        """What it wrote or would write, by target."""
        return [fact for fact in self.facts if fact["kind"] == "target"]


def examples_preview(subject: Subject) -> Iterator[str]:
    """A preview ends well, tells what it read, sends no mutation, and finds the same the second time."""
    for name, path in _runnable(subject):
        before = _mutations(subject, path)
        first, second = (_run(subject, path, "preview") for _ in range(2))
        if first.problem:
            yield f"{name} fails in a preview: {first.problem}"
            continue
        if not any(fact["kind"] in ("read", "target", "message") for fact in first.facts):
            yield f"{name} reports nothing that it read or would write"
        if _mutations(subject, path) != before:
            yield f"{name} sends changes in a preview"
        if _counts(first) != _counts(second):
            yield f"{name} finds something else in a second preview: {_counts(first)}, {_counts(second)}"


def examples_apply(subject: Subject) -> Iterator[str]:
    """A run does what its preview said; running it again adds and changes nothing."""
    for name, path in _runnable(subject):
        preview, applied, again = (_run(subject, path, mode) for mode in ("preview", "apply", "apply"))
        if applied.problem or again.problem:
            yield f"{name} fails: {applied.problem or again.problem}"
            continue
        if _counts(preview) != _counts(applied):
            yield f"{name} does something else than its preview said: {_counts(preview)}, {_counts(applied)}"
        for target in again.targets:
            if target.get("add") or target.get("update"):
                yield f"{name} changes {target['object']} again when it runs a second time"


def requests_are_allowed(subject: Subject) -> Iterator[str]:
    """What the examples send is what [http] allows: reads in a preview, writes too in a run."""
    url = subject.practice().control_url
    if not url:
        raise Skipped("its practice system keeps no log of requests")
    http = subject.manifest.http
    for name, path in _runnable(subject):
        for mode, kinds in (("preview", ("read",)), ("apply", ("read", "write"))):
            seen = _log(url)["total"]
            _run(subject, path, mode)
            log = _log(url)
            sent = {(entry["method"], entry["path"]) for entry in log["requests"][seen - log["total"] :]}
            for method, where in sorted(sent if log["total"] > seen else ()):
                if not any(allows(rule, method, where) for kind in kinds for rule in http.get(kind, ())):
                    yield f"{name} sends {method} {where} in {mode}, which [http] does not allow"
                if any(allows(rule, method, where) for rule in http.get("never", ())):
                    yield f"{name} sends {method} {where}, which [http] never allows"


def allows(rule: Any, method: str, path: str) -> bool:
    """Does an [http] rule cover this request? `*` is one part of a path, `**` any; bodies are not looked at."""
    on = str(rule.get("on", "") if isinstance(rule, dict) else rule)
    wanted, _, pattern = on.partition(" ")
    meaning = {"**": ".*", "*": "[^/]*"}
    parts = (meaning.get(part, re.escape(part)) for part in GLOB.split(pattern.strip()))
    return wanted in ("*", method) and re.fullmatch("".join(parts), path) is not None


def _runnable(subject: Subject) -> Iterator[tuple[str, Path]]:
    """Examples whose systems can be practised here; then Skipped, naming those that can't."""
    left_out = {}
    for name, path in subject.examples.items():
        try:
            for system in subject.needed_by(path):
                subject.practice(system)
        except Skipped as exc:
            left_out[name] = str(exc)
        else:
            yield name, path
    if left_out or not subject.examples:
        raise Skipped("; ".join(f"{name}: {why}" for name, why in left_out.items()) or "there is no example")


def _run(subject: Subject, example: Path, mode: str) -> Run:
    with tempfile.TemporaryDirectory(prefix="example-") as folder:
        report = Path(folder) / ".report"
        report.touch()
        try:
            done = subprocess.run(
                [sys.executable, str(example)],
                env=subject.script_environment(example, mode, report),
                cwd=folder,
                capture_output=True,
                text=True,
                encoding="utf-8",
                timeout=TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Run(f"it did not end within {TIMEOUT} s", [])
        facts = [json.loads(line) for line in report.read_text(encoding="utf-8").splitlines()]
    if done.returncode:
        return Run((done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1], facts)
    return Run("", facts)


def _counts(run: Run) -> list[tuple[str, dict[str, int]]]:
    return [(target["object"], {name: target.get(name, 0) for name in COUNTS}) for target in run.targets]


def _mutations(subject: Subject, example: Path) -> dict[str, int]:
    """Requests for a change that the practice systems around a script have seen, where they count them."""
    seen = {}
    for system in subject.needed_by(example):
        if url := subject.practice(system).control_url:
            seen[system] = int(_log(url)["mutations"])
    return seen


def _log(url: str) -> dict[str, Any]:
    with _open(f"{url}/requests", timeout=10) as response:
        found: dict[str, Any] = json.load(response)
    return found
