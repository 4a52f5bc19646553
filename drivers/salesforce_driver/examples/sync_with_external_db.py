# /// script
# requires-python = ">=3.11"
# dependencies = ["integrator-drivers[postgresql,salesforce]"]
#
# [tool.uv.sources]
# integrator-drivers = { path = "wheels/integrator_drivers-0.1.0-py3-none-any.whl" }
# ///
"""Leads of the last 30 days, Salesforce -> PostgreSQL (public.leads).

Reads leads created in the last 30 days; adds new ones and updates known ones (same Salesforce id); never deletes.
"""

from integrator_drivers import Source, Target, days_ago, run, sync
from postgresql_driver import PostgresClient
from salesforce_driver import SalesforceClient

SCHEDULE = None


def main() -> None:
    with SalesforceClient() as salesforce, PostgresClient() as postgresql:
        sync(
            source=Source(
                salesforce,
                "Lead",
                {"Id": "salesforce_id", "Name": "name", "Email": "email", "LeadSource": "lead_source"},
                where=[("CreatedDate", ">=", days_ago(30))],
            ),
            target=Target(postgresql, "public.leads"),
            key="salesforce_id",
        )


if __name__ == "__main__":
    run(main, SCHEDULE)
