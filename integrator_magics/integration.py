"""One named script on its way: preview, approval, run, receipt. The only door through which anything is written."""

from __future__ import annotations

import getpass
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from integrator_drivers import Mode, registry

from .errors import ApprovalRequired, RunFailed
from .events import Decided, Event, Previewed, Progress, Ran, Table, TargetCounts, from_json, to_json
from .export import ScriptStore, Version

if TYPE_CHECKING:
    from .audit import AuditLog
    from .credentials import Credentials
    from .policy import Approvals, Facts, Standing
    from .sandbox import Outcome, Runner

__all__ = ["Integrations"]

Emit = Callable[[Event], None]
FIRST = 10  # rows that a person may have written before the rest


@dataclass(frozen=True)
class _Waiting:
    """What a preview established, kept until the decision."""

    version: Version
    facts: Facts
    preview: Previewed
    window_end: datetime


class Integrations:
    """The scripts of one notebook. Every method blocks; `emit` gets progress while it works."""

    def __init__(
        self,
        notebook: str,
        workdir: Path,
        *,
        credentials: Credentials,
        audit: AuditLog,
        approvals: Approvals,
        runner: Runner,
        store: ScriptStore,
    ) -> None:
        self.notebook = notebook
        self.workdir = workdir
        self.credentials = credentials
        self.audit = audit
        self.approvals = approvals
        self.runner = runner
        self.store = store
        self._waiting: dict[str, _Waiting] = {}
        self._begun: dict[str, _Waiting] = {}  # the first rows are written, and somebody looks at them

    def preview(self, name: str, code: str, emit: Emit) -> Previewed:
        """Run read-only and compare: what would be added and updated, or what a reading script shows.

        A script that writes leaves an approval waiting. Raises PolicyRefused, RunFailed and the like, in a sentence.
        """
        from .policy import require_no_secret

        require_no_secret(code, self.credentials.find_secret)
        return self._preview(self.store.save(name, code), datetime.now(UTC), emit)

    def preview_rest(self, name: str, emit: Emit) -> Previewed:
        """What is left of a script whose first rows were written: the same script, for the same moment."""
        begun = self._begun.pop(name)
        return self._preview(begun.version, begun.window_end, emit, rest=True)

    def _preview(self, version: Version, window_end: datetime, emit: Emit, *, rest: bool = False) -> Previewed:
        from .policy import Label, allowed

        name, code = version.name, version.code
        started = time.monotonic()
        outcome = self.runner.run(code, mode=Mode.PREVIEW, name=name, now=window_end, on_event=_relay(emit))
        _require_ok(name, outcome, "Nothing was written.")
        targets, tables = _targets(outcome.report), _tables(outcome.report)
        self._audit("preview", version, counts=[_counts(entry) for entry in targets], files=_file_names(outcome))
        # By what the script could do, not only by what this preview met: a write may hang on a condition.
        writes = bool(targets) or allowed(code, Mode.APPLY).label is Label.WRITE
        facts = self._facts(version, targets, window_end, (outcome.backend, str(outcome.level)))
        environments = {entry[0]: entry[3] for entry in facts.systems}
        targets = [replace(target, environment=environments.get(target.system, "")) for target in targets]
        code_word, expires, needs_decision = "", "", True
        if writes:
            pending = self.approvals.request(facts)
            facts = pending.facts
            code_word = "" if facts.practice else pending.code
            expires = facts.expires
        else:
            needs_decision = not self.approvals.reader_known(
                version.sha256, notebook=self.notebook, systems=facts.systems
            )
        preview = Previewed(
            name=name,
            sha256=version.sha256,
            targets=targets,
            tables=tables,
            files=list(outcome.files),
            seconds=time.monotonic() - started,
            sandbox=f"{outcome.backend} ({'; '.join(filter(None, (outcome.level, outcome.level_reason)))})",
            writes=writes,
            needs_decision=needs_decision,
            code=code_word,
            practice=facts.practice,
            expires=expires,
            systems=[_whose(system) for system in facts.systems],
            script=code,
            first=FIRST if not rest and _can_begin(outcome.report, targets) else 0,
            rest=rest,
            answers=_answers(outcome.report),
        )
        self._waiting[name] = _Waiting(version, facts, preview, window_end)
        if writes:
            self.approvals.keep_card(facts.digest, json.dumps(to_json(preview), default=str))
        return preview

    def waiting(self, name: str) -> Previewed:
        """The preview of `name` that waits for a decision. Raises ApprovalRequired when none does."""
        self._remember()
        if name not in self._waiting:
            raise ApprovalRequired(
                f"No preview of {name} is waiting for a decision.", f"Run `%integration {name}` for a new one."
            )
        return self._waiting[name].preview

    def waiting_names(self) -> list[str]:
        """Names of the scripts whose preview waits for a decision."""
        self._remember()
        return [name for name, entry in self._waiting.items() if entry.preview.needs_decision]

    def _remember(self) -> None:
        """Previews from before a kernel restart that can still be decided on."""
        for pending, card in self.approvals.cards(self.notebook):
            facts, preview = pending.facts, from_json(json.loads(card))
            known = [entry for entry in self.store.versions(pending.name) if entry.sha256 == facts.script_sha256]
            if pending.name not in self._waiting and known and isinstance(preview, Previewed):
                end = datetime.fromisoformat(facts.window_end)
                self._waiting[pending.name] = _Waiting(known[-1], facts, preview, end)

    def approve(self, name: str, code: str, emit: Emit, first: int | None = None) -> Ran:
        """A person approves the waiting preview; run exactly that and return the receipt.

        `code` is the word shown with the preview (not needed for practice systems). With `first` only so many rows are
        written, and `preview_rest` asks about the others. Raises ApprovalRequired when the preview is gone, expired, of
        another script version, or the systems are not the same any more.
        """
        preview = self.waiting(name)
        if first is not None and not 0 < first <= preview.first:
            allowed = f"At most {preview.first}." if preview.first else "Approve all of it, or reject it."
            raise ApprovalRequired(f"{name} can't begin with {first:,} rows.", allowed)
        entry = self._waiting[name]
        person = getpass.getuser()
        if self.store.latest(name).sha256 != entry.version.sha256:
            raise ApprovalRequired(f"{name} has changed since this preview.", "Run its cell again for a new one.")
        if not preview.writes:
            return self._confirm(entry, person, emit)
        facts: dict[str, Any] = {"approved": True, "person": person, "digest": entry.facts.digest}
        facts |= {"max_rows": entry.facts.max_rows, "first": first}
        self._audit("decision", entry.version, phase="before", **facts)
        try:
            self.approvals.approve(name, code, person, notebook=self.notebook)
        except ApprovalRequired as exc:
            self._audit("decision", entry.version, phase="refused", **facts, reason=str(exc))
            raise
        approved_at = datetime.now(UTC).isoformat(timespec="seconds")
        now = self._facts(entry.version, preview.targets, entry.window_end, self._backend(entry.version.code))
        self.approvals.use(replace(now, nonce=entry.facts.nonce, expires=entry.facts.expires))
        del self._waiting[name]
        emit(Decided(name, True, person, approved_at, first=first or 0))
        if first is not None:
            self._begun[name] = entry
            return self._apply(entry, first, person, approved_at, emit, first)
        self.store.mark_approved(name, entry.version.sha256, person)
        return self._apply(entry, entry.facts.max_rows, person, approved_at, emit)

    def apply_standing(self, name: str, standing: Standing, emit: Emit) -> Ran:
        """Run the waiting preview unattended. Raises ApprovalRequired where it is not what was approved for good."""
        from .unattended import covers

        self.waiting(name)
        entry = self._waiting[name]
        rows = sum(target.add + target.update for target in entry.preview.targets)
        reason = f"standing approval {standing.id} of {standing.person}"
        facts: dict[str, Any] = {"person": standing.person, "digest": entry.facts.digest, "reason": reason}
        try:
            if standing.script_sha256 != entry.version.sha256:
                raise ApprovalRequired(f"{name} has changed since its standing approval.", "Export it again.")
            covers(standing, entry.facts)
            if rows > standing.max_rows:
                raise ApprovalRequired(
                    f"{rows:,} rows are more than the {standing.max_rows:,} that {name} may write unattended; "
                    "nothing was written.",
                    "Run it in its notebook and approve it.",
                )
        except ApprovalRequired as exc:
            self._audit("decision", entry.version, phase="refused", **facts | {"approved": False, "why": str(exc)})
            raise
        self._audit("decision", entry.version, approved=True, max_rows=standing.max_rows, **facts)
        self.approvals.approve(name, entry.preview.code, standing.person, notebook=self.notebook)
        self.approvals.use(entry.facts)
        del self._waiting[name]
        return self._apply(entry, standing.max_rows, standing.person, standing.decided, emit)

    def run_reader(self, name: str, emit: Emit) -> Ran:
        """Run a script that only reads and that a person found right before."""
        entry = self._waiting.pop(name)
        approved = self.store.approved(name)
        person, at = (approved.approved_by, approved.approved_at) if approved else ("", "")
        return self._apply(entry, 0, person, at, emit)

    def reject(self, name: str, reason: str, emit: Emit) -> Decided:
        """A person says no; the preview is void and the reason is recorded."""
        self.waiting(name)
        entry = self._waiting[name]
        person = getpass.getuser()
        self._audit("decision", entry.version, approved=False, person=person, reason=reason)
        if entry.preview.writes:
            self.approvals.reject(name, person, reason, notebook=self.notebook)
        del self._waiting[name]
        decided = Decided(name, False, person, datetime.now(UTC).isoformat(timespec="seconds"), reason)
        emit(decided)
        return decided

    def _confirm(self, entry: _Waiting, person: str, emit: Emit) -> Ran:
        name = entry.version.name
        at = datetime.now(UTC).isoformat(timespec="seconds")
        self._audit("decision", entry.version, approved=True, person=person, reason="the output looks right")
        self.approvals.remember_reader(
            entry.version.sha256, notebook=self.notebook, systems=entry.facts.systems, person=person
        )
        self.store.mark_approved(name, entry.version.sha256, person)
        del self._waiting[name]
        emit(Decided(name, True, person, at))
        return self._apply(entry, 0, person, at, emit)

    def _apply(
        self,
        entry: _Waiting,
        max_rows: int | None,
        person: str,
        approved_at: str,
        emit: Emit,
        first: int | None = None,
    ) -> Ran:
        version = entry.version
        started = time.monotonic()
        outcome = self.runner.run(
            version.code,
            mode=Mode.APPLY,
            name=version.name,
            now=entry.window_end,
            max_rows=max_rows,
            first=first,
            on_event=_relay(emit),
        )
        targets = _targets(outcome.report)
        _require_ok(version.name, outcome, _what_is_written(outcome, targets))
        record = self._audit(
            "receipt", version, counts=[_counts(target) for target in targets], files=outcome.files, person=person
        )
        return Ran(
            name=version.name,
            targets=targets,
            tables=_tables(outcome.report),
            files=list(outcome.files),
            notes=list(outcome.notes),
            seconds=time.monotonic() - started,
            approved_by=person,
            approved_at=approved_at,
            audit_record=record,
            audit_whole=self.audit.verify().whole,
            answers=_answers(outcome.report),
        )

    def _facts(
        self, version: Version, targets: list[TargetCounts], window_end: datetime, sandbox: tuple[str, str]
    ) -> Facts:
        """Everything an approval is bound to; identities and hosts are asked for anew each time."""
        from .policy import Facts, TargetFacts, imports

        systems, hosts, practice = [], [], True
        for system in sorted(imports(version.code)):
            manifest = registry.manifest(system)
            identity = self.runner.call(system, "check")
            systems.append((system, manifest.version, identity.account, identity.environment, identity.user))
            hosts += [f"{host}:{port}" for host, port in self.runner.egress(system)]
            practice = practice and self.runner.is_practice(system)
        previewed = sum(target.add + target.update for target in targets)
        return Facts(
            name=version.name,
            notebook=self.notebook,
            script_sha256=version.sha256,
            mode=str(Mode.APPLY),
            systems=tuple(systems),
            hosts=tuple(sorted(hosts)),
            sandbox=sandbox,
            targets=tuple(
                TargetFacts(target.system, target.object, tuple(target.columns), (target.operation,))
                for target in targets
            ),
            counts=tuple(
                (f"{target.system} {target.object}: {kind}", count)
                for target in targets
                for kind, count in (("add", target.add), ("update", target.update), ("reject", target.reject))
            ),
            max_rows=int(previewed * 1.1) + 10,
            window_end=window_end.isoformat(),
            practice=practice and bool(systems),
        )

    def _backend(self, code: str) -> tuple[str, str]:
        name, level, _ = self.runner.backend(code)
        return name, str(level)

    def _audit(self, event: str, version: Version, **facts: Any) -> int:
        return self.audit.append(
            {"event": event, "notebook": self.notebook, "name": version.name, "script_sha256": version.sha256, **facts}
        )


