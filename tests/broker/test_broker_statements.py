"""W3, W6, W7: which SQL passes the wire when only reading is allowed, and in a run."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrator_magics.policy.wire import statement_refusal

DATA = Path(__file__).parent.parent / "policy" / "data" / "sql_statements.txt"
CASES = [
    (block.partition("\n")[0].strip(), block.partition("\n")[2].strip("\n").replace("\\0;", "\0;"))
    for block in DATA.read_text(encoding="utf-8").split("\n", 1)[1].split("\n---\n")
]
HARMLESS = {"COPY (SELECT * FROM leads) TO STDOUT", "BEGIN", "COMMIT", "DEALLOCATE ALL", "FETCH ALL FROM c", "", ";"}
HARMLESS |= {"DECLARE c CURSOR FOR SELECT 1", "-- nothing"}
TRANSACTIONS = (
    "BEGIN",
    "BEGIN READ ONLY",
    "START TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
    "COMMIT",
    "ROLLBACK",
    'SAVEPOINT "_pg3_1"',
    'RELEASE "_pg3_1"',
    'ROLLBACK TO "_pg3_1"',
    "",
    "DECLARE c CURSOR FOR SELECT * FROM leads",
    'FETCH FORWARD 100 FROM "c"',
    "CLOSE c",
    "DEALLOCATE ALL",
    "COPY (SELECT * FROM leads) TO STDOUT",
    "COPY leads TO STDOUT (FORMAT csv)",
)
WRITES = (
    "COPY leads (id) FROM STDIN",
    "CREATE TEMP TABLE s ON COMMIT DROP AS SELECT id FROM leads WITH NO DATA",
    "CREATE TABLE public.x (id bigint PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(), t text UNIQUE)",
    "CREATE SCHEMA crm",
    "ALTER TABLE x ADD COLUMN t text",
    "LOCK TABLE x IN SHARE ROW EXCLUSIVE MODE",
    "INSERT INTO x AS t (id) SELECT id FROM s ON CONFLICT (id) DO UPDATE SET t = excluded.t RETURNING (t.xmax = 0)",
    "WITH w AS (INSERT INTO x (id) SELECT 1 RETURNING 1) SELECT count(*) FROM w",
    "WITH w AS (UPDATE x SET t = 'a' FROM s WHERE s.id = x.id RETURNING 1) SELECT count(*) FROM w",
    "BEGIN READ WRITE",
    "SELECT * FROM x FOR UPDATE",
)
NEVER = (
    "DELETE FROM x",
    "TRUNCATE x",
    "DROP TABLE x",
    "ALTER TABLE x DROP COLUMN t",
    "ALTER TABLE x ADD COLUMN a text, DROP COLUMN t",
    "ALTER TABLE x RENAME TO y",
    "ALTER TABLE x DETACH PARTITION p",
    "WITH w AS (DELETE FROM x RETURNING *) SELECT * FROM w",
    "WITH w AS (DELETE FROM x RETURNING *) INSERT INTO y SELECT * FROM w",
    "MERGE INTO x USING s ON x.id = s.id WHEN MATCHED THEN DELETE",
    "MERGE INTO x USING s ON x.id = s.id WHEN NOT MATCHED BY SOURCE THEN DELETE",
    "COPY (DELETE FROM x RETURNING *) TO STDOUT",
    "COPY x TO PROGRAM 'rm x'",
    "COPY x FROM '/etc/passwd'",
    "COPY pg_authid TO STDOUT",
    "DECLARE c CURSOR FOR DELETE FROM x RETURNING *",
    "PREPARE p AS DELETE FROM x",
    "EXECUTE p",
    "DO $$ BEGIN DELETE FROM x; END $$",
    "CALL wipe()",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'DELETE FROM x RETURNING 1'",
    "CREATE RULE r AS ON INSERT TO x DO ALSO DELETE FROM x",
    "CREATE TRIGGER t AFTER INSERT ON x EXECUTE FUNCTION f()",
    "CREATE TABLE y (id int REFERENCES x ON DELETE CASCADE)",
    "CREATE TABLE y PARTITION OF x FOR VALUES IN (1)",
    "CREATE TABLE y AS SELECT * FROM x",
    "SELECT * INTO y FROM x",
    "CREATE VIEW v AS SELECT 1",
    "CREATE EXTENSION dblink",
    "SELECT dblink_exec('', 'DELETE FROM x')",
    "SELECT query_to_xml('DELETE FROM x', true, true, '')",
    "SELECT lo_unlink(1)",
    "SELECT pg_terminate_backend(1)",
    "SELECT set_config('default_transaction_read_only', 'off', false)",
    "INSERT INTO x SELECT lo_unlink(1)",
    "UPDATE x SET t = pg_read_file('/etc/passwd')",
    "UPDATE pg_class SET relname = 'y'",
    "INSERT INTO pg_catalog.pg_authid SELECT 1",
    "SET default_transaction_read_only = off",
    "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
    "SET TRANSACTION READ WRITE",
    "SET ROLE postgres",
    "SET client_encoding = 'SJIS'",
    "RESET ALL",
    "DISCARD ALL",
    "LOCK TABLE x",
    "VACUUM x",
    "REINDEX TABLE x",
    "GRANT ALL ON x TO public",
    "PREPARE TRANSACTION 'x'",
    "COMMIT PREPARED 'x'",
    "EXPLAIN ANALYZE DELETE FROM x",
    "LISTEN x",
    "NOTIFY x",
    "SELECT 1; DELETE FROM x",
    "COMMIT; DELETE FROM x",
    "SELECT 1\0; DELETE FROM x",
    "not SQL at all",
)


@pytest.mark.parametrize(("label", "sql"), CASES)
def test_W3_only_what_reads_passes_outside_of_a_run(label: str, sql: str) -> None:
    assert (statement_refusal(sql, False) == "") is (label == "read" or sql in HARMLESS)


@pytest.mark.parametrize(("label", "sql"), [(label, sql) for label, sql in CASES if label in ("delete", "dangerous")])
def test_W6_deletes_do_not_pass_in_a_run_either(label: str, sql: str) -> None:
    assert statement_refusal(sql, True)


@pytest.mark.parametrize("sql", TRANSACTIONS)
def test_what_drivers_need_around_reading_passes(sql: str) -> None:
    assert statement_refusal(sql, False) == statement_refusal(sql, True) == ""


@pytest.mark.parametrize("sql", WRITES)
def test_W7_what_adds_and_changes_rows_passes_in_a_run_only(sql: str) -> None:
    assert statement_refusal(sql, False)
    assert statement_refusal(sql, True) == ""


@pytest.mark.parametrize("sql", NEVER)
def test_W7_the_rest_passes_nowhere(sql: str) -> None:
    assert statement_refusal(sql, False)
    assert statement_refusal(sql, True)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(NEVER),
    st.sampled_from(["", " ", "\n", "/* x */", "-- x\n", "\t"]),
    st.sampled_from([str, str.lower]),
)
def test_W7_spelling_changes_nothing(sql: str, before: str, spelled: object) -> None:
    assert callable(spelled)
    for writing in (False, True):
        assert statement_refusal(before + spelled(sql) + before, writing)
