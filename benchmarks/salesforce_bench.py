"""How long a look at a large Salesforce org takes, and what fetching pages ahead saves: `python salesforce_bench.py`.

The org is a practice system in a process of its own, over loopback: 1,000 objects, 500 fields on Lead.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

import pandas as pd

from salesforce_driver import SalesforceClient
from salesforce_driver.src import fetching

OBJECTS = 1_000
FIELDS = 500
LEADS = 16_000  # 8 pages
PAGE_SECONDS = 0.25  # what the source takes for a page, and the target too


def serve() -> None:
    """The org: fields and objects are added to the practice org, then it answers until stdin ends."""
    import threading

    from integrator_practice.server import serve_app
    from salesforce_driver.practice import schema
    from salesforce_driver.practice.app import SalesforceApp
    from salesforce_driver.practice.auth import Accounts
    from salesforce_driver.practice.seeded import seeded_org

    known = len(schema.load().objects["Lead"].fields)
    schema.CUSTOM_FIELDS["Lead"] += [
        {"name": f"Field_{n}__c", "label": f"Field {n}", "custom": True, "type": "picklist", "length": 255}
        | {"picklistValues": [f"Choice {m}" for m in range(12)], "createable": True, "updateable": True}
        for n in range(FIELDS - known)
    ]
    accounts, org = Accounts(1), seeded_org(1, LEADS)
    objects = org.schema.objects
    for n in range(OBJECTS - len(objects) + 1):
        objects[f"Object_{n}__c"] = replace(objects["Case"], name=f"Object_{n}__c", hidden=set())
    app = SalesforceApp(org, accounts)
    served = serve_app(app, 0, "")
    app.base_url = served.base_url
    threading.Thread(target=served.serve_forever, daemon=True).start()
    env = {
        "SALESFORCE_BASE_URL": served.base_url,
        "SALESFORCE_CLIENT_ID": accounts.client_id,
        "SALESFORCE_CLIENT_SECRET": accounts.client_secret,
    }
    print(json.dumps({"env": env, "control": served.control_url}), flush=True)
    sys.stdin.read()
    served.close()


def seconds(act: Callable[[], Any], times: int) -> list[float]:
    """How long each of so many runs took."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        act()
        taken.append(time.perf_counter() - started)
    return taken


def shown(name: str, taken: list[float]) -> None:
    """Median and worst of the runs."""
    print(f"{name:58} {statistics.median(taken) * 1000:8.0f} ms   worst {max(taken) * 1000:6.0f} ms", flush=True)


def discover(times: int) -> None:
    """Discovery of the large org, each with a client of its own that logs in first."""

    def fields() -> None:
        with SalesforceClient() as salesforce:
            frame = pd.DataFrame.from_dict(salesforce.get_fields("Lead"), orient="index")
        assert len(frame) == FIELDS

    def objects() -> None:
        with SalesforceClient() as salesforce:
            assert len(salesforce.list_objects()) == OBJECTS

    fields()
    shown(f"get_fields of {FIELDS} fields into a DataFrame, with the login", seconds(fields, times))
    shown(f"list_objects of {OBJECTS:,} objects, with the login", seconds(objects, times))


def one_after_the_other(pages: Iterator[Any]) -> Iterator[Any]:
    return pages


def read_slowly(control: str, times: int) -> None:
    """A source that takes a while for a page, and a target that takes as long to store it."""
    opener = build_opener(ProxyHandler({}))

    def run() -> None:
        body = {"fault": "slow", "seconds": PAGE_SECONDS, "times": 7, "path": "/query/"}
        opener.open(Request(f"{control}/faults", json.dumps(body).encode()), timeout=10).close()
        with SalesforceClient() as salesforce:
            rows = 0
            for batch in salesforce.read("Lead", fields=["Id", "Name", "Email"]).batches(2_000):
                time.sleep(PAGE_SECONDS)
                rows += len(batch)
        assert rows == LEADS

    name = f"{LEADS:,} rows, {PAGE_SECONDS} s a page at both ends"
    shown(f"{name}, pages ahead", seconds(run, times))
    ahead, fetching.ahead = fetching.ahead, one_after_the_other  # type: ignore[assignment]
    try:
        shown(f"{name}, one by one", seconds(run, times))
    finally:
        fetching.ahead = ahead


def main() -> None:
    """Run all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=9)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve()
        return
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, pandas {pd.__version__}")
    command = [sys.executable, __file__, "--serve"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin and server.stdout
        told = json.loads(server.stdout.readline())
        os.environ.update(told["env"])
        discover(options.times)
        read_slowly(told["control"], 3)
        server.stdin.close()


if __name__ == "__main__":
    main()
