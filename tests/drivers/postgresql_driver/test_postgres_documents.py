"""What the driver's pages say, done."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from integrator_drivers import registry
from integrator_practice import start
from integrator_practice.postgres import PostgresServer
from postgresql_driver.practice.standard_schema import read_schema

FOLDER = registry.manifest("postgresql").folder


def code_blocks() -> Iterator[tuple[str, str]]:
    for path in (FOLDER / "README.md", *sorted((FOLDER / "docs").glob("*.md"))):
        blocks = re.findall(r"^```python\n(.*?)^```", path.read_text(encoding="utf-8"), re.M | re.S)
        yield from ((f"{path.name}-{number}", block) for number, block in enumerate(blocks, 1))


@pytest.mark.parametrize("code", [pytest.param(code, id=name) for name, code in code_blocks()])
def test_every_code_block_runs(
    code: str, postgres: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "salesforce_driver" in code:
        with start("salesforce", rows=40) as practice:
            for name, value in practice.env.items():
                monkeypatch.setenv(name, value)
            run(code, tmp_path, monkeypatch)
    else:
        run(code, tmp_path, monkeypatch)


def run(code: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    exec(compile(code, "README.md", "exec"), {})
    for name in re.findall(r'to_csv\("(.*?)"\)', code):
        assert (folder / name).stat().st_size > 20


def test_the_roles_of_the_readme_can_be_made(server: PostgresServer, postgres: dict[str, str]) -> None:
    (block,) = re.findall(r"^```sql\n(.*?)^```", (FOLDER / "README.md").read_text(encoding="utf-8"), re.M | re.S)
    block = block.replace("DATABASE shop", "DATABASE demo").replace("ROLE integrator ", "ROLE readme_writer ")
    block = block.replace("TO integrator;", "TO readme_writer;").replace("integrator_reader", "readme_reader")
    with psycopg.connect(**{**server.admin, "dbname": "demo"}) as connection:
        connection.execute(block)
        found = connection.execute(
            "SELECT has_table_privilege('readme_writer', 'leads', 'INSERT'),"
            " has_table_privilege('readme_writer', 'leads', 'DELETE'),"
            " has_table_privilege('readme_reader', 'orders', 'SELECT'),"
            " has_table_privilege('readme_reader', 'orders', 'INSERT')"
        ).fetchone()
        assert found == (True, False, True, False)
        connection.rollback()


def test_the_standard_schema_is_what_the_catalogue_says(server: PostgresServer, postgres: dict[str, str]) -> None:
    shipped = json.loads((FOLDER / "schema.json").read_text(encoding="utf-8"))
    if f"PostgreSQL {server.version};" not in shipped["note"]:
        pytest.skip(f"schema.json is of another version than PostgreSQL {server.version}")
    with psycopg.connect(**server.admin) as connection:
        assert read_schema(connection) == shipped["objects"]
    assert registry.standard_schema("postgresql")["information_schema.columns"]["fields"]["column_name"]
