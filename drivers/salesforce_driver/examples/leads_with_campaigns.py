# /// script
# requires-python = ">=3.11"
# dependencies = ["integrator-drivers[salesforce]"]
#
# [tool.uv.sources]
# integrator-drivers = { path = "wheels/integrator_drivers-0.1.0-py3-none-any.whl" }
# ///
"""Leads of the last 30 days with their campaigns, Salesforce -> leads.csv and leads.json.

One row per lead and campaign; a lead without a campaign is kept, with empty campaign columns. Writes nothing to
Salesforce.
"""

from integrator_drivers import days_ago, join, run, show
from salesforce_driver import SalesforceClient

SCHEDULE = None


def main() -> None:
    with SalesforceClient() as salesforce:
        leads = salesforce.read(
            "Lead",
            fields=["Id", "Name", "Email", "LeadSource", "CreatedDate"],
            where=[("CreatedDate", ">=", days_ago(30))],
        )
        members = salesforce.read(
            "CampaignMember",
            fields=["LeadId", "Campaign.Name", "Campaign.Type", "Status", "HasResponded"],
            where=[("LeadId", "not null", None), ("Lead.CreatedDate", ">=", days_ago(30))],
        )
        rows = join(leads, members, left_key="Id", right_key="LeadId", keep="left")
        rows.to_csv("leads.csv")
        rows.to_json("leads.json")
        show(rows, name="leads")


if __name__ == "__main__":
    run(main, SCHEDULE)
