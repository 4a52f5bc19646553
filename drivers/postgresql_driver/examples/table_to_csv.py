# /// script
# requires-python = ">=3.11"
# dependencies = ["integrator-drivers[postgresql]"]
#
# [tool.uv.sources]
# integrator-drivers = { path = "wheels/integrator_drivers-0.1.0-py3-none-any.whl" }
# ///
"""Customers from PostgreSQL (public.customers) -> customers.csv and customers.jsonl.

All customers, with the columns that a mailing needs. Writes nothing to the database.
"""

from integrator_drivers import run, show
from postgresql_driver import PostgresClient

SCHEDULE = None


def main() -> None:
    with PostgresClient() as postgresql:
        customers = postgresql.read(
            "public.customers",
            fields=["customer_id", "name", "email", "country", "created_at"],
            where=[("email", "not null", None), ("marketing_consent", "=", True)],
        )
        customers.to_csv("customers.csv")
        customers.to_jsonl("customers.jsonl")
        show(customers, name="customers")


if __name__ == "__main__":
    run(main, SCHEDULE)
