# /// script
# requires-python = ">=3.11"
# dependencies = ["integrator-drivers[salesforce]"]
#
# [tool.uv.sources]
# integrator-drivers = { path = "wheels/integrator_drivers-0.1.0-py3-none-any.whl" }
# ///
"""Leads of the last 30 days, Salesforce -> leads.csv.

Reads leads created in the last 30 days, shows the first of them and writes all to a file. Writes nothing to Salesforce.
"""

from integrator_drivers import days_ago, run, show
from salesforce_driver import SalesforceClient

SCHEDULE = None


def main() -> None:
    with SalesforceClient() as salesforce:
        leads = salesforce.read(
            "Lead",
            fields=["Id", "Name", "Email", "Company", "LeadSource", "Status", "Owner.Name", "CreatedDate"],
            where=[("CreatedDate", ">=", days_ago(30))],
        )
        leads.to_csv("leads.csv")
        show(leads, name="leads")


if __name__ == "__main__":
    run(main, SCHEDULE)
