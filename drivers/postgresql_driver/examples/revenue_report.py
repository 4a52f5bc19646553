# /// script
# requires-python = ">=3.11"
# dependencies = ["integrator-drivers[postgresql]"]
#
# [tool.uv.sources]
# integrator-drivers = { path = "wheels/integrator_drivers-0.1.0-py3-none-any.whl" }
# ///
"""Revenue per month and country, PostgreSQL (public.orders, public.customers) -> revenue.csv.

Cancelled orders are left out. One query in PostgreSQL's own language; writes nothing to the database.
"""

from integrator_drivers import run, show, start_of
from postgresql_driver import PostgresClient

SCHEDULE = None

REVENUE = """
    SELECT date_trunc('month', o.ordered_at)::date AS month, c.country, count(*) AS orders, sum(o.total) AS revenue
      FROM orders AS o JOIN customers AS c USING (customer_id)
     WHERE o.status <> 'cancelled' AND o.ordered_at >= %(since)s
     GROUP BY 1, 2
     ORDER BY 1, 2
"""


def main() -> None:
    with PostgresClient() as postgresql:
        revenue = postgresql.query(REVENUE, {"since": start_of("year")})
        revenue.to_csv("revenue.csv")
        show(revenue, name="revenue")


if __name__ == "__main__":
    run(main, SCHEDULE)
