# /// script
# requires-python = ">=3.11"
# dependencies = ["integrator-drivers[hubspot]"]
#
# [tool.uv.sources]
# integrator-drivers = { path = "wheels/integrator_drivers-0.1.0-py3-none-any.whl" }
# ///
"""Open deals with their company and stage, HubSpot -> deals.csv.

One row per deal; a deal without a company is kept, with empty company columns. Writes nothing to HubSpot.
"""

from hubspot_driver import HubSpotClient
from integrator_drivers import join, run, show

SCHEDULE = None


def main() -> None:
    with HubSpotClient() as hubspot:
        deals = hubspot.read(
            "deals",
            fields=["id", "dealname", "amount", "dealstage", "closedate", "hs_primary_associated_company"],
            where=[("hs_is_closed", "=", False)],
        )
        companies = hubspot.read("companies", fields=["id", "name", "domain", "industry"])
        stages = hubspot.read("pipeline_stages", fields=["id", "label", "probability"])
        rows = join(deals, companies, left_key="hs_primary_associated_company", right_key="id", prefix="company_")
        rows = join(rows, stages, left_key="dealstage", right_key="id", prefix="stage_")
        rows.to_csv("deals.csv")
        show(rows, name="deals")


if __name__ == "__main__":
    run(main, SCHEDULE)
