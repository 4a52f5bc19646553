# /// script
# requires-python = ">=3.11"
# dependencies = ["integrator-drivers[salesforce]"]
#
# [tool.uv.sources]
# integrator-drivers = { path = "wheels/integrator_drivers-0.1.0-py3-none-any.whl" }
# ///
"""A renewal opportunity for each of three customers, into Salesforce (Opportunity).

Adds an opportunity where there is none with that name, and updates the one that is there; never deletes.
"""

from datetime import timedelta

from integrator_drivers import now, run
from salesforce_driver import SalesforceClient

SCHEDULE = None


def main() -> None:
    with SalesforceClient() as salesforce:
        accounts = salesforce.read(
            "Account",
            fields=["Id", "Name"],
            where=[("Name", "not null", None)],
            limit=3,
        )
        renewals = [
            {
                "Name": f"Renewal - {account['Name']}"[:120],
                "AccountId": account["Id"],
                "StageName": "Prospecting",
                "CloseDate": (now() + timedelta(days=90)).date(),
            }
            for account in accounts.rows()
        ]
        salesforce.upsert("Opportunity", renewals, key="Name")


if __name__ == "__main__":
    run(main, SCHEDULE)
