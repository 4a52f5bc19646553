# /// script
# requires-python = ">=3.11"
# dependencies = ["integrator-drivers[hubspot,postgresql]"]
#
# [tool.uv.sources]
# integrator-drivers = { path = "wheels/integrator_drivers-0.1.0-py3-none-any.whl" }
# ///
"""Contacts, HubSpot -> PostgreSQL (public.contacts).

Reads all contacts; adds new ones and updates known ones (same HubSpot id); never deletes.
"""

from hubspot_driver import HubSpotClient
from integrator_drivers import Source, Target, run, sync
from postgresql_driver import PostgresClient

SCHEDULE = None


def main() -> None:
    with HubSpotClient() as hubspot, PostgresClient() as postgresql:
        sync(
            source=Source(
                hubspot,
                "contacts",
                {
                    "id": "hubspot_id",
                    "email": "email",
                    "firstname": "first_name",
                    "lastname": "last_name",
                    "lifecyclestage": "lifecycle_stage",
                    "lastmodifieddate": "modified_at",
                },
            ),
            target=Target(postgresql, "public.contacts"),
            key="hubspot_id",
        )


if __name__ == "__main__":
    run(main, SCHEDULE)
