"""A fast source: what Salesforce sends for one object of N rows, rendered before the clock starts.

`python source.py ROWS [SECONDS]` serves it on loopback and prints the address; each answer waits SECONDS. Speaks just
what is asked here: a token, the describe of Lead, REST pages of 2,000 rows, and Bulk query jobs that are done at once.
"""

from __future__ import annotations

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from data import FIELDS, csv_line, row

PAGE = 2_000  # rows of a REST page
BULK_PAGE = 50_000  # rows of a Bulk page at most
NEVER_EMPTY = ("Id", "Name", "Company", "IsConverted", "CreatedDate", "SystemModstamp")
JOB = "750000000000001AAA"
QUERY = "/services/data/v67.0/query/01g000000000001"


class Org:
    """All the answers."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.pages: list[bytes] = []
        self.csv: list[bytes] = []
        for start in range(0, rows, PAGE):
            values = [row(number) for number in range(start, min(start + PAGE, rows))]
            end = start + len(values) >= rows
            page = {
                "totalSize": rows,
                "done": end,
                **(
                    {}
                    if end
                    else {"nextRecordsUrl": f"/services/data/v67.0/query/01g000000000001-{len(self.pages) + 1}"}
                ),
                "records": [
                    {"attributes": {"type": "Lead", "url": f"/services/data/v67.0/sobjects/Lead/{value[0]}"}}
                    | dict(zip(FIELDS, value, strict=True))
                    for value in values
                ],
            }
            self.pages.append(json.dumps(page, separators=(",", ":"), ensure_ascii=False).encode())
            self.csv.append("".join(map(csv_line, values)).encode())
        self.header = csv_line(list(FIELDS)).encode()
        self.describe = json.dumps(
            {
                "name": "Lead",
                "queryable": True,
                "fields": [
                    {"name": name, "type": kind, "nillable": name not in NEVER_EMPTY, "label": name, "length": 80}
                    for name, (_, _, kind) in FIELDS.items()
                ],
            }
        ).encode()

    def bulk_page(self, locator: int, most: int) -> tuple[list[bytes], int, str]:
        """The parts of one page, its rows, and where the next one starts."""
        first, count = locator // PAGE, max(1, min(most, BULK_PAGE) // PAGE)
        parts = self.csv[first : first + count]
        read = min(self.rows, (first + count) * PAGE)
        return [self.header, *parts], read - locator, "null" if read >= self.rows else str(read)


class Handler(BaseHTTPRequestHandler):
    """Answers from memory."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    org: Org
    wait = 0.0

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        last = address.path.rpartition("/")[2]
        if last == "describe":
            self._send(self.org.describe)
        elif last == "query" and "+FROM+Lead" in address.query.replace("%20", "+"):
            self._send(self.org.pages[0])
        elif last == "query":  # who we are
            names = ("Username", "Name", "Id", "OrganizationType", "InstanceName")
            self._json(
                {"totalSize": 1, "done": True, "records": [{**dict.fromkeys(names, "bench"), "IsSandbox": False}]}
            )
        elif last == "results":
            asked = parse_qs(address.query)
            parts, rows, following = self.org.bulk_page(
                int(asked.get("locator", ["0"])[0]), int(asked.get("maxRecords", ["50000"])[0])
            )
            headers = {"Sforce-NumberOfRecords": str(rows), "Sforce-Locator": following}
            self._send(*parts, kind="text/csv", headers=headers)
        elif last == JOB:
            self._json({"id": JOB, "state": "JobComplete", "numberRecordsProcessed": self.org.rows})
        elif last.startswith("01g"):
            self._send(self.org.pages[int(last.partition("-")[2])])
        else:
            self._json([{"errorCode": "NOT_FOUND", "message": self.path}], 404)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.endswith("/token"):
            self._json({"access_token": "bench", "instance_url": f"http://{self.headers['Host']}", "id": "x/y/z"})
        elif self.path.endswith("/jobs/query"):
            self._json({"id": JOB, "state": "UploadComplete"})
        else:
            self._json([{"errorCode": "NOT_FOUND", "message": self.path}], 404)

    def log_message(self, format: str, *args: Any) -> None:
        """Stay quiet."""

    def _json(self, value: Any, status: int = 200) -> None:
        self._send(json.dumps(value).encode(), status=status)

    def _send(
        self, *parts: bytes, status: int = 200, kind: str = "application/json", headers: dict[str, str] | None = None
    ) -> None:
        time.sleep(self.wait)
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=UTF-8")
        self.send_header("Content-Length", str(sum(map(len, parts))))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        for part in parts:
            self.wfile.write(part)


def main() -> None:
    Handler.org = Org(int(sys.argv[1]))
    Handler.wait = float(sys.argv[2]) if len(sys.argv) > 2 else 0.0
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        print(f"http://127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
