"""W5, W6: which requests may pass, by the rules that the drivers ship."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrator_drivers import Mode, registry
from integrator_magics.broker.paths import plain_path, template
from integrator_magics.broker.refusal import Refused
from integrator_magics.broker.rules import Rules


def passes(
    system: str, mode: str, method: str, target: str, body: object = None, kind: str = "application/json"
) -> bool:
    manifest = registry.manifest(system)
    data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    try:
        Rules(manifest.label, manifest.http, Mode(mode)).ask(method, target).check(data, "application/json")
    except Refused:
        return False
    return True


READS = [
    ("salesforce", "GET", "/services/data/v62.0/query?q=SELECT+Id+FROM+Lead", None),
    ("salesforce", "GET", "/services/data/v62.0/query/01gRM000000abcd-2000", None),
    ("salesforce", "GET", "/services/data/v62.0/sobjects/Lead/describe", None),
    ("salesforce", "HEAD", "/services/data/v62.0/sobjects/Lead/describe", None),
    ("salesforce", "GET", "/services/data/v62.0/search?q=FIND+%7Bx%7D", None),
    ("salesforce", "GET", "/services/data/v62.0/jobs/query/750x/results?maxRecords=5", None),
    ("salesforce", "POST", "/services/data/v62.0/jobs/query", {"operation": "query", "query": "SELECT Id FROM Lead"}),
    ("salesforce", "PATCH", "/services/data/v62.0/jobs/query/750x", {"state": "Aborted"}),
    ("hubspot", "GET", "/crm/objects/2026-09/contacts?limit=5", None),
    ("hubspot", "POST", "/crm/objects/2026-09/contacts/search", {"limit": 1}),
    ("hubspot", "POST", "/crm/objects/2026-09/contacts/batch/read", {"inputs": []}),
    ("hubspot", "GET", "/crm/properties/2026-09/contacts", None),
]
WRITES = [
    ("salesforce", "POST", "/services/data/v62.0/composite/sobjects", {"records": []}),
    ("salesforce", "PATCH", "/services/data/v62.0/composite/sobjects/Lead/Email__c", {"records": []}),
    ("salesforce", "POST", "/services/data/v62.0/jobs/ingest", {"operation": "upsert", "object": "Lead"}),
    ("salesforce", "PUT", "/services/data/v62.0/jobs/ingest/750x/batches", None),
    ("salesforce", "PATCH", "/services/data/v62.0/jobs/ingest/750x", {"state": "UploadComplete"}),
    ("hubspot", "POST", "/crm/objects/2026-09/contacts/batch/create", {"inputs": []}),
    ("hubspot", "POST", "/crm/objects/2026-09/contacts/batch/update", {"inputs": []}),
    ("hubspot", "POST", "/crm/objects/2026-09/contacts/batch/upsert", {"inputs": []}),
]
SF, HS = "/services/data/v62.0", "/crm/objects/2026-09/contacts"
NEVER = [
    ("salesforce", "DELETE", f"{SF}/sobjects/Lead/00Q1", None),
    ("salesforce", "DELETE", f"{SF}/composite/sobjects?ids=00Q1", None),
    ("salesforce", "POST", f"{SF}/sobjects/Lead", {"LastName": "x"}),
    ("salesforce", "PATCH", f"{SF}/sobjects/Lead/00Q1", {"LastName": "x"}),
    ("salesforce", "PATCH", f"{SF}/sobjects/Lead/00Q1?_HttpMethod=DELETE", {"x": 1}),
    ("salesforce", "GET", f"{SF}/sobjects/Lead/00Q1?_HttpMethod=DELETE", None),
    ("salesforce", "GET", f"{SF}/tooling/executeAnonymous?anonymousBody=delete", None),
    ("salesforce", "GET", f"{SF}/tooling/EXECUTEANONYMOUS/?anonymousBody=delete", None),
    ("salesforce", "POST", f"{SF}/composite", {"compositeRequest": []}),
    ("salesforce", "POST", f"{SF}/composite/", {"compositeRequest": []}),
    ("salesforce", "POST", f"{SF}/composite/batch", {"batchRequests": []}),
    ("salesforce", "POST", f"{SF}/composite/tree/Lead", {"records": []}),
    ("salesforce", "POST", f"{SF}/composite/graph", {"graphs": []}),
    ("salesforce", "POST", f"{SF}/graphql", {"query": "query { uiapi { query { Lead { edges { node { Id }}}}}}"}),
    ("salesforce", "POST", f"{SF}/actions/custom/flow/x", {"inputs": []}),
    ("salesforce", "POST", f"{SF}/process/approvals", {"requests": []}),
    ("salesforce", "POST", "/services/apexrest/wipe", {}),
    ("salesforce", "GET", "/services/apexrest/wipe", None),
    ("salesforce", "POST", "/services/async/62.0/job", {"operation": "hardDelete"}),
    ("salesforce", "POST", "/services/oauth2/token", {"grant_type": "password"}),
    ("salesforce", "POST", "/services/oauth2/revoke", None),
    ("salesforce", "POST", "/services/Soap/u/62.0", b"<delete/>"),
    ("salesforce", "GET", "/services/oauth2/token", None),
    ("salesforce", "POST", f"{SF}/jobs/ingest", {"operation": "delete"}),
    ("salesforce", "POST", f"{SF}/jobs/ingest", {"operation": "hardDelete"}),
    ("salesforce", "POST", f"{SF}/jobs/ingest", {"operation": ["insert"]}),
    ("salesforce", "POST", f"{SF}/jobs/ingest", {"object": "Lead"}),
    ("salesforce", "POST", f"{SF}/jobs/ingest", b'{"operation": "hardDelete", "operation": "insert"}'),
    ("salesforce", "POST", f"{SF}/jobs/ingest", b'{"operation": "insert", "Operation": "hardDelete"}'),
    ("salesforce", "POST", f"{SF}/jobs/ingest", b'{"operation": "insert", "oper\\u0061tion": "delete"}'),
    ("salesforce", "POST", f"{SF}/jobs/ingest", '{"operation": "insert"}'.encode("utf-16")),
    ("salesforce", "POST", f"{SF}/jobs/ingest", b"operation=insert"),
    ("salesforce", "PATCH", f"{SF}/jobs/ingest/750x", {"state": "Deleted"}),
    ("salesforce", "DELETE", f"{SF}/jobs/ingest/750x", None),
    ("salesforce", "DELETE", f"{SF}/jobs/query/750x", None),
    ("salesforce", "GET", f"{SF}/query?q=SELECT+Id+FROM+Lead+FOR+UPDATE", None),
    ("salesforce", "GET", f"{SF}/query/?q=SELECT+Id+FROM+Lead+FOR+VIEW", None),
    ("salesforce", "GET", f"{SF}/queryAll?q=SELECT+Id+FROM+Lead+FOR+REFERENCE", None),
    ("salesforce", "GET", f"{SF}/tooling/query?q=DELETE+x", None),
    ("salesforce", "GET", f"{SF}/query?q=SELECT+Id+FROM+Lead&q=SELECT+Id+FROM+Lead+FOR+UPDATE", None),
    ("salesforce", "GET", f"{SF}/search?q=FIND+%7Bx%7D+UPDATE+VIEWSTAT", None),
    ("salesforce", "POST", f"{SF}/jobs/query", {"query": "SELECT Id FROM Lead FOR UPDATE"}),
    ("salesforce", "POST", f"{SF}/sobjects/User/005x/password", {"NewPassword": "x"}),
    ("salesforce", "GET", f"{SF}/query?q=SELECT+Id+FROM+Lead&access_token=other", None),
    ("hubspot", "DELETE", f"{HS}/1", None),
    ("hubspot", "POST", f"{HS}/batch/archive", {"inputs": []}),
    ("hubspot", "POST", f"{HS}/batch/Archive/", {"inputs": []}),
    ("hubspot", "POST", f"{HS}/merge", {"primaryObjectId": "1"}),
    ("hubspot", "POST", f"{HS}/gdpr-delete", {"objectId": "1"}),
    ("hubspot", "POST", HS, {"properties": {}}),
    ("hubspot", "PATCH", f"{HS}/1", {"properties": {}}),
    ("hubspot", "PUT", f"{HS}/1/associations/deals/2/3", None),
    ("hubspot", "POST", "/crm/v3/objects/contacts/search/../batch/archive", {}),
    ("hubspot", "POST", "/automation/v4/flows", {}),
    ("hubspot", "POST", "/crm/v3/imports", {}),
    ("hubspot", "DELETE", "/crm/lists/2026-09/1", None),
    ("hubspot", "GET", f"{HS}?hapikey=x", None),
    ("hubspot", "delete", f"{HS}/1", None),
    ("hubspot", "OPTIONS", HS, None),
    ("hubspot", "TRACE", HS, None),
]


@pytest.mark.parametrize(("system", "method", "target", "body"), READS)
def test_W5_reads_pass_in_every_mode(system: str, method: str, target: str, body: object) -> None:
    assert all(passes(system, mode, method, target, body) for mode in Mode)


@pytest.mark.parametrize(("system", "method", "target", "body"), WRITES)
def test_W5_writes_pass_in_apply_only(system: str, method: str, target: str, body: object) -> None:
    assert [passes(system, mode, method, target, body) for mode in Mode] == [False, False, True]


@pytest.mark.parametrize(("system", "method", "target", "body"), NEVER)
def test_W6_everything_else_passes_in_no_mode(system: str, method: str, target: str, body: object) -> None:
    assert not any(passes(system, mode, method, target, body) for mode in Mode)


@pytest.mark.parametrize(
    "target",
    [
        "/v1/a/../b",
        "/v1/a/./b",
        "/v1//b",
        "//v1/b",
        "/v1/a%2fb",
        "/v1/a%2Fb",
        "/v1/a%5cb",
        "/v1/a\\b",
        "/v1/%2e%2e/b",
        "/v1/.%2e/b",
        "/v1/a%252fb",
        "/v1/a%25",
        "/v1/a%00b",
        "/v1/a%0d%0ab",
        "/v1/a;x=1",
        "/v1/a%3bx",
        "/v1/a%3fx=1",
        "/v1/a#b",
        "/v1/a%23b",
        "/v1/a%ff",
        "/v1/a%zz",
        "/v1/a%",
        "/v1/a%c2%85",
        "v1/a",
        "*",
        "http://other/v1/a",
        "",
    ],
)
def test_W5_ambiguous_paths_are_refused(target: str) -> None:
    with pytest.raises(Refused):
        plain_path(target)


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/v1/a%20b", "/v1/a b"),
        ("/v1/a/", "/v1/a"),
        ("/", "/"),
        ("/v1/%C3%A9", "/v1/é"),
        ("/v62.0/x.csv?a=b/../c", "/v62.0/x.csv"),
    ],
)
def test_plain_paths_are_decoded_once(target: str, path: str) -> None:
    assert plain_path(target) == path


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="abc/.%25eEfF\\;?#é\0\r\n ", max_size=25))
def test_W5_whatever_path_passes_reads_the_same_decoded_again(text: str) -> None:
    try:
        path = plain_path("/" + text)
    except Refused:
        return
    assert plain_path(path.replace(" ", "%20")) == path
    assert not any(part in (".", "..") for part in path.split("/"))


def test_ids_and_values_do_not_reach_the_audit_log() -> None:
    assert template("/services/data/v62.0/jobs/query/750RM0000012345YAA/results") == (
        "/services/data/v62.0/jobs/query/{id}/results"
    )
    assert template("/crm/objects/2026-09/contacts/10456/a@b.example") == "/crm/objects/2026-09/contacts/{id}/{id}"


def test_refusals_are_sentences() -> None:
    manifest = registry.manifest("hubspot")
    with pytest.raises(Refused) as caught:
        Rules("HubSpot", manifest.http, Mode.DISCOVERY).ask("POST", f"{HS}/batch/create")
    assert str(caught.value) == (
        "Discovery only reads: POST /crm/objects/2026-09/contacts/batch/create was not sent to HubSpot."
    )
    assert caught.value.kind == "ReadOnlyError"
