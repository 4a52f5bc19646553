"""The vendor's description of its API (rebuilt from its SDK, Apache-2.0), as a check of requests and answers."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator

FOLDER = Path(__file__).parents[4] / "shared" / "specs" / "hubspot"


class Description:
    """Operations by today's path, and the schemas of their bodies."""

    def __init__(self, folder: Path = FOLDER) -> None:
        mapped = json.loads((folder / "path_map_v3_to_2026-09.json").read_text())["map"]
        self.today = {old: new for old, new in mapped.items() if new}
        self.operations: dict[tuple[str, str], tuple[dict[str, Any], dict[str, Any]]] = {}
        for path in sorted(folder.glob("crm_*.json.gz")):
            document = json.loads(gzip.decompress(path.read_bytes()))
            _mended(document)
            for old, methods in document["paths"].items():
                for method, operation in methods.items():
                    key = (method.upper(), self.today.get(old, old))
                    self.operations.setdefault(key, (operation, document))
        routes = json.loads(gzip.decompress((folder / "routes_2026-03.from-hubspot-sdk-0.1.0a9.json.gz").read_bytes()))
        self.routes = {(route["method"], route["path"].replace("2026-03", "2026-09")) for route in routes["routes"]}

    def problems(self, method: str, path: str, query: set[str], sent: Any, status: int, answered: Any) -> Iterator[str]:
        """What of one exchange is not as described."""
        found = self._operation(method, path)
        if found is None:
            if not any(known == method and _fits(pattern, path) for known, pattern in self.routes):
                yield f"{method} {path} is not described at all"
            return
        operation, document = found
        known = {entry["name"] for entry in operation.get("parameters", ())}
        if unknown := query - known:
            yield f"{method} {path} has no parameter {sorted(unknown)}"
        if sent is not None:
            yield from _body(operation.get("requestBody"), document, sent, f"{method} {path} sends")
        if status < 400:
            response = operation["responses"].get(str(status))
            if response is None:
                yield f"{method} {path} is not described to answer {status}"
            else:
                yield from _body(response, document, answered, f"{method} {path} answers")

    def _operation(self, method: str, path: str) -> tuple[dict[str, Any], dict[str, Any]] | None:
        fitting = [key for key in self.operations if key[0] == method and _fits(key[1], path)]
        if not fitting:
            return None
        return self.operations[min(fitting, key=lambda key: key[1].count("{"))]


def _fits(pattern: str, path: str) -> bool:
    parts = re.split(r"\{\w+\}", pattern.rstrip("/"))
    return re.fullmatch("[^/]+".join(map(re.escape, parts)), path.rstrip("/")) is not None


def _body(described: Any, document: dict[str, Any], body: Any, where: str) -> Iterator[str]:
    schema = (described or {}).get("content", {}).get("application/json", {}).get("schema")
    if schema is None:
        yield f"{where} a body where none is described"
        return
    whole = {**schema, "components": document["components"]}
    for error in Draft7Validator(whole).iter_errors(body):
        yield f"{where} {'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"


def _mended(document: dict[str, Any]) -> None:
    """Where the SDK's types are narrower than what HubSpot says in words: values are null where there are none, and a
    sort is an object. Members that are not described are refused."""
    schemas = document["components"]["schemas"]
    for name, schema in schemas.items():
        if schema.get("type") == "object" and "properties" in schema:
            schema.setdefault("additionalProperties", False)
        properties = schema.get("properties", {}).get("properties")
        if properties and properties.get("additionalProperties") == {"type": "string"}:
            nullable = name.startswith(("SimplePublicObject", "SimplePublicUpsert")) and "Input" not in name
            properties["additionalProperties"] = {"type": ["string", "null"] if nullable else "string"}
        if name == "PublicObjectSearchRequest":
            schema["properties"]["sorts"]["items"] = {
                "type": "object",
                "required": ["propertyName"],
                "properties": {"propertyName": {"type": "string"}, "direction": {"enum": ["ASCENDING", "DESCENDING"]}},
                "additionalProperties": False,
            }
