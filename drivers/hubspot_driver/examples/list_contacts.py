# /// script
# requires-python = ">=3.11"
# dependencies = ["integrator-drivers[hubspot]"]
#
# [tool.uv.sources]
# integrator-drivers = { path = "wheels/integrator_drivers-0.1.0-py3-none-any.whl" }
# ///
"""Contacts of the last 30 days, HubSpot -> contacts.csv.

Reads contacts created in the last 30 days, shows the first of them and writes all to a file. Writes nothing to HubSpot.
"""

from hubspot_driver import HubSpotClient
from integrator_drivers import days_ago, run, show

SCHEDULE = None


def main() -> None:
    with HubSpotClient() as hubspot:
        contacts = hubspot.read(
            "contacts",
            fields=["id", "firstname", "lastname", "email", "company", "lifecyclestage", "createdate"],
            where=[("createdate", ">=", days_ago(30))],
        )
        contacts.to_csv("contacts.csv")
        show(contacts, name="contacts")


if __name__ == "__main__":
    run(main, SCHEDULE)
