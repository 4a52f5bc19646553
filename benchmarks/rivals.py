"""What else one would use, each in a process and an environment of its own: `python rivals.py NAME TABLE SOURCE FILE`.

The table is there beforehand where the rival does not make its own; dlt makes `leads` in the schema named like TABLE.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from data import COLUMNS

MOMENTS = ("CreatedDate", "SystemModstamp")


def records(source: str) -> Iterator[list[dict[str, Any]]]:
    """REST pages, read by requests as simple-salesforce does."""
    import requests

    session = requests.Session()
    url = f"/services/data/v67.0/query?q={quote('SELECT ' + ', '.join(COLUMNS) + ' FROM Lead')}"
    while url:
        page = session.get(source + url).json()
        for record in page["records"]:
            del record["attributes"]
        yield page["records"]
        url = page.get("nextRecordsUrl", "")


def executemany(table: str, source: str, file: str) -> None:
    """All pages, then INSERT ... ON CONFLICT by executemany (psycopg 3, which pipelines it)."""
    import psycopg

    found = [record for page in records(source) for record in page]
    names, values = ", ".join(COLUMNS.values()), ", ".join(f"%({name})s" for name in COLUMNS)
    new = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS.values() if name != "id")
    with psycopg.connect() as connection:
        connection.cursor().executemany(
            f"INSERT INTO {table} ({names}) VALUES ({values}) ON CONFLICT (id) DO UPDATE SET {new}", found
        )


def pandas_to_sql(table: str, source: str, file: str) -> None:
    """A DataFrame of all pages, then to_sql (append only, many rows a statement)."""
    import pandas as pd
    from sqlalchemy import create_engine

    frame = pd.DataFrame([record for page in records(source) for record in page]).rename(columns=COLUMNS)
    for name in MOMENTS:
        frame[COLUMNS[name]] = pd.to_datetime(frame[COLUMNS[name]], utc=True)
    schema, _, name = table.rpartition(".")
    engine = create_engine("postgresql+psycopg://")
    frame.to_sql(name, engine, schema=schema or None, if_exists="append", index=False, chunksize=10_000)


def dlt_load(table: str, source: str, *, strategy: str | None, arrow: bool, workers: int) -> None:
    """A dlt pipeline with a merge by primary key; defaults unless said otherwise."""
    import dlt

    if workers > 1:
        os.environ.update(NORMALIZE__WORKERS=str(workers), LOAD__WORKERS=str(workers))
        os.environ.update(DATA_WRITER__FILE_MAX_ITEMS="100000", DATA_WRITER__BUFFER_MAX_ITEMS="20000")
    disposition: Any = "merge" if strategy is None else {"disposition": "merge", "strategy": strategy}

    @dlt.resource(name="leads", primary_key="Id", write_disposition=disposition)
    def leads() -> Iterator[Any]:
        if not arrow:
            yield from records(source)
            return
        import pyarrow as pa
        import pyarrow.compute as pc

        for page in records(source):
            found = pa.Table.from_pylist(page)
            for name in MOMENTS:
                texts = pc.replace_substring(found[name], "+0000", "")
                moments = pc.cast(pc.strptime(texts, "%Y-%m-%dT%H:%M:%S.000", "us"), pa.timestamp("us", tz="UTC"))
                found = found.set_column(found.schema.get_field_index(name), name, moments)
            yield found

    env = os.environ
    address = f"postgresql://{env['PGUSER']}:{env['PGPASSWORD']}@{env['PGHOST']}:{env['PGPORT']}/{env['PGDATABASE']}"
    pipeline = dlt.pipeline(
        "bench", destination=dlt.destinations.postgres(address), dataset_name=table, pipelines_dir=env["BENCH_FOLDER"]
    )
    pipeline.run(leads())


CONTENDERS = {
    "executemany": executemany,
    "pandas.to_sql": pandas_to_sql,
    "dlt": lambda table, source, _: dlt_load(table, source, strategy=None, arrow=False, workers=1),
    "dlt, tuned": lambda table, source, _: dlt_load(table, source, strategy="upsert", arrow=False, workers=2),
    "dlt, Arrow": lambda table, source, _: dlt_load(table, source, strategy=None, arrow=True, workers=1),
    "dlt, Arrow, tuned": lambda table, source, _: dlt_load(table, source, strategy="upsert", arrow=True, workers=2),
}

if __name__ == "__main__":
    CONTENDERS[sys.argv[1]](*sys.argv[2:5])
