# /// script
# requires-python = ">=3.11"
# dependencies = ["integrator-drivers[postgresql]"]
#
# [tool.uv.sources]
# integrator-drivers = { path = "wheels/integrator_drivers-0.1.0-py3-none-any.whl" }
# ///
"""Orders, PostgreSQL (public.orders) -> PostgreSQL (public.orders_archive).

Makes the table when it is not there; adds new orders and updates known ones (same order_id); never deletes.
"""

from integrator_drivers import Source, Target, run, sync
from postgresql_driver import PostgresClient

SCHEDULE = None


def main() -> None:
    with PostgresClient() as postgresql:
        sync(
            source=Source(
                postgresql,
                "public.orders",
                ["order_id", "customer_id", "status", "ordered_at", "total"],
                where=[("status", "!=", "cancelled")],
            ),
            target=Target(postgresql, "public.orders_archive"),
            key="order_id",
        )


if __name__ == "__main__":
    run(main, SCHEDULE)
