"""`PostgresClient`: one database, as scripts see it."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from functools import partial
from typing import Any, Self

import psycopg
from psycopg import sql

from integrator_drivers import (
    Condition,
    Field,
    Identity,
    Mode,
    ObjectInfo,
    ObjectNotFoundError,
    Record,
    Records,
    ValidationError,
    WriteResult,
    current_mode,
    report,
)
from integrator_drivers.mode import max_rows, require_writable
from integrator_drivers.protocols import Marks
from integrator_drivers.report import report_target

from . import catalog, comparing, loading, merging, reading, state, tables
from .connection import Settings, connect, server_cursor, translated
from .models import Table
from .naming import cast_of, name, place
from .rights import check_rights, warnings
from .rows import Operation
from .values import writer_of

__all__ = ["PostgresClient"]

PAGE = 2_000  # rows fetched at a time
COUNTED = 10_000  # tables up to this size are counted, larger ones estimated


class PostgresClient:
    """One database. Reads PGHOST, PGPORT, PGDATABASE, PGUSER, PGPASSWORD; in discovery and preview PG_READ_USER.

    Objects are named "schema.table"; the schema may be left out where it is on the search path. Raises AuthError at
    once when a variable is missing; connects on first use.
    """

    system = "postgresql"

    def __init__(self) -> None:
        self._mode = current_mode()
        self._settings = Settings.load(self._mode)
        self._connection: psycopg.Connection[Any] | None = None
        self._written = 0  # rows added or changed in this run
        self._totals: dict[tuple[str, str, str], Counter[str]] = {}  # (object, operation, key) -> counts
        self._filling: dict[str, bool] = {}  # tables that were empty, and have only got new rows from us since
        self._planned: dict[str, Table] = {}  # tables as a preview's script would have made them

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Log out, after reporting what was written without a sync."""
        for (obj, operation, key), totals in self._totals.items():
            report_target(self.system, obj, operation, key, totals)
        self._totals.clear()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def check(self) -> Identity:
        """Log in and say who and where we are, with warnings about rights that are wider than needed."""
        with self._transaction("the login") as connection:
            version, user = self._one(
                connection, "SELECT current_setting('server_version') AS version, current_user AS user"
            )
            found = warnings(connection, self._settings)
        settings = self._settings
        account = f"PostgreSQL {version.partition(' ')[0]} at {settings.host}:{settings.port}"
        return Identity(account, settings.database, user, tuple(found))

    def list_objects(self) -> list[str]:
        """Tables, views and foreign tables as "schema.name"."""
        with self._transaction("the list of tables") as connection:
            return [f"{row['schema']}.{row['name']}" for row in catalog.relations(connection)]

    def describe_objects(self) -> list[ObjectInfo]:
        """The same with comments, sizes (counted up to 10,000 rows, estimated above) and number of columns."""
        with self._transaction("the list of tables") as connection:
            found = catalog.relations(connection)
            infos = []
            for row in found:
                name = f"{row['schema']}.{row['name']}"
                comment = row["comment"] or ""
                records = self._size(connection, row)
                infos.append(ObjectInfo(name, row["name"].replace("_", " "), comment, records, row["columns"]))
            return infos

    def get_fields(self, obj: str) -> dict[str, Field]:
        """Columns by name, in the table's order. Raises ObjectNotFoundError with near matches."""
        return self._table(obj).fields()

    def read(
        self,
        obj: str,
        fields: Sequence[str] | None = None,
        where: Iterable[Condition] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
        *,
        order_by: str | None = None,
    ) -> Records:
        """Rows of one table, streamed. `since` and `until` mean its updated_at, modified_at, ... or created_at.

        `order_by` is a column, ascending. != and "not in" include rows without a value; contains ignores case.
        Anything else: query(sql, params).
        """
        table = self._table(obj)
        names = list(table.columns) if fields is None else list(dict.fromkeys(fields))
        if not names:
            raise ValidationError(f"No columns of {table.full_name} are asked for.")
        query, params = reading.select(table, names, where, since, until, limit, order_by)
        every = table.fields()
        found = {entry: every[entry] for entry in names}
        counting = reading.counting(query) if table.kind in ("r", "p", "m") else None
        records = Records(found, (), system=self.system, obj=table.full_name)
        records.read_by(lambda: self._stream(query, params, table.full_name, records, counting))
        return records

    def query(self, sql: str, params: Sequence[Any] | Mapping[str, Any] | None = None) -> Records:
        """Rows of one SELECT in PostgreSQL's own language, read-only; values as %s parameters, never pasted in."""
        text = sql.strip().rstrip(";").strip()
        if not text:
            raise ValidationError("The query is empty.")
        with translated("the query"), self._new_connection(read_only=True) as connection:
            fields = self._shape(connection, text, params)
        return Records(fields, lambda: self._stream(text, params, "the query"), system=self.system, obj="query")

    def lookup(self, obj: str, key: str, values: Sequence[Any], fields: Sequence[str]) -> dict[Any, Record]:
        """Rows whose `key` is one of `values`, by the value as given; one row each where several have it."""
        table = self._table(obj)
        column = reading.column_of(table, key)
        names = [reading.column_of(table, name).name for name in fields]
        convert = writer_of(column)
        wanted: dict[str, Any] = {}
        for value in values:
            if value is None:
                continue
            try:
                wanted[convert(value)] = value
            except ValueError:
                continue  # what the column can't hold is not in it
        if not wanted or table.planned:
            return {}
        query = sql.SQL("SELECT {key}, {fields} FROM {table} WHERE {key} = ANY (%s::text[]::{kind}[])").format(
            key=name(key),
            fields=sql.SQL(", ").join([name(entry) for entry in names or [key]]),
            table=place(table),
            kind=cast_of(column),
        )
        found: dict[Any, Record] = {}
        with self._transaction(table.full_name) as connection:
            for first, *rest in connection.execute(query, [list(wanted)]):
                given = wanted.get(convert(first), first)
                found.setdefault(given, dict(zip(names, rest, strict=False)))
        return found

    def insert(self, obj: str, records: Iterable[Record]) -> WriteResult:
        """Add rows. In a preview they are checked and counted, not sent."""
        return self._write(obj, records, None, "insert")

    def update(self, obj: str, records: Iterable[Record], key: str) -> WriteResult:
        """Change the rows with these keys; unknown keys come back as rejected."""
        return self._write(obj, records, key, "update")

    def upsert(self, obj: str, records: Iterable[Record], key: str) -> WriteResult:
        """Add rows, or change those of the same key where a value differs. One transaction; in a preview only compared.

        Works without a unique index on `key` too, then holding other writers off the table for the moment.
        """
        return self._write(obj, records, key, "upsert")

    def takes(self, obj: str, fields: Mapping[str, Field], key: str, marks: Marks, *, csv: bool) -> bool:
        """Can `load` write batches of these fields, as CSV or as rows. Needs a unique index on the key."""
        shape = loading.Shape.of(self._table(obj), fields, key, marks)
        return shape is not None and (not csv or loading.fits(shape, fields))

    def load(
        self, obj: str, fields: Mapping[str, Field], key: str, marks: Marks, chunks: Iterable[Any]
    ) -> Generator[loading.Loaded, None, None]:
        """As upsert, batch by batch, what `sync` writes with: CSV goes into COPY as it is. Not in a preview.

        While a batch is merged the next one is read and copied by a second connection. What is done with this client
        between getting a batch and its `commit` is in the batch's transaction.
        """
        if require_writable("PostgreSQL", obj) is not Mode.APPLY:
            raise ValidationError("A preview compares rows; load has none.")
        table = self._table(obj)
        shape = loading.Shape.of(table, fields, key, marks)
        if shape is None:
            raise ValidationError(f"Rows of {table.full_name} must be looked at one by one; use upsert.")
        with self._transaction(table.full_name) as connection:
            direct = marks == Marks() and self._is_filling(connection, table, key)
        self._filling[table.full_name] = False
        more = partial(self._new_connection, read_only=False)
        with closing(loading.load(shape, chunks, connection, more, direct=direct)) as loads:
            for loaded in loads:
                before = self._written, {name: counts.copy() for name, counts in self._totals.items()}
                self._connection = loaded.lane.connection
                try:
                    yield loaded
                finally:
                    self._connection = connection
                    if not loaded.committed:
                        self._written, self._totals = before
                if loaded.result is not None:
                    self._count(Mode.APPLY, table, obj, "upsert", key, loaded.result)

    def compare(self, obj: str, records: Iterable[Record], key: str) -> WriteResult:
        """What upsert would do, in any mode; never writes."""
        table = self._table(obj)
        with self._transaction(table.full_name) as connection:
            return comparing.compare(connection, table, records, key, "upsert")

    def table_changes(self, obj: str, fields: Mapping[str, Field], key: str) -> list[str]:
        """The DDL that would make `obj` able to hold these fields; empty when it already is. Never drops."""
        with self._transaction(obj) as connection:
            return tables.plan(connection, obj, fields, key)[1]

    def change_table(self, obj: str, fields: Mapping[str, Field], key: str) -> list[str]:
        """Run that DDL in one transaction and return it; in a preview only return it, and go on as if it had run."""
        mode = require_writable("PostgreSQL", obj)
        with self._transaction(obj) as connection:
            table, statements = tables.plan(connection, obj, fields, key)
            if mode is Mode.PREVIEW:
                if statements:
                    check_rights(connection, table, os.environ["PGUSER"], "change")
                    self._planned[obj] = table
                return statements
            for statement in statements:
                connection.execute(statement.encode(), prepare=True)
        return statements

    def prepare_state(self, obj: str) -> list[str]:
        """Make the table integrator_state in the schema of `obj`; the DDL. In a preview only told."""
        mode = require_writable("PostgreSQL", obj)
        with self._transaction(state.TABLE) as connection:
            table, statements = state.plan(connection, self._schema_of(obj))
            if mode is Mode.PREVIEW:
                check_rights(connection, table, os.environ["PGUSER"], "change" if statements else "upsert")
                return statements
            for statement in statements:
                connection.execute(statement.encode(), prepare=True)
        return statements

    def load_state(self, obj: str, sync_id: str) -> dict[str, Any] | None:
        """The resume point of a sync into `obj`; None before the first time."""
        with self._transaction(state.TABLE) as connection:
            return state.load(connection, self._schema_of(obj), sync_id)

    def save_state(self, obj: str, sync_id: str, point: Mapping[str, Any]) -> None:
        """Replace it. Does nothing in a preview."""
        if require_writable("PostgreSQL", obj) is Mode.APPLY:
            with self._transaction(state.TABLE) as connection:
                state.save(connection, self._schema_of(obj), sync_id, point)

    @contextmanager
    def together(self) -> Iterator[None]:
        """One transaction around several writes: all of them or, after an error, none."""
        written, totals = self._written, {name: counts.copy() for name, counts in self._totals.items()}
        try:
            with self._transaction("these rows"):
                yield
        except BaseException:
            self._written, self._totals = written, totals
            raise

    def _schema_of(self, obj: str) -> str:
        try:
            return self._table(obj).schema
        except ObjectNotFoundError:
            with self._transaction(obj) as connection:
                return obj.partition(".")[0] if "." in obj else catalog.default_schema(connection)

    def _write(self, obj: str, records: Iterable[Record], key: str | None, operation: Operation) -> WriteResult:
        mode = require_writable("PostgreSQL", obj)
        table = self._table(obj)
        if key is not None:
            reading.column_of(table, key)
        if table.kind == "m":
            raise ValidationError(f"{table.full_name} is a materialized view, which can't be written.")
        with self._transaction(table.full_name) as connection:
            if mode is Mode.PREVIEW:
                check_rights(connection, table, os.environ["PGUSER"], operation)
                result = comparing.compare(connection, table, records, key, operation)
            else:
                direct = operation == "upsert" and self._is_filling(connection, table, key or "")
                result, all_new = merging.write_new(connection, table, records, key, operation, direct=direct)
                self._filling[table.full_name] = direct and all_new
                max_rows(self._written + result.inserted + result.updated)  # raises before the commit
        self._count(mode, table, obj, operation, key or "", result)
        return result

    def _is_filling(self, connection: psycopg.Connection[Any], table: Table, key: str) -> bool:
        """May rows be tried as new: the table was empty when we first wrote to it, and a unique key protects it."""
        known = self._filling.get(table.full_name)
        if known is None:
            if table.kind != "r" or not merging.has_index(table, key):
                return False
            (known,) = self._one(connection, sql.SQL("SELECT NOT EXISTS (SELECT 1 FROM {})").format(place(table)))
        return known

    def _count(self, mode: Mode, table: Table, obj: str, operation: Operation, key: str, result: WriteResult) -> None:
        self._written += result.inserted + result.updated
        totals = self._totals.setdefault((obj, operation, key), Counter())
        totals.update(
            {
                "add": result.inserted,
                "update": result.updated,
                "unchanged": result.unchanged,
                "reject": len(result.rejected),
            }
        )
        report(
            "call",
            system=self.system,
            method=operation.upper() if mode is Mode.APPLY else "SELECT",
            template=f"{operation} {table.full_name}",
            status="ok",
            rows=result.inserted + result.updated,
        )

    def _table(self, obj: str) -> Table:
        if obj in self._planned:
            return self._planned[obj]
        with self._transaction(obj) as connection:
            return catalog.table(connection, obj)

    def _size(self, connection: psycopg.Connection[Any], row: catalog.Relation) -> int | None:
        if row["kind"] in ("v", "f"):
            return None
        if row["estimate"] > COUNTED or row["kind"] == "p":
            return int(row["estimate"]) if row["estimate"] >= 0 else None
        query = sql.SQL("SELECT count(*) FROM (SELECT 1 FROM {} LIMIT {}) AS counted").format(
            name(row["schema"], row["name"]), sql.Literal(COUNTED + 1)
        )
        try:
            with connection.transaction():
                (count,) = self._one(connection, query)
        except psycopg.errors.InsufficientPrivilege:
            return None
        if count > COUNTED:
            return int(row["estimate"]) if row["estimate"] > COUNTED else None
        return int(count)

    def _one(self, connection: psycopg.Connection[Any], query: Any) -> tuple[Any, ...]:
        row = connection.execute(query, (), prepare=True).fetchone()
        assert row is not None
        return tuple(row)

    def _new_connection(self, *, read_only: bool) -> psycopg.Connection[Any]:
        return connect(self._settings, read_only=read_only)

    def _transaction(self, subject: str) -> _Transaction:
        """One transaction on the client's own connection; READ ONLY unless in apply mode."""
        if self._connection is None or self._connection.closed:
            self._connection = self._new_connection(read_only=self._mode is not Mode.APPLY)
        return _Transaction(self._connection, subject)

    def _shape(self, connection: psycopg.Connection[Any], text: str, params: Any) -> dict[str, Field]:
        """The columns a query gives, without running it: a cursor is declared and dropped."""
        with connection.transaction(), server_cursor(connection, "integrator_shape") as cursor:
            cursor.execute(text.encode(), params)
            described = cursor.description or ()
            names = _distinct(column.name for column in described)
            return {
                name: _field_of(connection, column.type_code, column.type_display)
                for name, column in zip(names, described, strict=True)
            }

    def _stream(
        self,
        query: Any,
        params: Any,
        subject: str,
        records: Records | None = None,
        counting: sql.Composed | None = None,
    ) -> Iterator[Record]:
        """Run the query on a connection of its own and give its rows page by page; first count them where asked to."""
        statement = query.encode() if isinstance(query, str) else query
        count = 0
        with translated(subject), self._new_connection(read_only=True) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            if records is not None and counting is not None:
                row = connection.execute(counting, [*params, reading.COUNTED]).fetchone()
                records.source_count = None if row is None or row[0] >= reading.COUNTED else row[0]
            with server_cursor(connection, "integrator_read") as cursor:
                cursor.execute(statement, params)
                names = _distinct(column.name for column in cursor.description or ())
                while page := cursor.fetchmany(PAGE):
                    count += len(page)
                    for row in page:
                        yield dict(zip(names, row, strict=True))
            text = query if isinstance(query, str) else query.as_string(connection).replace("%%", "%")
        report("call", system=self.system, method="SELECT", template=_without_values(text), status="ok", rows=count)


class _Transaction:
    """`with` one transaction, its errors in the contract's words."""

    def __init__(self, connection: psycopg.Connection[Any], subject: str) -> None:
        self._connection = connection
        self._subject = subject

    def __enter__(self) -> psycopg.Connection[Any]:
        with translated(self._subject):
            self._inner = self._connection.transaction()
            self._inner.__enter__()
        return self._connection

    def __exit__(self, *exc: Any) -> None:
        with translated(self._subject):
            self._inner.__exit__(*exc)
            if exc[1] is not None:
                raise exc[1]


def _distinct(names: Iterable[str]) -> list[str]:
    """The names, a repeated one with _2 behind it."""
    found: list[str] = []
    for given in names:
        free = given
        while free in found:
            free += "_2"
        found.append(free)
    return found


def _field_of(connection: psycopg.Connection[Any], oid: int, native: str) -> Field:
    from .models import Column

    info = connection.adapters.types.get(oid)
    return Column("", native, info.name if info else "text").as_field()


def _without_values(text: str) -> str:
    """A query without its literals, for the record of calls."""
    return re.sub(r"'(?:[^']|'')*'", "'...'", " ".join(text.split()))[:500]
