# /// script
# requires-python = ">=3.11"
# dependencies = ["integrator-drivers[postgresql]"]
#
# [tool.uv.sources]
# integrator-drivers = { path = "wheels/integrator_drivers-0.1.0-py3-none-any.whl" }
# ///
"""Orders of the last 30 days that are not shipped yet, from PostgreSQL (public.orders).

Shows them with the name of the customer. Writes nothing.
"""

from integrator_drivers import days_ago, join, run, show
from postgresql_driver import PostgresClient

SCHEDULE = None


def main() -> None:
    with PostgresClient() as postgresql:
        orders = postgresql.read(
            "public.orders",
            fields=["order_id", "customer_id", "status", "ordered_at", "total"],
            where=[("ordered_at", ">=", days_ago(30)), ("status", "in", ["new", "paid"])],
        )
        customers = postgresql.read("public.customers", fields=["customer_id", "name", "country"])
        show(
            join(orders, customers, left_key="customer_id", right_key="customer_id", prefix="customer_"), name="orders"
        )


if __name__ == "__main__":
    run(main, SCHEDULE)
