"""REST calls that read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from integrator_practice.http import Response, json_response

from . import soql
from .calls import Call, Route
from .cursors import page_size
from .errors import SalesforceError, not_found
from .ids import canonical_id
from .records import Records
from .schema import Object
from .soql.nodes import Path
from .soql.operands import Scope
from .soql.shape import Node, json_value

__all__ = ["ROUTES"]

MAX_RETRIEVED = 2_000
REMEMBERED = timedelta(days=31)  # of changes: 30 days before the day of the call


def resources(call: Call) -> Response:
    return json_response(
        {
            name: f"{call.base}/{name}"
            for name in ("sobjects", "query", "queryAll", "search", "composite", "jobs", "limits")
        }
    )


def query(call: Call) -> Response:
    return _run(call, include_deleted=False)


def query_all(call: Call) -> Response:
    return _run(call, include_deleted=True)


def _run(call: Call, include_deleted: bool) -> Response:
    text = call.request.query.get("q", "")
    if not text.strip():
        raise SalesforceError(400, "MALFORMED_QUERY", "A query string has to be specified")
    size = page_size(call.request.headers.get("Sforce-Query-Options", ""))

    def children(rows: Sequence[Any], render: Callable[[Any, str], dict[str, Any]], base: str) -> dict[str, Any]:
        return call.cursors.first(rows, render, base, size, len(rows))

    result = soql.run(text, call.org, call.clock, include_deleted=include_deleted, children=children)
    return json_response(call.cursors.first(result.found, result.render, call.base, size, result.total))


def more(call: Call, locator: str) -> Response:
    return json_response(call.cursors.next(locator, call.base))


def describe_global(call: Call) -> Response:
    shown = [described.summary(call.base) for described in call.org.schema.objects.values()]
    return json_response({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": shown})


def describe(call: Call, name: str) -> Response:
    return json_response(call.described(name).describe(call.base))


def basic(call: Call, name: str) -> Response:
    return json_response({"objectDescribe": call.described(name).summary(call.base), "recentItems": []})


def record(call: Call, name: str, record_id: str) -> Response:
    described = call.described(name)
    records = Records(call.org, call.user)
    return json_response(_shown(call, described, records.find(described, record_id)))


def record_by_key(call: Call, name: str, field: str, value: str) -> Response:
    """A record by an external id; or by its id the parent or the children that a relationship leads to."""
    described = call.described(name)
    records = Records(call.org, call.user)
    if canonical_id(field) and described.field(field) is None:
        return _related(call, described, records.find(described, field), value)
    key = records.key_field(described, field)
    found = call.org.find(described.name, key.name, value)
    if not found:
        raise not_found()
    if len(found) > 1:
        return json_response([f"{call.base}/sobjects/{described.name}/{one}" for one in found], 300)
    return json_response(_shown(call, described, records.find(described, found[0])))


def _related(call: Call, described: Object, row: dict[str, Any], relationship: str) -> Response:
    reference, child = described.parent(relationship), described.child(relationship)
    if child:
        of_it = call.org.schema.objects[child.object]
        ids = call.org.find(of_it.name, child.field, row["Id"])
        node, size = _node(call, of_it, []), page_size(call.request.headers.get("Sforce-Query-Options", ""))
        found = [call.org.row(one) for one in ids]
        return json_response(call.cursors.first(found, node.render, call.base, size, len(found)))
    parent_id = row.get(reference.name) if reference else None
    parent = call.org.row(parent_id) if parent_id else None
    target = call.org.schema.by_prefix(parent_id) if parent_id else None
    if parent is None or target is None:
        raise not_found(f"The requested resource does not exist: {relationship}")
    return json_response(_shown(call, target, parent))


def _shown(call: Call, described: Object, row: dict[str, Any]) -> dict[str, Any]:
    text = call.request.query.get("fields", "")
    return _node(call, described, [name.strip() for name in text.split(",") if name.strip()]).render(row, call.base)


def _node(call: Call, described: Object, names: list[str]) -> Node:
    """Shows these fields of a record, all of them without names."""
    scope = Scope("", described, None, call.org, call.clock)
    node = Node(described, call.org)
    for name in names or [field.name for field in described.visible()]:
        if described.field(name) is None:
            raise SalesforceError(400, "INVALID_FIELD", f"No such column '{name}' on sobject of type {described.name}")
        node.add(scope.resolve(Path((name,), 0)))
    return node


def retrieve(call: Call, name: str) -> Response:
    """GET with ids= and fields=, or POST with a body of both: one entry per id, null for those not there."""
    if call.request.method == "POST":
        body = call.json()
        given = body if isinstance(body, dict) else {}
        ids, fields = given.get("ids"), given.get("fields")
    else:
        ids, fields = (call.request.query.get(key, "").split(",") for key in ("ids", "fields"))
    if not isinstance(ids, list) or not isinstance(fields, list) or not all(map(str.strip, [*ids, *fields])):
        raise SalesforceError(400, "MISSING_ARGUMENT", "The ids and fields parameters must be specified")
    if len(ids) > MAX_RETRIEVED:
        raise SalesforceError(
            400, "EXCEEDED_ID_LIMIT", f"record limit reached. cannot retrieve more than {MAX_RETRIEVED}"
        )
    described = call.described(name)
    node, records = _node(call, described, fields), Records(call.org, call.user)
    shown: list[dict[str, Any] | None] = []
    for record_id in ids:
        try:
            shown.append(node.render(records.find(described, record_id), call.base))
        except SalesforceError:
            shown.append(None)
    return json_response(shown)


def updated(call: Call, name: str) -> Response:
    """Live records changed in a span of time."""
    start, end = _span(call)
    rows = call.org.rows(_replicable(call, name), include_deleted=False)
    ids = [row["Id"] for row in rows if start <= row["SystemModstamp"] < end]
    return json_response({"ids": ids, "latestDateCovered": json_value(end)})


def deleted(call: Call, name: str) -> Response:
    """Records deleted in a span of time."""
    start, end = _span(call)
    rows = call.org.rows(_replicable(call, name), include_deleted=True)
    found = [
        {"id": row["Id"], "deletedDate": json_value(row["SystemModstamp"])}
        for row in rows
        if row.get("IsDeleted") and start <= row["SystemModstamp"] < end
    ]
    first = min((row["CreatedDate"] for row in rows), default=start)
    return json_response(
        {"deletedRecords": found, "earliestDateAvailable": json_value(first), "latestDateCovered": json_value(end)}
    )


def _replicable(call: Call, name: str) -> str:
    described = call.described(name)
    if not described.facts["replicateable"]:
        raise SalesforceError(400, "INVALID_TYPE", f"sObject type {described.name} is not replicable")
    return described.name


def _span(call: Call) -> tuple[datetime, datetime]:
    """Start and end in whole minutes, as Salesforce takes them."""
    try:
        start, end = (
            datetime.fromisoformat(call.request.query[key].replace(" ", "+")).replace(second=0, microsecond=0)
            for key in ("start", "end")
        )
        if start >= end:
            raise SalesforceError(400, "INVALID_REPLICATION_DATE", "startDate must be before endDate")
        if call.clock.now - start > REMEMBERED:
            raise SalesforceError(400, "INVALID_REPLICATION_DATE", "startDate cannot be more than 30 days ago")
    except KeyError as exc:
        raise SalesforceError(400, "MISSING_ARGUMENT", f"Missing required parameter: {exc.args[0]}") from exc
    except (ValueError, TypeError) as exc:
        raise SalesforceError(400, "INVALID_REPLICATION_DATE", "start and end need a date, a time and a zone") from exc
    return start, end


def record_count(call: Call) -> Response:
    """/limits/recordCount: objects without records are left out, as Salesforce does."""
    wanted = [name for name in call.request.query.get("sObjects", "").split(",") if name]
    counts = []
    for name in wanted or list(call.org.schema.objects):
        described = call.org.schema.object(name)
        if described and (rows := call.org.rows(described.name, include_deleted=False)):
            counts.append({"count": len(rows), "name": described.name})
    return json_response({"sObjects": counts})


ROUTES: list[Route] = [
    ("GET", "", resources),
    ("GET", "/query", query),
    ("GET", "/queryAll", query_all),
    ("GET", "/query/{locator}", more),
    ("GET", "/queryAll/{locator}", more),
    ("GET", "/limits/recordCount", record_count),
    ("GET", "/sobjects", describe_global),
    ("GET", "/sobjects/{name}", basic),
    ("GET", "/sobjects/{name}/describe", describe),
    ("GET", "/sobjects/{name}/updated", updated),
    ("GET", "/sobjects/{name}/deleted", deleted),
    ("GET", "/sobjects/{name}/{record_id}", record),
    ("GET", "/sobjects/{name}/{field}/{value}", record_by_key),
    ("GET", "/composite/sobjects/{name}", retrieve),
    ("POST", "/composite/sobjects/{name}", retrieve),
]
