"""Sending records by HubSpot's batch endpoints, at most 100 at a time, each record judged on its own. Never deletes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from integrator_drivers import Mode, Record, Rejected, WriteResult, mode
from integrator_drivers.tallies import Tallies

from . import faults
from .connection import BATCH, Connection
from .planning import Operation, Plan, Planner, Step
from .shapes import Shapes
from .values import matching_key

__all__ = ["Writer"]

COMPARED = 2_000  # records whose current state is looked up together
SHOWN = 20
T = TypeVar("T")


class Writer:
    """Writes through one connection and counts what it did, by object."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._written = 0
        self._tallies = Tallies("hubspot")

    def write(self, obj: str, records: Iterable[Record], operation: Operation, key: str) -> WriteResult:
        """Write as the run mode allows: refused in discovery, only compared in preview."""
        current = mode.require_writable("HubSpot", obj)
        return self._run(obj, records, operation, key, send=current is Mode.APPLY)

    def compare(self, obj: str, records: Iterable[Record], operation: Operation, key: str) -> WriteResult:
        """What `write` would do. Reads only."""
        return self._run(obj, records, operation, key, send=None)

    def report(self) -> None:
        """Report what was written directly; a sync has reported its own part."""
        self._tallies.report()

    def _run(
        self, obj: str, records: Iterable[Record], operation: Operation, key: str, send: bool | None
    ) -> WriteResult:
        """`send`: True sends, False counts as a preview does, None only tells."""
        planner = Planner(self._connection, Shapes(self._connection), obj, operation, key)
        whole = WriteResult()
        for group in _groups(records, COMPARED):
            plan = planner.plan(group)
            result = WriteResult(unchanged=plan.unchanged, rejected=plan.rejected)
            if not send:
                result.inserted = plan.additions
                result.updated = len(plan.steps) - plan.additions
                result.differences = plan.differences[:SHOWN]
            if send is not None:
                columns = dict.fromkeys(name for row in group for name in row)
                self._tallies.count(planner.name, operation, planner.key, result, columns)
            whole += result
            if send:
                whole += self._send_all(planner, plan, operation)
        return whole

    def _send_all(self, planner: Planner, plan: Plan, operation: Operation) -> WriteResult:
        whole = WriteResult()
        for additions in (True, False):
            steps = [step for step in plan.steps if bool(step.id) is not additions]
            for group in _groups(steps, BATCH):
                mode.max_rows(self._written + len(group))
                result = self._send(planner, group, additions)
                self._written += result.inserted + result.updated
                self._tallies.count(planner.name, operation, planner.key, result)
                whole += result
        return whole

    def _send(self, planner: Planner, steps: list[Step], additions: bool) -> WriteResult:
        """One batch. Where HubSpot refuses all of it for the sake of one, halves find that one."""
        try:
            answer = self._post(planner, steps, additions)
        except faults.BatchRefusedError as exc:
            if len(steps) == 1:
                reason = str(exc).removeprefix("HubSpot refused the request: ")
                return WriteResult(rejected=[Rejected(steps[0].record, reason)])
            half = len(steps) // 2
            result = self._send(planner, steps[:half], additions)
            result += self._send(planner, steps[half:], additions)
            return result
        return _judged(answer, steps, additions, planner.key)

    def _post(self, planner: Planner, steps: Sequence[Step], additions: bool) -> dict[str, Any]:
        """New records by a unique key go as an upsert: if somebody else added one since, no second one is made."""
        by_key = additions and planner.keyed_by == "unique"
        operation = "upsert" if by_key else "create" if additions else "update"
        inputs: list[dict[str, Any]] = []
        for number, step in enumerate(steps):
            entry: dict[str, Any] = {"properties": step.properties, "objectWriteTraceId": str(number)}
            if by_key:
                entry |= {"idProperty": planner.key, "id": step.properties[planner.key]}
            elif not additions:
                entry["id"] = step.id
            inputs.append(entry)
        return self._connection.write(
            planner.kind.path,
            operation,
            inputs,
            keyed=operation != "create",
            done=f"Up to {len(steps):,} {planner.name} may or may not have been written, "
            f"{self._written:,} before them were.",
        )


def _judged(answer: Mapping[str, Any], steps: Sequence[Step], additions: bool, key: str) -> WriteResult:
    """What became of each record, from an answer of status 200, 201 or 207."""
    result = WriteResult()
    waiting = dict(enumerate(steps))
    for error in answer.get("errors") or ():
        for number in _meant(error, waiting, key):
            step = waiting.pop(number)
            result.rejected.append(Rejected(step.record, faults.reason_of(error) or "HubSpot gave no reason"))
    for found in answer.get("results") or ():
        numbers = _matching(found, waiting, key)
        for number in numbers:
            waiting.pop(number)
            added = additions and found.get("new", True)
            result.inserted += added
            result.updated += not added
    if waiting and not answer.get("errors") and len(answer.get("results") or ()) == len(steps):
        result.inserted += len(waiting) * additions  # all were taken; HubSpot does not echo which is which
        result.updated += len(waiting) * (not additions)
        waiting.clear()
    for step in waiting.values():
        reason = "HubSpot did not say what became of this record; run again to see"
        result.rejected.append(Rejected(step.record, reason))
    return result


def _meant(error: Mapping[str, Any], waiting: Mapping[int, Step], key: str) -> list[int]:
    """The records that an error is about, by trace id, record id or key."""
    context = error.get("context") or {}
    values = {str(one) for entry in context.values() for one in (entry if isinstance(entry, list) else [entry])}
    traces = context.get("objectWriteTraceId")
    if traces:
        wanted = {str(one) for one in (traces if isinstance(traces, list) else [traces])}
        return [number for number in waiting if str(number) in wanted]
    return [
        number
        for number, step in waiting.items()
        if (step.id and step.id in values) or (key and step.properties.get(key) in values)
    ]


def _matching(found: Mapping[str, Any], waiting: Mapping[int, Step], key: str) -> list[int]:
    trace = found.get("objectWriteTraceId")
    if trace is not None and str(trace).isdigit() and int(trace) in waiting:
        return [int(trace)]
    held = matching_key((found.get("properties") or {}).get(key) or "", key)
    for number, step in waiting.items():
        if step.id == str(found.get("id")) or (
            key and held and matching_key(step.properties.get(key, ""), key) == held
        ):
            return [number]
    return []


def _groups(items: Iterable[T], size: int) -> Iterator[list[T]]:
    source = iter(items)
    while group := list(islice(source, size)):
        yield group
