"""Receipts beside exported scripts, and standing approvals: how a script comes to write while nobody looks."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from integrator_drivers.unattended import permit, receipt_path

from .audit.who import person
from .errors import ApprovalRequired, ConfigError
from .export import Exported, ScriptStore, export, same_but_schedule

if TYPE_CHECKING:
    from .audit import AuditLog
    from .policy import Approvals, Facts, Standing

__all__ = ["DAYS", "Unattended", "covers", "write_receipt"]

DAYS = 90  # a standing approval lasts, unless its end is named


class Unattended:
    """Standing approvals of one notebook's scripts; each decision is recorded before it counts."""

    def __init__(self, store: ScriptStore, approvals: Approvals, audit: AuditLog) -> None:
        from .policy import StandingApprovals

        self._store = store
        self._approvals = approvals
        self._audit = audit
        self._standing = StandingApprovals(approvals.path)

    def export(
        self, name: str, target: Path, schedule: str | None, find_secret: Callable[[str], str | None]
    ) -> Exported:
        """Write the approved script and its receipt, which names the newest audit record, signed."""
        from .policy import require_no_secret

        latest = self._store.latest(name)
        require_no_secret(latest.code, find_secret)
        names = {"notebook": self._store.notebook, "name": name}
        facts = {"path": str(target), "script_sha256": latest.sha256, "schedule": schedule}
        before = self._audit.append({"event": "export", "phase": "before", **names, **facts})
        exported = export(self._store, name, target, schedule)
        digest = {"script_sha256": exported.sha256}
        number = self._audit.append({"event": "export", "phase": "after", "of": before, **names, **facts, **digest})
        head = self._audit.sign("export")
        write_receipt(exported.path, {"script": exported.path.name, **digest, "record": number, "audit": head})
        return exported

    def ask(self, exported: Exported, until: str | None = None, max_rows: int | None = None) -> tuple[Standing, str]:
        """What would be allowed, and the code that approves it. Raises ApprovalRequired where nothing can be asked."""
        return self._standing.request(_asked_for(exported, self._store, self._approvals, until, max_rows))

    def approve(self, name: str, code: str) -> Standing:
        """A person decides on what waits under this name; the receipt beside the file says so."""
        waiting = self._standing.waiting(name, self._store.notebook)
        self._record("before", waiting, approved=True)
        try:
            standing = self._standing.approve(waiting.id, code, person())
        except ApprovalRequired as exc:
            self._record("refused", waiting, approved=False, why=str(exc))
            raise
        write_receipt(Path(standing.path), {"script_sha256": standing.script_sha256, "standing": standing.receipt()})
        return standing

    def revoke(self, id: str) -> Standing:
        """End one now, also in the receipt beside its file where that is still on this machine."""
        known = next((entry for entry in self.all() if entry.id == id), None)
        if known is not None:
            self._record("revoked", known, approved=False)
        standing = self._standing.revoke(id)
        if receipt_path(Path(standing.path)).exists():
            facts = {"script_sha256": standing.script_sha256, "standing": standing.receipt()}
            write_receipt(Path(standing.path), facts)
        return standing

    def all(self) -> list[Standing]:
        """Every decision, newest first, of all notebooks."""
        return self._standing.all()

    def of_file(self, path: Path) -> Standing:
        """The standing approval for a file's bytes. Raises ApprovalRequired that says why there is none."""
        try:
            return self._standing.of_script(hashlib.sha256(path.read_bytes()).hexdigest())
        except ApprovalRequired:
            if "has changed" in (reason := permit(path).reason):
                raise ApprovalRequired(
                    f"{reason} Nothing was written.", "Export the script again, and approve what it would do now."
                ) from None
            raise

    def _record(self, phase: str, standing: Standing, **facts: Any) -> None:
        told = {key: value for key, value in standing.receipt().items() if key not in ("person", "decided", "revoked")}
        names = {"event": "standing approval", "phase": phase, "notebook": standing.notebook, "name": standing.name}
        self._audit.append({**names, **told, "path": standing.path, **facts})


def _asked_for(
    exported: Exported, store: ScriptStore, approvals: Approvals, until: str | None, max_rows: int | None
) -> Standing:
    """What a standing approval of an exported script would allow: what was approved and run by hand, no more."""
    from .policy import Standing

    name = exported.version.name
    if not exported.schedule:
        raise ApprovalRequired(f"{name} has no schedule, so nothing runs unattended.", "Add --schedule.")
    facts = _last_used(exported, store, approvals)
    ceiling = max_rows or facts.max_rows
    return Standing(
        name=name,
        notebook=store.notebook,
        path=str(exported.path),
        script_sha256=exported.sha256,
        schedule=exported.schedule,
        systems=tuple((system[0], *system[2:]) for system in facts.systems),
        targets=tuple((target.system, target.object, target.columns) for target in facts.targets),
        max_rows=ceiling,
        until=_end(until).isoformat(),
        practice=facts.practice,
    )


def covers(standing: Standing, facts: Facts) -> None:
    """Raises ApprovalRequired where a run would do what the standing approval does not name."""
    systems = tuple((system[0], *system[2:]) for system in facts.systems)
    targets = tuple((target.system, target.object, target.columns) for target in facts.targets)
    changed = [
        what
        for what, is_same in (
            ("a system or its account", systems == standing.systems),
            ("a target", set(targets) <= set(standing.targets)),
        )
        if not is_same
    ]
    if changed:
        raise ApprovalRequired(
            f"This is not what the standing approval {standing.id} is for: {' and '.join(changed)} changed. "
            "Nothing was written.",
            "Run the script in its notebook and approve it anew.",
        )


def write_receipt(script: Path, facts: dict[str, Any]) -> Path:
    """Add facts to the receipt beside a script; what it says of other bytes than the script's goes."""
    path = receipt_path(script)
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        before = {}
    same = isinstance(before, dict) and before.get("script_sha256") == facts.get(
        "script_sha256", before.get("script_sha256")
    )
    text = json.dumps({**(before if same else {}), **facts}, indent=1)
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        temporary.write_text(text + "\n", encoding="utf-8")
        temporary.replace(path)
    except OSError as exc:
        raise ConfigError(f"The receipt {path} can't be written ({(exc.strerror or '').lower()}).") from exc
    return path


def _last_used(exported: Exported, store: ScriptStore, approvals: Approvals) -> Facts:
    """The facts of the last approval of this script, whatever its schedule, that a run made use of."""
    code = exported.path.read_text(encoding="utf-8")
    versions = {entry.sha256 for entry in store.versions(exported.version.name) if same_but_schedule(entry.code, code)}
    for facts in approvals.used(store.notebook, exported.version.name):
        if facts.script_sha256 in versions:
            return facts
    raise ApprovalRequired(
        f"{exported.version.name} wrote nothing with your approval yet, so what it may do unattended is not known.",
        "Run its cell, approve it, and export it again. A script that only reads needs no standing approval.",
    )


def _end(until: str | None) -> datetime:
    """The end of the last day, in this machine's time zone."""
    today = datetime.now().astimezone().date()
    try:
        day = date.fromisoformat(until) if until else today + timedelta(days=DAYS)
    except ValueError as exc:
        raise ConfigError(f'"{until}" is no date.', "Write it like 2027-02-28.") from exc
    if day < today:
        raise ConfigError(f"{day:%Y-%m-%d} is over.", "Name a day to come.")
    return datetime.combine(day, time(23, 59, 59)).astimezone(UTC)
