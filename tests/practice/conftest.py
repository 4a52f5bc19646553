from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from integrator_practice.server import HttpServed
from salesforce_driver import practice


class Salesforce:
    """A practice Salesforce in this process, spoken to in plain HTTP."""

    def __init__(self, served: HttpServed) -> None:
        self.served = served
        self.env = served.env
        self.token = ""
        self.headers: dict[str, str] = {}  # of the last answer

    def send(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        """(status, JSON of the answer, text where it is no JSON)."""
        connection = HTTPConnection("127.0.0.1", self.served.port, timeout=20)
        sent = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        data = body if body is None or isinstance(body, bytes | str) else json.dumps(body)
        try:
            connection.request(method, path, data.encode() if isinstance(data, str) else data, sent)
            response = connection.getresponse()
            text = response.read().decode()
            self.headers = dict(response.getheaders())
        finally:
            connection.close()
        try:
            return response.status, json.loads(text)
        except ValueError:
            return response.status, text

    def rest(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        return self.send(method, f"/services/data/v59.0{path}", body, headers)

    def query(self, soql: str, **headers: str) -> tuple[int, Any]:
        return self.rest("GET", f"/query?q={quote(soql)}", **{k.replace("_", "-"): v for k, v in headers.items()})

    def rows(self, soql: str) -> list[dict[str, Any]]:
        """All records of a query, page after page."""
        status, page = self.query(soql)
        assert status == 200, page
        found: list[dict[str, Any]] = list(page["records"])
        while not page["done"]:
            _, page = self.send("GET", page["nextRecordsUrl"])
            found += page["records"]
        return found

    def total(self, soql: str) -> int:
        status, page = self.query(soql)
        assert status == 200, page
        return int(page["totalSize"])

    def error(self, soql: str) -> tuple[str, str]:
        """(errorCode, message) of a query that is refused."""
        status, errors = self.query(soql)
        assert status == 400, errors
        return errors[0]["errorCode"], errors[0]["message"]

    def log_in(self) -> None:
        form = {
            "grant_type": "client_credentials",
            "client_id": self.env["SALESFORCE_CLIENT_ID"],
            "client_secret": self.env["SALESFORCE_CLIENT_SECRET"],
        }
        status, answer = self.send("POST", "/services/oauth2/token", urlencode(form))
        assert status == 200, answer
        self.token = answer["access_token"]

    def fault(self, **options: Any) -> None:
        status, answer = self.send("POST", "/_practice/faults", options)
        assert status == 200, answer

    def asked(self) -> dict[str, Any]:
        """The request log."""
        log: dict[str, Any] = self.send("GET", "/_practice/requests")[1]
        return log


@contextmanager
def serving(**options: Any) -> Iterator[Salesforce]:
    served = practice.serve(**options)
    worker = threading.Thread(target=served.serve_forever)
    worker.start()
    try:
        salesforce = Salesforce(served)
        salesforce.log_in()
        yield salesforce
    finally:
        served.close()
        worker.join()


@pytest.fixture(scope="session")
def seeded() -> Iterator[Salesforce]:
    """The default org; shared, so only for reading."""
    with serving() as salesforce:
        yield salesforce


@pytest.fixture
def small() -> Iterator[Salesforce]:
    """An org of its own for one test: 60 leads."""
    with serving(rows=60) as salesforce:
        yield salesforce


@pytest.fixture
def make_salesforce() -> Callable[..., Any]:
    return serving


@pytest.fixture(scope="session")
def practice_key() -> str:
    """The key of the practice app, which signs JWTs, in PEM form."""
    rsa = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.rsa")
    from cryptography.hazmat.primitives import serialization as form

    from salesforce_driver.practice import keys

    made = keys.key(1)
    d = pow(keys.EXPONENT, -1, (made.p - 1) * (made.q - 1))
    numbers = rsa.RSAPrivateNumbers(
        made.p,
        made.q,
        d,
        rsa.rsa_crt_dmp1(d, made.p),
        rsa.rsa_crt_dmq1(d, made.q),
        rsa.rsa_crt_iqmp(made.p, made.q),
        rsa.RSAPublicNumbers(keys.EXPONENT, made.modulus),
    )
    pem: bytes = numbers.private_key().private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    return pem.decode()
