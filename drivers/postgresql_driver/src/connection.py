"""Logging in, and what the server says when something is wrong, in the contract's words."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import errors as pg

from integrator_drivers import (
    AuthError,
    ConnectionError,
    DriverError,
    FieldNotFoundError,
    ForbiddenError,
    Mode,
    ObjectNotFoundError,
    ReadOnlyError,
    ValidationError,
)
from integrator_drivers.access import REFUSED_STATE, database

from .values import register_loaders

__all__ = ["Settings", "connect", "server_cursor", "translated"]

LOCK_TIMEOUT = 30  # seconds to wait for somebody else's change to end
# seconds a statement may take; PG_STATEMENT_TIMEOUT overrides them
TIMEOUTS = {Mode.DISCOVERY: 30, Mode.PREVIEW: 300, Mode.APPLY: 1800}


@dataclass(frozen=True)
class Settings:
    """Where the database is and as whom, from the PG* variables."""

    host: str
    port: int
    database: str
    user: str
    password: str | None
    sslmode: str | None
    timeout: int  # seconds, for one statement

    @classmethod
    def load(cls, mode: Mode, environ: Mapping[str, str] = os.environ) -> Settings:
        """Settings for a run in this mode: in discovery and preview the read-only role, where one is given.

        Raises AuthError naming the variables that are missing.
        """
        missing = [name for name in ("PGHOST", "PGDATABASE", "PGUSER") if not environ.get(name)]
        if missing:
            raise AuthError(
                f"PostgreSQL needs {' and '.join(missing)}; add {'it' if len(missing) == 1 else 'them'} to .env."
            )
        user, password = environ["PGUSER"], environ.get("PGPASSWORD")
        if mode is not Mode.APPLY and environ.get("PG_READ_USER"):
            user, password = environ["PG_READ_USER"], environ.get("PG_READ_PASSWORD")
        port, timeout = environ.get("PGPORT") or "5432", environ.get("PG_STATEMENT_TIMEOUT") or str(TIMEOUTS[mode])
        for name, text in (("PGPORT", port), ("PG_STATEMENT_TIMEOUT", timeout)):
            if not text.isdecimal():
                raise ValidationError(f"{name} in .env must be a whole number.")
        sslmode = environ.get("PGSSLMODE") or None
        return cls(environ["PGHOST"], int(port), environ["PGDATABASE"], user, password, sslmode, int(timeout))


def connect(settings: Settings, *, read_only: bool) -> psycopg.Connection[tuple[object, ...]]:
    """A new connection in UTC with the statement timeout set; transactions are READ ONLY where asked.

    Raises AuthError, ConnectionError, ObjectNotFoundError (no such database) in one sentence.
    """
    options = [
        f"statement_timeout={settings.timeout}s",
        f"lock_timeout={LOCK_TIMEOUT}s",
        "timezone=UTC",
        "datestyle=ISO",
        "intervalstyle=postgres",
    ]
    options.append(f"default_transaction_read_only={'on' if read_only else 'off'}")
    behind = database()
    try:
        connection = psycopg.connect(
            host=settings.host,
            hostaddr=behind[0] if behind else None,
            port=behind[1] if behind else settings.port,
            dbname=settings.database,
            user=settings.user,
            password=settings.password,
            sslmode="disable" if behind else settings.sslmode,
            connect_timeout=10,
            application_name="integrator",
            client_encoding="utf8",
            options=" ".join(f"-c {option}" for option in options),
        )
    except psycopg.OperationalError as exc:
        raise _login_failure(settings, exc) from exc
    connection.read_only = read_only or None  # None: as the option says, or the broker instead
    register_loaders(connection)
    return connection


@contextmanager
def server_cursor(connection: psycopg.Connection[Any], name: str) -> Iterator[psycopg.ServerCursor[Any]]:
    """A cursor that the server holds; when the line is lost, so is the cursor, and closing it is no error."""
    cursor = connection.cursor(name=name)
    try:
        yield cursor
    finally:
        try:
            cursor.close()
        except psycopg.OperationalError:
            psycopg.Cursor.close(cursor)  # marks it closed without asking the server


def _login_failure(settings: Settings, exc: psycopg.OperationalError) -> DriverError:
    text = str(exc)
    low = text.casefold()
    where = f"{settings.host}:{settings.port}"
    is_reader = settings.user == os.environ.get("PG_READ_USER") and settings.user != os.environ.get("PGUSER")
    names = "PG_READ_USER and PG_READ_PASSWORD" if is_reader else "PGUSER and PGPASSWORD"
    if "password authentication failed" in low or "no password supplied" in low or "28p01" in low:
        return AuthError(f"PostgreSQL refused the login of {settings.user}. Nothing was read. Check {names} in .env.")
    if "role" in low and "does not exist" in low:
        return AuthError(f"PostgreSQL has no user {settings.user}. Nothing was read. Check {names} in .env.")
    if "pg_hba.conf" in low or "not permitted to log in" in low:
        return AuthError(
            f"PostgreSQL does not let {settings.user} in from this machine. Nothing was read. "
            f"Check {names} in .env, or ask its administrator for access."
        )
    if "database" in low and "does not exist" in low:
        return ObjectNotFoundError(
            f'PostgreSQL at {where} has no database "{settings.database}". Nothing was read. Check PGDATABASE in .env.'
        )
    if "permission denied for database" in low:
        return ForbiddenError(f"{settings.user} may not connect to the database {settings.database}. Nothing was read.")
    if "could not translate host name" in low or "name or service not known" in low or "resolve" in low:
        return ConnectionError(f"There is no host named {settings.host}. Nothing was read. Check PGHOST in .env.")
    if "timeout" in low:
        why = "it did not answer within 10 s"
    elif "refused" in low:
        why = f"nothing listens at {where}"
    elif "too many" in low or "remaining connection slots" in low:
        why = "it has no free connection left"
    elif "ssl" in low:
        why = "it does not agree about encryption (PGSSLMODE)"
    elif "starting up" in low or "shutting down" in low:
        why = "it is just starting or stopping"
    else:
        why = text.strip().splitlines()[0].rpartition("failed: ")[2]
    return ConnectionError(
        f"I couldn't connect to PostgreSQL: {why}. Nothing was read. Try again, or check PGHOST and PGPORT in .env."
    )


@contextmanager
def translated(subject: str) -> Iterator[None]:
    """Turn the server's errors about `subject` (an object's name, or "the query") into the contract's."""
    try:
        yield
    except pg.InsufficientPrivilege as exc:
        raise ForbiddenError(
            f"PostgreSQL does not allow this for {subject} ({_first(exc)}). Ask its administrator for the right, "
            "or pick another object."
        ) from exc
    except pg.ReadOnlySqlTransaction as exc:
        raise ReadOnlyError(f"Only reading is allowed here, and {subject} would change the database.") from exc
    except pg.QueryCanceled as exc:
        raise ValidationError(
            f"PostgreSQL stopped {subject} because it took too long. Nothing was changed by it. Ask for fewer rows, "
            "or raise PG_STATEMENT_TIMEOUT (seconds) in .env."
        ) from exc
    except pg.UndefinedTable as exc:
        raise ObjectNotFoundError(f"PostgreSQL doesn't know an object in {subject}: {_first(exc)}.") from exc
    except (pg.UndefinedColumn, pg.AmbiguousColumn) as exc:
        raise FieldNotFoundError(f"PostgreSQL doesn't know a column in {subject}: {_first(exc)}.") from exc
    except (pg.LockNotAvailable, pg.DeadlockDetected, pg.SerializationFailure) as exc:
        raise ConnectionError(
            f"Somebody else was changing {subject} at the same moment, so this step was undone. Run it again."
        ) from exc
    except (pg.DiskFull, pg.OutOfMemory, pg.TooManyConnections) as exc:
        raise ConnectionError(f"PostgreSQL can't do this now ({_first(exc)}); this step was undone.") from exc
    except (psycopg.InterfaceError, psycopg.OperationalError) as exc:
        raise ConnectionError(
            f"The connection to PostgreSQL was lost while working on {subject}; the step under way was undone. "
            "Run it again: known rows are recognised by their key."
        ) from exc
    except psycopg.ProgrammingError as exc:
        hint = " Beside parameters, write a literal % as %%." if exc.sqlstate is None and "%" in str(exc) else ""
        raise ValidationError(f"PostgreSQL does not accept {subject}: {_first(exc)}.{hint}") from exc
    except (psycopg.DataError, psycopg.NotSupportedError, psycopg.IntegrityError) as exc:
        raise ValidationError(f"PostgreSQL does not accept {subject}: {_first(exc)}.") from exc
    except psycopg.Error as exc:
        if exc.sqlstate == REFUSED_STATE:
            raise ForbiddenError(f"{_first(exc)}.") from exc
        raise DriverError(f"PostgreSQL reported an error about {subject}: {_first(exc)}.") from exc


def _first(exc: psycopg.Error) -> str:
    """The server's main line, without position and hints."""
    text = exc.diag.message_primary or str(exc).strip().partition("\n")[0]
    return text.rstrip(".")
