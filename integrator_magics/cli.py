"""The `integrator` command: the same core without a notebook. Errors are one JSON object or one sentence; exit 1."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TextIO

from integrator_drivers import DriverError, Mode, registry

from .errors import IntegratorError

__all__ = ["main"]


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = _parser().parse_args(argv)
    try:
        code: int = arguments.run(arguments)
        return code
    except (IntegratorError, DriverError) as exc:
        _fail(exc, as_json=getattr(arguments, "json", False))
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="integrator", description="Integrations from plain words.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], int], help: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=help, description=help)
        added.set_defaults(run=run)
        return added

    sub = command("demo", _demo, "the whole conversation on practice systems; needs no account")
    sub.add_argument("--headless", action="store_true", help="answer and approve by itself, and print everything")

    sub = command("practice", _practice, "serve a practice system on this machine until stopped")
    sub.add_argument("system")
    sub.add_argument("--port", type=int, default=0)
    sub.add_argument("--seed", type=int, default=1)
    sub.add_argument("--rows", type=int, help="leads, or rows of the largest table")
    sub.add_argument("--tls", action="store_true")

    sub = command("discover", _discover, "the objects of a system, or the fields of one; only reads")
    sub.add_argument("system")
    sub.add_argument("object", nargs="?")
    sub.add_argument("--sample", type=int, default=0, metavar="N", help="fill rate and masked examples of N records")
    sub.add_argument("--json", action="store_true")

    sub = command("classify", _classify, "what a script or statement would do: read, write, delete, dangerous, unknown")
    sub.add_argument("file", nargs="?", help="- or nothing for standard input")
    sub.add_argument("--jsonl", action="store_true", help='standard input has lines {"id", "code"}')
    sub.add_argument("--sql", action="store_true", help="the input is SQL")

    sub = command("run", _run, "run a script in the sandbox")
    sub.add_argument("file")
    sub.add_argument("--mode", choices=[str(mode) for mode in Mode], default=str(Mode.PREVIEW))
    sub.add_argument("--sandbox", choices=["embedded", "e2b"])
    sub.add_argument("--json", action="store_true")

    sub = command("sandbox", _sandbox, "build the template for runs at E2B, which saves time in each of them")
    sub.add_argument("what", choices=["build-template"])

    sub = command("redact", _redact, "copy standard input to standard output without the values of an .env file")
    sub.add_argument("--env", required=True, metavar="FILE")

    sub = command("audit", _audit, "the audit log")
    sub.add_argument("what", choices=["verify", "tail", "export"])
    sub.add_argument("path", nargs="?")
    sub.add_argument("-n", type=int, default=10, help="records of tail")
    sub.add_argument("--receipt", metavar="FILE", help="verify: the log must hold what this receipt of an export says")
    sub.add_argument("--json", action="store_true")

    sub = command("export", _export, "write an approved script to a file")
    sub.add_argument("name")
    sub.add_argument("path")
    sub.add_argument("--notebook", help="the notebook it belongs to; needed when several have a script of this name")
    sub.add_argument("--schedule", metavar="CRON")

    sub = command("approvals", _approvals, "which scripts may write unattended")
    sub.add_argument("what", nargs="?", choices=["list", "revoke"], default="list")
    sub.add_argument("id", nargs="?")
    sub.add_argument("--json", action="store_true")

    sub = command("drivers", _drivers, "every driver and its connection state")
    sub.add_argument("--json", action="store_true")

    sub = command("docs", _docs, "search a driver's documents")
    sub.add_argument("system")
    sub.add_argument("question", nargs="*")
    sub.add_argument("--json", action="store_true")

    sub = command("doctor", _doctor, "check isolation, file modes, rights and versions")
    sub.add_argument("--json", action="store_true")
    return parser


def _demo(arguments: argparse.Namespace) -> int:
    from .demo import demo

    return demo(headless=arguments.headless)


def _practice(arguments: argparse.Namespace) -> int:
    from integrator_practice.__main__ import main as practice

    words = [arguments.system, "--port", str(arguments.port), "--seed", str(arguments.seed)]
    words += ["--rows", str(arguments.rows)] if arguments.rows else []
    return practice(words + ["--tls"] * arguments.tls) or 0


def _discover(arguments: argparse.Namespace) -> int:
    from . import discovery
    from .ui.text import table_lines

    session = _session()
    try:
        if arguments.object:
            found = discovery.fields(
                session.runner, session.credentials, arguments.system, arguments.object, arguments.sample
            )
            table = discovery.field_rows(found)
        else:
            found = discovery.objects(session.runner, arguments.system)
            table = discovery.objects_table(found)
    finally:
        session.close()
    _print(found) if arguments.json else print("\n".join(table_lines(table)))
    return 0


def _classify(arguments: argparse.Namespace) -> int:
    from .policy import classify

    kind: Literal["sql", "python"] = "sql" if arguments.sql else "python"

    def verdict(id: str, code: str) -> dict[str, Any]:
        found = classify(code, kind)
        reasons = [{"line": entry.line, "what": entry.what, "instead": entry.instead} for entry in found.reasons]
        return {"id": id, "label": str(found.label), "systems": sorted(found.systems), "reasons": reasons}

    if arguments.jsonl:
        for line in sys.stdin:
            if line.strip():
                entry = json.loads(line)
                print(json.dumps(verdict(entry["id"], entry["code"]), ensure_ascii=False), flush=True)
        return 0
    if arguments.file in (None, "-"):
        print(json.dumps(verdict("-", sys.stdin.read()), ensure_ascii=False))
    else:
        print(json.dumps(verdict(arguments.file, _read(arguments.file)), ensure_ascii=False))
    return 0


def _run(arguments: argparse.Namespace) -> int:
    from .events import Event, Ran
    from .ui.text import lines

    session = _session()
    if arguments.sandbox:
        session.settings.sandbox = arguments.sandbox
    name = _name_of(arguments.file)
    code = _read(arguments.file)
    mode = Mode(arguments.mode)

    def show(event: Event) -> None:
        if not arguments.json:
            print("\n".join(lines(event)), file=sys.stderr)

    result: dict[str, Any] = {"status": "ok", "mode": str(mode), "counts": [], "files": [], "error": None}
    try:
        if mode is Mode.DISCOVERY:
            outcome = session.runner.run(code, mode=mode, name=name, purpose=f"integrator run {arguments.file}")
            result |= {"status": outcome.status, "audit_record": outcome.audit_record}
            if outcome.error:
                result["error"] = {"type": outcome.error.type, "message": outcome.error.sentence, "next": ""}
            if not arguments.json:
                print(outcome.stdout, end="")
        else:
            preview = session.integrations.preview(name, code, show)
            show(preview)
            done: Any = preview
            if mode is Mode.APPLY:
                if preview.writes and not _typed_row_count(preview):
                    standing = session.unattended.of_file(Path(arguments.file))
                    done = session.integrations.apply_standing(name, standing, show)
                else:
                    done = session.integrations.approve(name, preview.code, show)
                show(done)
            result["counts"] = [vars(target) for target in done.targets]
            result["files"] = done.files
            result["audit_record"] = done.audit_record if isinstance(done, Ran) else session.audit.tail(1)[0]["n"]
    except (IntegratorError, DriverError) as exc:
        if not arguments.json:
            raise
        result |= {"status": "error", "error": _error(exc)}
    finally:
        session.close()
    if arguments.json:
        _print(result)
    return 0 if result["status"] == "ok" else 1


def _typed_row_count(preview: Any) -> bool:
    if not sys.stdin.isatty():
        return False
    rows = sum(target.add + target.update for target in preview.targets)
    from .ui.wording import target_name

    where = ", ".join(target_name(target) for target in preview.targets)
    typed = input(f"Type {rows} to write {rows:,} rows to {where}, anything else to stop: ")
    return typed.strip().replace(",", "") == str(rows)


def _sandbox(arguments: argparse.Namespace) -> int:
    from .config import home
    from .credentials import Credentials
    from .sandbox.e2b.template import build_template

    key = Credentials(Path.cwd(), home()).model_key("e2b")
    if key is None:
        raise IntegratorError("E2B_API_KEY is not set, so no template was built.", "Put it into .env.")
    name = build_template(key, lambda line: print(line, file=sys.stderr))
    print(f"The template {name} is there; runs at E2B use it from now on.")
    return 0


def _redact(arguments: argparse.Namespace) -> int:
    from .credentials import redactor_of

    stream = redactor_of(Path(arguments.env)).stream()
    source: TextIO = sys.stdin
    while chunk := source.readline(65_536):
        sys.stdout.write(stream.feed(chunk))
        sys.stdout.flush()
    sys.stdout.write(stream.flush())
    return 0


def _audit(arguments: argparse.Namespace) -> int:
    from .audit import AuditLog
    from .config import home

    log = AuditLog(home() / "audit")
    if arguments.what == "tail":
        for record in log.tail(arguments.n):
            print(json.dumps(record, ensure_ascii=False))
        return 0
    if arguments.what == "export":
        if not arguments.path:
            raise IntegratorError("Export where to?", "Give a file that ends in .csv or .json.")
        log.export(Path(arguments.path))
        print(f"The audit log is in {arguments.path}.")
        return 0
    verdict = log.verify(_receipt(arguments.receipt) if arguments.receipt else None)
    if arguments.json:
        _print({"whole": verdict.whole, "records": verdict.records, "bad_at": verdict.bad_at, "reason": verdict.reason})
    else:
        print(verdict)
    return 0 if verdict.whole else 1


def _receipt(path: str) -> dict[str, Any]:
    """The signed head in the receipt of an export."""
    try:
        head = json.loads(_read(path))["audit"]
    except (ValueError, KeyError, TypeError):
        head = None
    if isinstance(head, dict) and isinstance(head.get("n"), int):
        return head
    raise IntegratorError(f"{path} is no receipt of an export.", "It lies beside the script: NAME.receipt.json.")


def _export(arguments: argparse.Namespace) -> int:
    from .session import Session

    session = Session(arguments.notebook or _only_notebook_with(arguments.name), Path.cwd())
    exported = session.export(arguments.name, arguments.path, arguments.schedule)
    print(f"{exported.path} written, with its drivers in {exported.wheel.parent.name}/{exported.wheel.name}.")
    return 0


def _only_notebook_with(name: str) -> str:
    from .config import home
    from .export import ScriptStore

    having = ScriptStore.notebooks_with(home(), name)
    if len(having) == 1:
        return having[0]
    if not having:
        raise IntegratorError(f'There is no script "{name}".', "`%integrate` in a notebook writes one.")
    raise IntegratorError(f'Several notebooks have a script "{name}".', f"Add --notebook, one of: {', '.join(having)}.")


def _approvals(arguments: argparse.Namespace) -> int:
    from .ui.standing import standing_row

    session = _session()
    if arguments.what == "revoke":
        if not arguments.id:
            raise IntegratorError("Revoke which one?", "`integrator approvals` lists them with their ids.")
        session.unattended.revoke(arguments.id)
    found = session.unattended.all()
    if arguments.json:
        _print([{**entry.receipt(), "path": entry.path, "state": entry.state} for entry in found])
        return 0
    for entry in found:
        print("   ".join(str(value) for value in standing_row(entry).values()))
    if not found:
        print("No script may write unattended.")
    return 0


def _drivers(arguments: argparse.Namespace) -> int:
    from .overview import drivers

    rows = drivers(_session().credentials)
    if arguments.json:
        _print(rows)
    else:
        for row in rows:
            print(f"{row['label']:<14} {row['state']:<28} {row['purpose']}")
    return 0


def _docs(arguments: argparse.Namespace) -> int:
    session = _session()
    name = registry.resolve(arguments.system)
    question = " ".join(arguments.question)
    if not question:
        print(registry.docs(name).get("README.md", ""))
        return 0
    hits = session.index.search(question, [name])
    if arguments.json:
        _print([vars(hit) if hasattr(hit, "__dict__") else hit._asdict() for hit in hits])
    else:
        for hit in hits:
            print(f"{hit.path}, {hit.heading}\n    {hit.excerpt}\n")
    return 0


def _doctor(arguments: argparse.Namespace) -> int:
    from .overview import doctor

    session = _session()
    checks = doctor(session)
    session.close()
    if arguments.json:
        _print(checks)
    else:
        for check in checks:
            print(f"{'ok  ' if check['ok'] else 'look'}  {check['what']}: {check['detail']}")
    return 0 if all(check["ok"] for check in checks if check["needed"]) else 1


def _session() -> Any:
    from .session import Session

    return Session(f"command line in {Path.cwd()}", Path.cwd())


def _read(path: str) -> str:
    try:
        return Path(path).read_bytes().decode("utf-8")
    except OSError as exc:
        raise IntegratorError(f"{path} can't be read ({exc.strerror}).") from exc
    except UnicodeDecodeError as exc:
        raise IntegratorError(f"{path} is not UTF-8 text.") from exc


def _name_of(path: str) -> str:
    import re

    name = re.sub(r"[^a-z0-9_]+", "_", Path(path).stem.lower()).strip("_")[:41]
    return name if name[:1].isalpha() else f"s_{name}"[:41]


def _error(exc: Exception) -> dict[str, Any]:
    if isinstance(exc, IntegratorError):
        return {"type": type(exc).__name__, "message": str(exc.args[0]), "next": exc.next}
    return {"type": type(exc).__name__, "message": str(exc), "next": ""}


def _fail(exc: Exception, *, as_json: bool) -> None:
    if as_json:
        _print({"error": _error(exc)})
    else:
        print(exc, file=sys.stderr)


def _print(data: Any) -> None:
    print(json.dumps(data, ensure_ascii=False, default=str))


if __name__ == "__main__":
    sys.exit(main())
