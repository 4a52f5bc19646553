# /// script
# requires-python = ">=3.11"
# dependencies = ["integrator-drivers[hubspot,salesforce]"]
#
# [tool.uv.sources]
# integrator-drivers = { path = "wheels/integrator_drivers-0.1.0-py3-none-any.whl" }
# ///
"""Leads of the last 30 days, Salesforce -> HubSpot (contacts).

Reads leads created in the last 30 days that have an e-mail address; adds new contacts and updates known ones (same
e-mail address, in whatever letters); never deletes.
"""

from hubspot_driver import HubSpotClient
from integrator_drivers import Source, Target, days_ago, run, sync
from salesforce_driver import SalesforceClient

SCHEDULE = None


def main() -> None:
    with SalesforceClient() as salesforce, HubSpotClient() as hubspot:
        sync(
            source=Source(
                salesforce,
                "Lead",
                {"Email": "email", "FirstName": "firstname", "LastName": "lastname", "Company": "company"},
                where=[("CreatedDate", ">=", days_ago(30)), ("Email", "not null", None)],
            ),
            target=Target(hubspot, "contacts"),
            key="email",
        )


if __name__ == "__main__":
    run(main, SCHEDULE)