def _whose(system: tuple[str, ...]) -> str:
    """ "PostgreSQL: demo (local) as integrator"."""
    name, _, account, environment, user = system
    return f"{registry.manifest(name).label}: {account} ({environment}) as {user}"


def _can_begin(report: list[dict[str, Any]], targets: list[TargetCounts]) -> bool:
    """One target, written by a sync, that gets more rows than the first ones: only then are there first ones."""
    by_sync = [line for line in report if line.get("kind") == "target" and "source_count" in line]
    rows = sum(target.add + target.update for target in targets)
    plain = [line for line in by_sync if not line.get("newest") and line.get("conflict", "source") == "source"]
    return len(targets) == len(plain) == 1 and rows > FIRST


def _require_ok(name: str, outcome: Outcome, meaning: str) -> None:
    if outcome.status == "ok":
        return
    error = outcome.error
    what = error.sentence if error else f"{name} ended without a result ({outcome.status})."
    raise RunFailed(what.rstrip(".") + ".", meaning)


def _what_is_written(outcome: Outcome, targets: list[TargetCounts]) -> str:
    """What a run that did not end well left behind: its own counts, or how far its progress got before it was ended."""
    steps = [line for line in outcome.report if line.get("kind") == "progress"]
    if targets:
        done = [target for target in targets if target.add + target.update]
        if done:
            parts = [f"{target.add + target.update:,} rows" for target in done]
            if len(targets) > 1:
                parts = [f"{target.add + target.update:,} rows of {target.object}" for target in done]
            return f"{' and '.join(parts)} are written and recorded; running again continues with the rest."
    elif steps and steps[-1].get("done"):
        total = f" of {steps[-1]['total']:,}" if steps[-1].get("total") else ""
        return f"{steps[-1]['done']:,}{total} rows were worked on and are kept; running again continues with the rest."
    return "Nothing was written."


