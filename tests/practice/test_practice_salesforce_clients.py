"""Clients that others wrote work against the practice Salesforce: simple-salesforce as it is, over its `session=`."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce, exceptions
from simple_salesforce.login import SalesforceLogin

from integrator_practice import is_practice, start
from salesforce_driver.practice.auth import Accounts


class ToPractice(HTTPAdapter):
    """Sends every https request to the practice system instead."""

    def __init__(self, base_url: str) -> None:
        super().__init__()
        self.netloc = urlsplit(base_url).netloc

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        parts = urlsplit(request.url or "")
        request.url = urlunsplit(("http", self.netloc, parts.path, parts.query, ""))
        return super().send(request, *args, **kwargs)


@pytest.fixture
def session(small: Any) -> Any:
    with requests.Session() as session:
        session.trust_env = False
        session.mount("https://", ToPractice(small.served.base_url))
        yield session


@pytest.fixture
def client(small: Any, session: Any) -> Salesforce:
    return Salesforce(session=session, instance_url="https://acme.my.salesforce.com", session_id=small.token)


def test_login_by_client_credentials(small: Any, session: Any) -> None:
    token, instance = SalesforceLogin(
        session=session,
        consumer_key=small.env["SALESFORCE_CLIENT_ID"],
        consumer_secret=small.env["SALESFORCE_CLIENT_SECRET"],
        domain="acme.my",
    )
    assert instance == small.served.base_url.removeprefix("http://")
    client = Salesforce(session=session, instance=instance, session_id=token)
    assert client.query("SELECT COUNT() FROM Lead")["totalSize"] == 60


def test_login_by_username_password_and_security_token(small: Any, session: Any) -> None:
    person = Accounts(1).person
    names = {"username": person.username, "password": person.password, "security_token": person.security_token}
    client = Salesforce(session=session, **names)
    assert client.query("SELECT COUNT() FROM Lead")["totalSize"] == 60
    by_oauth = Salesforce(
        session=session,
        **names,
        consumer_key=small.env["SALESFORCE_CLIENT_ID"],
        consumer_secret=small.env["SALESFORCE_CLIENT_SECRET"],
        domain="acme.my",
    )
    assert by_oauth.query("SELECT COUNT() FROM Lead")["totalSize"] == 60


def test_a_wrong_login_is_an_authentication_failure(session: Any) -> None:
    with pytest.raises(exceptions.SalesforceAuthenticationFailed, match=r"INVALID_LOGIN.*Invalid username"):
        Salesforce(session=session, username="x", password="x", security_token="x")
    with pytest.raises(exceptions.SalesforceAuthenticationFailed, match="client identifier invalid"):
        Salesforce(session=session, consumer_key="x", consumer_secret="x", domain="acme.my")


def test_the_soap_login_is_gone_from_version_65_on(session: Any) -> None:
    person = Accounts(1).person
    with pytest.raises(exceptions.SalesforceAuthenticationFailed, match="UNSUPPORTED_API_VERSION"):
        Salesforce(
            session=session,
            username=person.username,
            password=person.password,
            security_token=person.security_token,
            version="65.0",
        )


def test_describe_query_and_paging(client: Salesforce, small: Any) -> None:
    names = [entry["name"] for entry in client.describe()["sobjects"]]
    assert "Lead" in names
    assert client.Lead.describe()["name"] == "Lead"
    everyone = client.query_all("SELECT Id, Name, Owner.Name FROM Lead")
    assert (everyone["totalSize"], len(everyone["records"])) == (60, 60)
    headers = {"Sforce-Query-Options": "batchSize=200"}
    pages = client.query_all("SELECT Id FROM CampaignMember", headers=headers)
    assert len(pages["records"]) == pages["totalSize"]
    assert client.query_all("SELECT Id FROM Lead", include_deleted=True)["totalSize"] == 66
    assert client.api_usage["api-usage"].total > client.api_usage["api-usage"].used


def test_writing_one_record_and_many(client: Salesforce) -> None:
    made = client.Lead.create({"LastName": "A", "Company": "B"})
    assert client.Lead.update(made["id"], {"Title": "Buyer"}) == 204
    assert client.Lead.get(made["id"])["Title"] == "Buyer"
    assert client.Lead.upsert("External_Id__c/x1", {"LastName": "A", "Company": "B"}) == 201
    assert client.Lead.get_by_custom_id("External_Id__c", "x1")["LastName"] == "A"
    with pytest.raises(exceptions.SalesforceMalformedRequest, match="REQUIRED_FIELD_MISSING"):
        client.Lead.create({"LastName": "A"})
    with pytest.raises(exceptions.SalesforceResourceNotFound):
        client.Lead.get("00Q000000000001")


def test_errors_reach_the_client_as_the_kinds_it_knows(client: Salesforce, small: Any) -> None:
    with pytest.raises(exceptions.SalesforceMalformedRequest, match="unexpected token"):
        client.query("SELECT Id FRM Lead")
    small.fault(fault="next_status", status=403)
    with pytest.raises(exceptions.SalesforceRefusedRequest, match="REQUEST_LIMIT_EXCEEDED"):
        client.query("SELECT Id FROM Lead")
    small.fault(fault="next_status", status=503)
    with pytest.raises(exceptions.SalesforceGeneralError, match="503"):
        client.query("SELECT Id FROM Lead")
    small.fault(fault="expire_sessions")
    with pytest.raises(exceptions.SalesforceExpiredSession, match="INVALID_SESSION_ID"):
        client.query("SELECT Id FROM Lead")


def test_over_https_it_works_with_no_session_of_ours(monkeypatch: pytest.MonkeyPatch, state_home: Any) -> None:
    pytest.importorskip("cryptography", reason="https needs the package cryptography")
    with start("salesforce", rows=30, tls=True) as practice:
        host = urlsplit(practice.base_url)
        assert (host.scheme, practice.env["REQUESTS_CA_BUNDLE"]) == ("https", practice.ca_file)
        assert is_practice("127.0.0.1", host.port or 0)
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(practice.base_url + "/services/data", timeout=10)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", practice.env["REQUESTS_CA_BUNDLE"])
        form = {
            "grant_type": "client_credentials",
            "client_id": practice.env["SALESFORCE_CLIENT_ID"],
            "client_secret": practice.env["SALESFORCE_CLIENT_SECRET"],
        }
        answer = requests.post(practice.base_url + "/services/oauth2/token", form, timeout=10).json()
        client = Salesforce(instance_url=answer["instance_url"], session_id=answer["access_token"])
        assert client.query("SELECT COUNT() FROM Lead")["totalSize"] == 30
        client.session.close()
