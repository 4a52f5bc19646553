"""`run`: the last line of every generated script."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable
from datetime import tzinfo
from pathlib import Path
from typing import Any

from .errors import DriverError
from .report import would_write
from .schedule import describe, next_runs, trigger
from .transfer import forget_written
from .unattended import Permit, permit

__all__ = ["run"]

logger = logging.getLogger("integrator")


def run(main: Callable[[], object], schedule: str | None = None) -> None:
    """Run `main` once, or by `schedule` (a cron expression, in this machine's time zone) until stopped.

    Variables that are not set come from `.env` beside the script. Ends with exit code 1 and one sentence when a system
    or the data is the trouble; mistakes in the script keep their traceback. `--once` on the command line, and a run
    inside the sandbox, mean once. A run by schedule writes only with a standing approval (see `unattended`).
    """
    sandboxed = bool(os.environ.get("INTEGRATOR_MODE") or os.environ.get("INTEGRATOR_REPORT"))
    _log_to_stderr()
    if not sandboxed:
        _load_env(main)
    try:
        if schedule is None or sandboxed or "--once" in sys.argv[1:]:
            _once(main)
        else:
            _by_schedule(main, schedule)
    except DriverError as exc:
        print(exc, file=sys.stderr)
        raise SystemExit(1) from exc
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        raise SystemExit(130) from None


def _once(main: Callable[[], object]) -> None:
    start = time.monotonic()
    main()
    logger.info("Done in %.1f s.", time.monotonic() - start)


def _by_schedule(main: Callable[[], object], schedule: str, scheduler: Any = None, zone: tzinfo | None = None) -> None:
    """Blocks. A run that fails is logged, and the next one comes; two runs never overlap."""
    rule = trigger(schedule, zone)
    if scheduler is None:
        from apscheduler.schedulers.blocking import BlockingScheduler

        scheduler = BlockingScheduler()

    script = _file_of(main)
    refused = ""

    def job() -> None:
        nonlocal refused
        may = permit(script, schedule) if script else Permit(0, "This script is in no file.")
        if not may.max_rows:
            refused = _only_preview(main, may.reason)
            if refused:
                scheduler.shutdown(wait=False)
            return
        os.environ["INTEGRATOR_MAX_ROWS"] = str(may.max_rows)
        forget_written()
        try:
            _once(main)
        except DriverError as exc:
            logger.error("%s", exc)

    scheduler.add_job(job, rule, coalesce=True, max_instances=1, misfire_grace_time=None)
    first = next_runs(schedule, 1, zone)
    coming = f"; next on {first[0].day} {first[0]:%B %Y at %H:%M %Z}" if first else ""
    logger.info("Runs %s%s. Stop it with Ctrl-C.", describe(schedule), coming)
    if script and (reason := permit(script, schedule).reason):
        logger.warning("%s Until somebody does, a run that would write only previews.", reason)
    scheduler.start()
    if refused:
        raise DriverError(refused)


def _only_preview(main: Callable[[], object], reason: str) -> str:
    """Run without writing; where it would have written, why it did not."""
    would_write()  # what was reported before is not meant
    os.environ["INTEGRATOR_MODE"] = "preview"
    try:
        _once(main)
    except DriverError as exc:
        logger.error("%s", exc)
    finally:
        del os.environ["INTEGRATOR_MODE"]
    rows = would_write()
    if rows is None:
        return ""
    return (
        f"{reason} Nothing was written; {rows:,} rows would have been. "
        "Export it with --unattended and approve that, or run it yourself with --once."
    )


def _file_of(main: Callable[[], object]) -> Path | None:
    script = getattr(main, "__globals__", {}).get("__file__")
    return Path(script).resolve() if script else None


def _load_env(main: Callable[[], object]) -> None:
    """Fill in unset variables from `.env` beside the script."""
    from dotenv import dotenv_values

    script = _file_of(main)
    path = script.parent / ".env" if script else Path(".env")
    for name, value in dotenv_values(path, interpolate=False, encoding="utf-8").items():
        if value is not None:
            os.environ.setdefault(name, value)


def _log_to_stderr() -> None:
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    for noisy in ("apscheduler", "httpx", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