def _relay(emit: Emit) -> Callable[[dict[str, Any]], None]:
    """Turn the progress lines of a running script into events."""

    def relay(line: dict[str, Any]) -> None:
        if line.get("kind") == "progress":
            emit(Progress(str(line.get("label", "")), int(line.get("done") or 0), line.get("total"), line.get("rate")))

    return relay


def _targets(report: list[dict[str, Any]]) -> list[TargetCounts]:
    known = TargetCounts.__dataclass_fields__
    lines = [line for line in report if line.get("kind") == "target"]
    return [
        TargetCounts(**{key: value for key, value in line.items() if key in known and value is not None})
        for line in lines
    ]


def _tables(report: list[dict[str, Any]]) -> list[Table]:
    """What a script showed, and the first rows of each file it wrote; files with the same rows count once."""
    found = [
        Table(line["name"], line["columns"], line["rows"], line["count"], str(line.get("chart") or ""))
        for line in report
        if line.get("kind") == "table"
    ]
    for line in report:
        if line.get("kind") == "file" and line.get("first"):
            table = Table(line["path"], line["columns"], line["first"], line["rows"])
            if not any((table.columns, table.rows, table.count) == (t.columns, t.rows, t.count) for t in found):
                found.append(table)
    return found


def _answers(report: list[dict[str, Any]]) -> list[str]:
    """The sentences that a script showed, and its single values with their names."""
    found = []
    for line in report:
        if line.get("kind") == "value":
            value = line["value"]
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                value = f"{value:,.10g}" if isinstance(value, float) else f"{value:,}"
            found.append(value if isinstance(line["value"], str) else f"{line['name']}: {value}")
    return found


def _counts(target: TargetCounts) -> dict[str, Any]:
    return {
        "system": target.system,
        "object": target.object,
        "read": target.read,
        "add": target.add,
        "update": target.update,
        "unchanged": target.unchanged,
        "reject": target.reject,
        "duplicates": target.duplicates,
        **({"cursor": target.cursor, "watermark": target.watermark_after} if target.cursor else {}),
        **({"failed": target.failed} if target.failed else {}),
    }


def _file_names(outcome: Outcome) -> list[str]:
    return [entry["path"] for entry in outcome.files]
