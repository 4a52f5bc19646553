"""Several calls in one: /composite, whose parts may use each other's answers, and /composite/batch, whose can't."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from email.message import Message
from typing import Any
from urllib.parse import quote

from integrator_practice.http import Request, Response, json_response

from .calls import Call, Route
from .errors import SalesforceError

__all__ = ["ROUTES"]

MAX_PARTS = 25
MAX_QUERIES = 5  # of 25 parts, queries and collections together
_REFERENCE = re.compile(r"@\{([^}]+)\}")
_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_LIMITED = re.compile(r"/services/data/v\d+\.0/(query|queryAll|composite/sobjects)\b")
_METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE", "HEAD")
_ROLLED_BACK = "The transaction was rolled back since another operation in the same transaction failed."


def composite(call: Call) -> Response:
    """POST /composite."""
    body = call.json()
    parts = body.get("compositeRequest") if isinstance(body, dict) else None
    _check(parts, "compositeRequest")
    assert isinstance(parts, list) and isinstance(body, dict)
    names = [part.get("referenceId") for part in parts]
    if not all(isinstance(name, str) and _NAME.fullmatch(name) for name in names):
        raise SalesforceError(400, "INVALID_INPUT", "Every subrequest needs a referenceId of letters, digits and _")
    if len(set(names)) < len(names):
        raise SalesforceError(400, "INVALID_INPUT", "Duplicate referenceId in the composite request")
    if sum(bool(_LIMITED.match(str(part.get("url")))) for part in parts) > MAX_QUERIES:
        raise SalesforceError(
            400, "LIMIT_EXCEEDED", f"Up to {MAX_QUERIES} query or sObject Collections subrequests are allowed"
        )
    whole = body.get("allOrNone") is True
    with call.org.lock, call.org.transaction() as transaction:
        answers, changed = _each(call, parts, whole)
        if whole and any(answer["httpStatusCode"] >= 400 for answer in answers):
            transaction.roll_back()
            changed = 0
            answers = [a if a["httpStatusCode"] >= 400 else _halted(a["referenceId"], _ROLLED_BACK) for a in answers]
    return json_response({"compositeResponse": answers}, changed=changed)


def _each(call: Call, parts: list[dict[str, Any]], whole: bool) -> tuple[list[dict[str, Any]], int]:
    answers: list[dict[str, Any]] = []
    known: dict[str, Any] = {}  # bodies of the parts that succeeded
    changed = 0
    for part in parts:
        name = part["referenceId"]
        if whole and answers and answers[-1]["httpStatusCode"] >= 400:
            answers.append(_halted(name, _ROLLED_BACK))
            continue
        try:
            url = _REFERENCE.sub(lambda match: quote(str(_looked_up(match[1], known)), safe=""), str(part.get("url")))
            body = _filled(part.get("body"), known)
        except _MissingReferenceError as exc:
            answers.append(_halted(name, str(exc)))
            continue
        if not url.startswith("/services/data/"):
            raise SalesforceError(400, "INVALID_INPUT", f"The url of {name} must start with /services/data/")
        answer = _sent(call, part, url, body)
        shown = json.loads(answer.body) if answer.body else None
        if answer.status < 300:
            known[name] = shown
            changed += answer.changed
        answers.append(
            {
                "body": shown,
                "httpHeaders": _location(call, shown, url) if answer.status == 201 else {},
                "httpStatusCode": answer.status,
                "referenceId": name,
            }
        )
    return answers, changed


def batch(call: Call) -> Response:
    """POST /composite/batch."""
    body = call.json()
    parts = body.get("batchRequests") if isinstance(body, dict) else None
    _check(parts, "batchRequests")
    assert isinstance(parts, list) and isinstance(body, dict)
    results: list[dict[str, Any]] = []
    changed = 0
    halted = False
    for part in parts:
        if halted:
            error = {"errorCode": "BATCH_PROCESSING_HALTED", "message": "Batch processing halted per request"}
            results.append({"statusCode": 412, "result": [error]})
            continue
        url = str(part.get("url")).lstrip("/")
        answer = _sent(call, part, "/services/data/" + url.removeprefix("services/data/"), part.get("richInput"))
        changed += answer.changed
        results.append({"statusCode": answer.status, "result": json.loads(answer.body) if answer.body else None})
        halted = body.get("haltOnError") is True and answer.status >= 400
    failed = any(result["statusCode"] >= 400 for result in results)
    return json_response({"hasErrors": failed, "results": results}, changed=changed)


class _MissingReferenceError(Exception):
    """A part uses the answer of another that is not there."""


def _check(parts: Any, name: str) -> None:
    if not isinstance(parts, list) or not parts or not all(isinstance(part, dict) for part in parts):
        raise SalesforceError(400, "INVALID_INPUT", f"{name} must be a list of subrequests")
    if len(parts) > MAX_PARTS:
        raise SalesforceError(400, "LIMIT_EXCEEDED", f"Limit of {MAX_PARTS} subrequests exceeded")
    for part in parts:
        if part.get("method") not in _METHODS:
            raise SalesforceError(400, "INVALID_INPUT", f"Invalid method in a subrequest: {part.get('method')}")


def _sent(call: Call, part: Mapping[str, Any], url: str, body: Any) -> Response:
    """The answer to one part, from whoever handles its path."""
    path, _, query = url.partition("?")
    headers = Message()
    for name, value in {**call.request.headers, **(part.get("httpHeaders") or {})}.items():
        headers[name] = str(value)
    data = b"" if body is None else json.dumps(body).encode()
    inner = Request(str(part["method"]), path, query, headers, data)
    if re.search(r"/composite(/batch)?/?$", path):
        return json_response(SalesforceError(400, "INVALID_INPUT", "Composite calls can't be nested").as_data(), 400)
    return call.send(inner)


def _halted(name: str, message: str) -> dict[str, Any]:
    error = {"errorCode": "PROCESSING_HALTED", "message": message}
    return {"body": [error], "httpHeaders": {}, "httpStatusCode": 400, "referenceId": name}


def _location(call: Call, shown: Any, url: str) -> dict[str, str]:
    parts = url.partition("?")[0].removeprefix(f"{call.base}/sobjects/").split("/")
    made = shown.get("id") if isinstance(shown, dict) else None
    return {"Location": f"{call.base}/sobjects/{parts[0]}/{made}"} if made else {}


def _filled(value: Any, known: Mapping[str, Any]) -> Any:
    """A body with its @{references} replaced; a text that is nothing but one keeps the type of what it names."""
    if isinstance(value, dict):
        return {key: _filled(inner, known) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, known) for inner in value]
    if not isinstance(value, str):
        return value
    if only := _REFERENCE.fullmatch(value):
        return _looked_up(only[1], known)
    return _REFERENCE.sub(lambda match: str(_looked_up(match[1], known)), value)


def _looked_up(path: str, known: Mapping[str, Any]) -> Any:
    """@{newAccount.id}, @{found.records[0].Name}"""
    name, _, rest = path.partition(".")
    first, _, index = name.partition("[")
    if first not in known:
        raise _MissingReferenceError(f"Invalid reference specified. No value for {path} found in {first}")
    value = known[first]
    for key, number in _STEP.findall((f"[{index}" if index else "") + rest):
        try:
            value = value[int(number)] if number else value[key]
        except (KeyError, IndexError, TypeError):
            raise _MissingReferenceError(f"Invalid reference specified. No value for {path} found in {first}") from None
    return value


ROUTES: list[Route] = [
    ("POST", "/composite", composite),
    ("POST", "/composite/batch", batch),
]
