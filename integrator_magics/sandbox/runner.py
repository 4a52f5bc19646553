"""Runs scripts and asks drivers: policy first, audit before and after, credentials in, redacted results out."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from integrator_drivers import Mode, registry
from integrator_drivers.manifest import Manifest

from ..audit import AuditLog
from ..broker import Broker
from ..config import Settings
from ..credentials import Credentials
from ..errors import AuditUnavailable, IntegratorError, PolicyRefused, SandboxUnavailable
from . import place
from .choose import choose, embedded
from .cleaning import clean_outcome, relay
from .egress import base_urls, endpoints, is_loopback
from .outputs import carry_out, carry_state, list_files, read_state
from .protocols import Limits, Outcome, RunSpec, Sandbox, SandboxSession
from .records import counts_of, told
from .values import as_error, as_value
from .variables import for_mode, mode_variables
from .ways import described
from .worker import Workers

__all__ = ["Runner"]

OnLine = Callable[[dict[str, Any]], None]
_SECONDS = {Mode.DISCOVERY: 60.0, Mode.PREVIEW: 600.0, Mode.APPLY: 6 * 3600.0}


class Runner:
    """Where the scripts of one session run. Every method blocks and may be called from any thread.

    Nothing that comes out holds a credential: values, errors, printed text, reports and files are redacted.
    """

    def __init__(self, credentials: Credentials, audit: AuditLog, settings: Settings, workdir: Path) -> None:
        self._credentials = credentials
        self._audit = audit
        self._settings = settings
        self._workdir = workdir
        self._broker = Broker(self._hide, os.environ.get("SSL_CERT_FILE") or os.environ.get("REQUESTS_CA_BUNDLE", ""))
        self._workers = Workers(self._broker)
        self._lock = threading.Lock()
        self._choosing = threading.Lock()
        self._chosen: tuple[tuple[str, str | None], Sandbox, str] | None = None
        self._local: Sandbox | None = None  # for practice systems, where another back-end is chosen
        self._sessions: dict[SandboxSession, str] = {}  # and the name of the script

    # What runs where.

    def _choice(self) -> tuple[Sandbox, str]:
        """The back-end that the settings mean now, and a sentence about it."""
        wanted = self._settings.sandbox, self._credentials.model_key("e2b")
        with self._choosing:
            if self._chosen is None or self._chosen[0] != wanted:
                if self._chosen is not None:
                    self._chosen[1].close()
                    self._chosen = None
                self._chosen = (wanted, *choose(self._settings, self._credentials, self._preload, self._broker))
            return self._chosen[1:]

    def describe(self) -> tuple[str, str, str]:
        """Back-end, level, and a sentence where there is something to say: ("embedded", "full", "")."""
        try:
            sandbox, notice = self._choice()
        except IntegratorError as exc:
            return self._settings.sandbox, "none", str(exc)
        return _described(sandbox, notice)

    def backend(self, code: str) -> tuple[str, str, str]:
        """As `describe`, for what would run this code. Raises SandboxUnavailable where nothing would."""
        return _described(*self._place(self._systems(code)))

    def egress(self, system: str) -> list[tuple[str, int]]:
        """Hosts and ports that scripts using this system may reach. Raises NotConnected."""
        manifest = registry.manifest(system)
        return endpoints(manifest, self._credentials.env_for(manifest))

    def warm(self) -> None:
        """Prepare for the first run in the background."""
        self._broker.warm()
        with contextlib.suppress(IntegratorError):  # the run itself will say so
            self._choice()[0].warm()

    # Driver-shaped calls.

    def call(self, system: str, method: str, *args: Any) -> Any:
        """Ask a driver: check(), list_objects(), describe_objects(), get_fields(object), sample(object, n).

        Audited before and after. Raises the driver's own errors, each one sentence.
        """
        manifest = registry.manifest(system)
        env = self._credentials.env_for(manifest)
        # Who writes is what an approval names; a driver picks its read-only login for everything else.
        mode = Mode.APPLY if method == "check" else Mode.DISCOVERY
        redactor = self._credentials.redactor()
        facts = {"system": manifest.name, "method": method, "object": str(args[0]) if args else ""}
        facts |= {"backend": "embedded", "level": "none"}  # our own code, in a process that has this driver's variables
        number = self._record({"event": "discovery", "phase": "before", **facts})
        started = time.monotonic()
        try:
            answer = self._workers.call(manifest, env, method, list(args), mode)
        except Exception as exc:
            self._after(number, "discovery", facts | {"outcome": type(exc).__name__}, started)
            raise
        value = as_value(redactor.redact_data(answer.value))
        calls = {"calls": redactor.redact_data(answer.calls)[:200]}
        if answer.error is not None:
            error = as_error(redactor.redact_data(answer.error), manifest.label)
            failed = {"outcome": type(error).__name__, "error": str(error)}
            self._after(number, "discovery", facts | failed | calls, started)
            raise error
        self._after(number, "discovery", facts | {"outcome": "ok"} | told(method, value) | calls, started)
        self.warm()
        return value

    # Scripts.

    def run(
        self,
        code: str,
        *,
        mode: Mode | str,
        purpose: str = "",
        name: str = "",
        now: datetime | None = None,
        max_rows: int | None = None,
        first: int | None = None,
        on_event: OnLine | None = None,
        timeout: float | None = None,
    ) -> Outcome:
        """Run a script to its end and say how it ended; `timeout` in seconds.

        `on_event` gets the lines of the report as they come, and printed text as {"kind": "output", "stream", "text"}.
        Raises what keeps it from running: PolicyRefused, NotConnected, SandboxUnavailable, AuditUnavailable.
        """
        mode = Mode(mode)
        facts: dict[str, Any] = {
            "name": name,
            "purpose": purpose,
            "code_sha256": hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest(),
            "mode": str(mode),
            **({"max_rows": max_rows} if max_rows is not None else {}),
            **({"first": first} if first is not None else {}),
        }
        event = {Mode.DISCOVERY: "discovery", Mode.PREVIEW: "preview", Mode.APPLY: "run"}[mode]
        systems = self._allowed_systems(code, mode, event, facts)
        sandbox, _ = self._place(systems)
        manifests = [registry.manifest(system) for system in systems]
        own = {manifest.name: self._credentials.env_for(manifest) for manifest in manifests}
        env, egress = _variables(manifests, own, mode)
        backend, level = sandbox.name, sandbox.probe()
        facts |= {"systems": systems, "backend": backend, "level": str(level)}
        hosts = [f"{host}:{port}" for host, port in egress]
        number = self._record({"event": event, "phase": "before", **facts, "hosts": hosts})
        spec = RunSpec(
            code=code,
            mode=mode,
            env=env | mode_variables(mode, now or datetime.now(UTC), max_rows, first),
            egress=tuple(egress),
            limits=Limits(seconds=timeout or _SECONDS[mode]),
            inputs=read_state(self._workdir),
            systems=tuple(described(manifest, own[manifest.name]) for manifest in manifests),
        )
        started = time.monotonic()
        try:
            outcome = self._run(sandbox, spec, name, on_event)
        except BaseException as exc:
            self._after(number, event, facts | {"outcome": type(exc).__name__}, started)
            raise
        outcome.backend, outcome.level, outcome.level_reason = backend, str(level), level.reason
        counts = counts_of(outcome)
        outcome.audit_record = self._after(number, event, facts | {"outcome": outcome.status} | counts, started)
        return outcome

    def cancel(self, name: str | None = None) -> None:
        """Stop the runs of one script, or everything that runs now."""
        with self._lock:
            sessions = [session for session, of in self._sessions.items() if name in (None, of)]
        for session in sessions:
            session.cancel()
        if name is None:
            self._workers.cancel()

    def close(self) -> None:
        """Stop everything and end the processes that wait."""
        self.cancel()
        self._workers.close()
        with self._choosing:
            if self._chosen is not None:
                self._chosen[1].close()
            if self._local is not None:
                self._local.close()
        self._broker.close()

    # How it works inside.

    def _run(self, sandbox: Sandbox, spec: RunSpec, name: str, on_event: OnLine | None) -> Outcome:
        redactor = self._credentials.redactor()
        session = sandbox.open(spec)
        with self._lock:
            self._sessions[session] = name
        try:
            send = relay(redactor, on_event or (lambda line: None))
            raw = session.run(send)
            send.flush()
            outcome = clean_outcome(raw, redactor)
            if spec.mode is Mode.APPLY and outcome.status == "ok":
                found = carry_out(session.outputs, self._workdir, raw.report, redactor)
            else:
                found = list_files(session.outputs, raw.report, redactor)
            outcome.files = found.files
            outcome.notes += found.notes
            if spec.mode is Mode.APPLY:  # however it ended: what was acknowledged is written
                state = carry_state(session.outputs, self._workdir, spec.inputs, redactor)
                outcome.state, outcome.notes = state.files, [*outcome.notes, *state.notes]
            return outcome
        except SandboxUnavailable as exc:
            raise SandboxUnavailable(redactor.redact(str(exc.args[0])), redactor.redact(exc.next)) from None
        finally:
            with self._lock:
                del self._sessions[session]
            session.close()

    def _allowed_systems(self, code: str, mode: Mode, event: str, facts: Mapping[str, Any]) -> list[str]:
        from ..policy import allowed

        try:
            allowed(code, mode)
        except PolicyRefused as exc:
            self._record({"event": event, "phase": "refused", **facts, "reason": str(exc)})
            raise
        return self._systems(code)

    def _systems(self, code: str) -> list[str]:
        from ..policy import imports

        return sorted(imports(code))

    def _place(self, systems: list[str]) -> tuple[Sandbox, str]:
        """What would run a script of these systems, and a sentence about it; practice systems run on this machine.

        Raises SandboxUnavailable where real credentials would meet a script that nothing keeps in.
        """
        sandbox, notice = self._choice()
        is_practice = bool(systems) and all(self.is_practice(system) for system in systems)
        if is_practice and sandbox.name != "embedded":
            with self._choosing:
                self._local = self._local or embedded(self._preload, self._broker)
                return self._local, "practice systems run on this machine"
        level = sandbox.probe()
        if level.name != "none" or is_practice or not systems:
            return sandbox, notice
        raise SandboxUnavailable(
            f"This machine offers no isolation for scripts ({level.reason}). Runs with your credentials are refused.",
            "Install bubblewrap, or go on with practice data: `%integrator demo`.",
        )

    def is_practice(self, system: str) -> bool:
        """Is every host of this system a practice system that answers now?"""
        from integrator_practice import is_practice

        manifest = registry.manifest(system)
        env = self._credentials.env_for(manifest)
        hosts = base_urls(manifest, env) or manifest.egress(env)
        return bool(hosts) and all(is_loopback(host) and is_practice(host, port) for host, port in hosts)

    def _hide(self, value: str, name: str) -> None:
        self._credentials.redactor().register(value, name)

    def _preload(self) -> list[str]:
        ready = [name for name, entry in registry.manifests().items() if self._credentials.state(entry).connected]
        return place.preload(ready)

    def _record(self, facts: Mapping[str, Any]) -> int:
        """Write an audit record; raises AuditUnavailable, and then nothing may run."""
        return self._audit.append(self._credentials.redactor().redact_data(dict(facts)))

    def _after(self, number: int, event: str, facts: Mapping[str, Any], started: float) -> int:
        """Record how it ended; what was done is done, so a log that is full now only leaves the record before."""
        seconds = round(time.monotonic() - started, 3)
        try:
            return self._record({"event": event, "phase": "after", "of": number, **facts, "seconds": seconds})
        except AuditUnavailable:
            return number


def _variables(
    manifests: list[Manifest], own: Mapping[str, Mapping[str, str]], mode: Mode
) -> tuple[dict[str, str], list[tuple[str, int]]]:
    env: dict[str, str] = {}
    egress: list[tuple[str, int]] = []
    for manifest in manifests:
        egress += endpoints(manifest, own[manifest.name])
        env |= for_mode(manifest, own[manifest.name], mode)
    return env, list(dict.fromkeys(egress))


def _described(sandbox: Sandbox, notice: str) -> tuple[str, str, str]:
    level = sandbox.probe()
    return sandbox.name, str(level), "; ".join(filter(None, (level.reason, notice)))
