"""Several calls in one: /composite and /composite/batch."""

from __future__ import annotations

from typing import Any

import pytest

from integrator_practice import seeds

V = "/services/data/v59.0"


def part(name: str, method: str, url: str, body: Any = None, **more: Any) -> dict[str, Any]:
    return {"referenceId": name, "method": method, "url": V + url, **({"body": body} if body else {}), **more}


def ask(salesforce: Any, *parts: dict[str, Any], **options: Any) -> list[dict[str, Any]]:
    status, answer = salesforce.rest("POST", "/composite", {**options, "compositeRequest": list(parts)})
    assert status == 200, answer
    found: list[dict[str, Any]] = answer["compositeResponse"]
    return found


def codes(answers: list[dict[str, Any]]) -> list[int]:
    return [answer["httpStatusCode"] for answer in answers]


ACCOUNT = part("made", "POST", "/sobjects/Account", {"Name": "Composite, Inc."})


def test_parts_use_the_answers_of_parts_before_them(small: Any) -> None:
    answers = ask(
        small,
        ACCOUNT,
        part("person", "POST", "/sobjects/Contact", {"LastName": "A", "AccountId": "@{made.id}"}),
        part("found", "GET", "/query?q=SELECT Name, (SELECT Id FROM Contacts) FROM Account WHERE Id = '@{made.id}'"),
        part("named", "GET", "/sobjects/Contact/@{found.records[0].Contacts.records[0].Id}?fields=LastName"),
    )
    assert codes(answers) == [201, 201, 200, 200]
    assert [answer["referenceId"] for answer in answers] == ["made", "person", "found", "named"]
    assert answers[0]["httpHeaders"] == {"Location": f"{V}/sobjects/Account/{answers[0]['body']['id']}"}
    assert answers[3]["body"]["LastName"] == "A"
    assert small.asked()["changed"] == 2


def test_a_part_that_fails_does_not_stop_the_others_but_those_that_need_it(small: Any) -> None:
    answers = ask(
        small,
        part("bad", "POST", "/sobjects/Account", {"Website": "no name"}),
        part("needs", "POST", "/sobjects/Contact", {"LastName": "A", "AccountId": "@{bad.id}"}),
        part("alone", "POST", "/sobjects/Contact", {"LastName": "B"}),
        part("foo", "GET", "/sobjects/Foo"),
    )
    assert codes(answers) == [400, 400, 201, 404]
    assert answers[1]["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert answers[3]["body"][0]["errorCode"] == "NOT_FOUND"


def test_all_or_none_undoes_what_was_written(small: Any) -> None:
    many = part("many", "POST", "/composite/sobjects", {"records": [{"attributes": {"type": "Account"}, "Name": "B"}]})
    answers = ask(small, ACCOUNT, many, part("bad", "POST", "/sobjects/Account", {"Phone": "1"}), allOrNone=True)
    assert codes(answers) == [400, 400, 400]
    assert [answer["body"][0]["errorCode"] for answer in answers] == [
        "PROCESSING_HALTED",
        "PROCESSING_HALTED",
        "REQUIRED_FIELD_MISSING",
    ]
    assert small.total("SELECT COUNT() FROM Account WHERE Name IN ('Composite, Inc.', 'B')") == 0
    assert small.asked()["changed"] == 0
    assert codes(ask(small, ACCOUNT, allOrNone=True)) == [201]
    assert small.total("SELECT COUNT() FROM Account WHERE Name = 'Composite, Inc.'") == 1


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [part("a", "GET", "/limits")] * 2,
        [part("a b", "GET", "/limits")],
        [part("a", "FETCH", "/limits")],
        [part(f"r{n}", "GET", "/limits") for n in range(26)],
        [part(f"r{n}", "GET", "/query?q=SELECT Id FROM Lead LIMIT 1") for n in range(6)],
        [{"referenceId": "a", "method": "GET", "url": "/elsewhere"}],
    ],
)
def test_a_request_of_another_shape_is_refused(small: Any, parts: list[dict[str, Any]]) -> None:
    status, errors = small.rest("POST", "/composite", {"compositeRequest": parts})
    assert status == 400
    assert errors[0]["errorCode"] in ("INVALID_INPUT", "LIMIT_EXCEEDED")


def test_composite_calls_are_not_nested(small: Any) -> None:
    assert codes(ask(small, part("a", "POST", "/composite", {"compositeRequest": [ACCOUNT]}))) == [400]


def test_a_batch_answers_each_part_on_its_own(small: Any) -> None:
    lead = seeds.lead_id(1, 0)
    parts = [
        {"method": "PATCH", "url": f"v59.0/sobjects/Lead/{lead}", "richInput": {"Title": "Buyer"}},
        {"method": "GET", "url": "v59.0/sobjects/Lead/nonsense"},
        {"method": "GET", "url": f"v59.0/sobjects/Lead/{lead}?fields=Title"},
    ]
    _, answer = small.rest("POST", "/composite/batch", {"batchRequests": parts})
    assert answer["hasErrors"] is True
    assert [result["statusCode"] for result in answer["results"]] == [204, 404, 200]
    assert answer["results"][0]["result"] is None
    assert answer["results"][2]["result"]["Title"] == "Buyer"
    _, halted = small.rest("POST", "/composite/batch", {"batchRequests": parts[1:], "haltOnError": True})
    assert [result["statusCode"] for result in halted["results"]] == [404, 412]
    assert halted["results"][1]["result"][0]["errorCode"] == "BATCH_PROCESSING_HALTED"
