"""Make schema.json from the definitions beside this: `python -m hubspot_driver.practice.standard_schema`.

HubSpot's standard properties, written from its public documentation; properties of an account's own are left out.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hubspot_driver.src.fields import fields_of
from hubspot_driver.src.tables import TABLES

from .definitions import LABELS, PURPOSES, properties

__all__ = ["main", "schema"]


def schema() -> dict[str, dict[str, Any]]:
    """{object: {label, purpose, source, fields}}"""
    found: dict[str, dict[str, Any]] = {}
    for name, label in LABELS.items():
        fields = fields_of(properties(name, of_the_account=False), name)
        found[name] = {"label": label, "purpose": PURPOSES[name], "source": "written", "fields": dict(fields)}
    for name, table in TABLES.items():
        fields = table.fields()
        found[name] = {"label": table.label, "purpose": table.purpose, "source": "written", "fields": dict(fields)}
    return found


def main() -> None:
    """Write schema.json beside driver.toml, one field a line."""
    lines = []
    for name, described in schema().items():
        fields = ",\n".join(
            f"      {json.dumps(field)}: {json.dumps(facts, ensure_ascii=False)}"
            for field, facts in described.pop("fields").items()
        )
        head = json.dumps(described, ensure_ascii=False)[1:-1]
        lines.append(f'    {json.dumps(name)}: {{{head}, "fields": {{\n{fields}\n    }}}}')
    text = '{\n  "objects": {\n' + ",\n".join(lines) + "\n  }\n}\n"
    (Path(__file__).parent.parent / "schema.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
