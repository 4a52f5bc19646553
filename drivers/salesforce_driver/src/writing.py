"""Sending records, 200 at a time by sObject Collections or thousands by Bulk, each judged on its own. Never deletes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from integrator_drivers import Mode, Record, Rejected, WriteResult, mode
from integrator_drivers.tallies import Tallies

from . import bulk_ingest, faults
from .connection import Connection
from .planning import Operation, Plan, Planner, Step
from .shapes import Shapes

__all__ = ["Writer"]

COLLECTION = 200  # records a call, Salesforce's limit
COMPARED = 10_000  # records whose current state is looked up together; a batch of `sync`
LOCKED = "UNABLE_TO_LOCK_ROW"
LOCK_ATTEMPTS = 4
SHOWN = 20
T = TypeVar("T")


class Writer:
    """Writes through one connection and counts what it did, by object."""

    def __init__(self, connection: Connection, sleep: Callable[[float], None] = time.sleep) -> None:
        self._connection = connection
        self._sleep = sleep
        self._written = 0
        self._tallies = Tallies("salesforce")

    def write(self, obj: str, records: Iterable[Record], operation: Operation, key: str) -> WriteResult:
        """Write as the run mode allows: refused in discovery, only compared in preview."""
        current = mode.require_writable("Salesforce", obj)
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
            if send is None or send is False:
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
            steps = [step for step in plan.steps if step.exists is not additions]
            steps.sort(key=planner.parents)  # records of one parent together: fewer locks on it
            if sum(map(bulk_ingest.can_carry, steps)) >= bulk_ingest.INGEST_FROM:
                by_bulk, steps = self._send_bulk(planner, steps, additions)
                self._tallies.count(planner.name, operation, planner.key, by_bulk)
                whole += by_bulk
            for group in _groups(steps, COLLECTION):
                mode.max_rows(self._written + len(group))
                result = self._send(planner, group, additions)
                self._written += result.inserted + result.updated
                self._tallies.count(planner.name, operation, planner.key, result)
                whole += result
        return whole

    def _send_bulk(self, planner: Planner, steps: list[Step], additions: bool) -> tuple[WriteResult, list[Step]]:
        """By Bulk what CSV can carry; the result, and the steps left to be sent otherwise."""
        carried = [step for step in steps if bulk_ingest.can_carry(step)]
        left = [step for step in steps if not bulk_ingest.can_carry(step)]
        mode.max_rows(self._written + len(steps))
        result = WriteResult()
        kind = "update" if not additions else "upsert" if planner.by_external_id else "insert"
        key = "Id" if not additions else planner.key if planner.by_external_id else ""
        ingest = bulk_ingest.Ingest(planner.name, kind, key)
        fates = bulk_ingest.send(self._connection, ingest, carried, f"{self._written:,} records were written before.")
        for fate in fates:
            result.inserted += len(fate.added)
            result.updated += len(fate.changed)
            result.rejected += [Rejected(step.record, reason) for step, reason in fate.refused]
            left += [*fate.locked, *fate.untouched]
            self._written += len(fate.added) + len(fate.changed)
        return result, left

    def _send(self, planner: Planner, steps: list[Step], additions: bool) -> WriteResult:
        """One collection; records that were locked by somebody else are tried again, the others are not."""
        result = WriteResult()
        waiting = steps
        for attempt in range(1, LOCK_ATTEMPTS + 1):
            locked = []
            for step, answer in zip(waiting, self._post(planner, waiting, additions), strict=True):
                errors = answer.get("errors") or []
                if answer.get("success"):
                    added = additions and answer.get("created", True)
                    result.inserted += added
                    result.updated += not added
                elif attempt < LOCK_ATTEMPTS and any(error.get("statusCode") == LOCKED for error in errors):
                    locked.append(step)
                else:
                    result.rejected.append(Rejected(step.record, _reason(errors)))
            if not locked:
                break
            self._sleep(0.25 * 2**attempt)
            waiting = locked
        return result

    def _post(self, planner: Planner, steps: Sequence[Step], additions: bool) -> list[dict[str, Any]]:
        records = [{"attributes": {"type": planner.name}, **step.body} for step in steps]
        path = "composite/sobjects"
        if additions and planner.by_external_id:
            # If somebody else added it since we looked, this updates it instead of adding a second one.
            method, path = "PATCH", f"{path}/{planner.name}/{planner.key}"
        else:
            method = "POST" if additions else "PATCH"
        answers: list[dict[str, Any]] = self._connection.call(
            method,
            path,
            json={"allOrNone": False, "records": records},
            done=f"Up to {len(steps):,} {planner.name} records may or may not have been written, "
            f"{self._written:,} before them were.",
        )
        return answers


def _reason(errors: Sequence[dict[str, Any]]) -> str:
    reasons = [faults.reason_of(str(error.get("message") or error.get("statusCode"))) for error in errors]
    return "; ".join(dict.fromkeys(reasons)) or "Salesforce gave no reason"


def _groups(items: Iterable[T], size: int) -> Iterator[list[T]]:
    source = iter(items)
    while group := list(islice(source, size)):
        yield group
