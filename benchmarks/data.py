"""The rows that every contender moves, and the checksum that shows that it did. Standard library only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

# Field at the source -> (column, its type, the source's name for its type).
FIELDS = {
    "Id": ("id", "text", "id"),
    "Name": ("name", "text", "string"),
    "Email": ("email", "text", "email"),
    "Company": ("company", "text", "string"),
    "City": ("city", "text", "string"),
    "LeadSource": ("lead_source", "text", "string"),
    "AnnualRevenue": ("annual_revenue", "numeric", "currency"),
    "IsConverted": ("is_converted", "boolean", "boolean"),
    "CreatedDate": ("created_date", "timestamptz", "datetime"),
    "SystemModstamp": ("system_modstamp", "timestamptz", "datetime"),
}
COLUMNS = {field: column for field, (column, _, _) in FIELDS.items()}
DDL = ", ".join(f"{column} {kind}" for column, kind, _ in FIELDS.values()) + ", PRIMARY KEY (id)"
START = datetime(2025, 1, 1, tzinfo=UTC)

# Each column in one form, whatever type a contender chose for it; a row as 64 bits, the rows' sum.
CHECKSUM = """
SELECT count(*), coalesce(sum(hashtextextended(concat_ws('|', id, name, coalesce(email, '-'), company,
       coalesce(city, '-'), coalesce(lead_source, '-'), coalesce(round(annual_revenue::numeric, 2)::text, '-'),
       is_converted, extract(epoch FROM created_date)::bigint, extract(epoch FROM system_modstamp)::bigint), 0)), 0)
  FROM {table} WHERE id <> 'another'
"""


def row(number: int) -> list[Any]:
    """Ten values in the order of FIELDS; some are missing, some not ASCII."""
    created = START + timedelta(seconds=number * 7)
    return [
        f"00Q{number:015d}",
        f"Jana Nováková {number}",
        f"person{number}@customer.example" if number % 7 else None,
        f"Company {number % 1000}, Inc.",
        "Brno" if number % 3 else None,
        ("Web", "Trade Show", "Phone Inquiry")[number % 3],
        None if number % 5 == 0 else number % 100_000 + 0.5,
        number % 2 == 0,
        moment(created),
        moment(created + timedelta(hours=number % 999)),
    ]


def moment(value: datetime) -> str:
    """As Salesforce writes it."""
    return f"{value:%Y-%m-%dT%H:%M:%S}.000+0000"


def csv_line(values: list[Any]) -> str:
    """As a Bulk result has it: everything in quotes."""
    texts = ("" if v is None else str(v).lower() if isinstance(v, bool) else str(v) for v in values)
    return ",".join('"' + text.replace('"', '""') + '"' for text in texts) + "\n"
