"""What the practice database holds: roles, a small shop, and leads that are known and out of date."""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql

from . import seeds
from .postgres import PostgresServer

__all__ = ["DATABASE", "add_probe", "fill"]

DATABASE = "demo"
LEADS = 1_240  # leads of the practice CRM with the same seed
_KNOWN_LEADS = 32

_SCHEMA = """
CREATE TABLE customers (
    customer_id integer PRIMARY KEY,
    name text NOT NULL,
    email text,
    phone varchar(30),
    company text,
    city text,
    country varchar(60),
    marketing_consent boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
COMMENT ON TABLE customers IS 'People who have ordered at least once';
COMMENT ON COLUMN customers.email IS 'E-mail address; not unique';
CREATE TABLE products (
    product_id integer PRIMARY KEY,
    sku varchar(12) NOT NULL UNIQUE,
    name text NOT NULL,
    category text NOT NULL,
    price numeric(10,2) NOT NULL CHECK (price >= 0),
    attributes jsonb,
    discontinued_on date
);
COMMENT ON TABLE products IS 'What can be ordered';
COMMENT ON COLUMN products.price IS 'Net price in EUR';
CREATE TYPE order_status AS ENUM ('new', 'paid', 'shipped', 'cancelled');
CREATE TABLE orders (
    order_id bigint PRIMARY KEY,
    customer_id integer NOT NULL REFERENCES customers,
    status order_status NOT NULL,
    ordered_at timestamptz NOT NULL,
    shipped_on date,
    total numeric(12,2) NOT NULL,
    note text
);
COMMENT ON TABLE orders IS 'One row per order';
CREATE INDEX ON orders (ordered_at);
CREATE TABLE order_items (
    order_id bigint NOT NULL REFERENCES orders,
    line smallint NOT NULL,
    product_id integer NOT NULL REFERENCES products,
    quantity integer NOT NULL CHECK (quantity > 0),
    unit_price numeric(10,2) NOT NULL,
    PRIMARY KEY (order_id, line)
);
COMMENT ON TABLE order_items IS 'What was ordered, line by line';
CREATE VIEW monthly_revenue AS
    SELECT date_trunc('month', ordered_at)::date AS month, count(*) AS orders, sum(total) AS revenue
      FROM orders WHERE status <> 'cancelled' GROUP BY 1;
COMMENT ON VIEW monthly_revenue IS 'Orders and revenue per month, without cancelled ones';
"""

_LEADS = """
CREATE TABLE leads (
    salesforce_id varchar(18) PRIMARY KEY,
    name varchar(100) NOT NULL,
    email varchar(255),
    lead_source text
);
COMMENT ON TABLE leads IS 'Leads from the CRM, by their Salesforce id';
"""


def fill(server: PostgresServer, seed: int, rows: int | None, now: datetime | None = None) -> dict[str, str]:
    """Make database, roles and tables. Gives the variables a client needs. `rows` = orders (default 2,000)."""
    now = (now or datetime.now(UTC)).replace(microsecond=0)
    passwords = {role: f"practice-{secrets.token_hex(8)}" for role in ("integrator", "reader", "owner")}
    with psycopg.connect(**server.admin, autocommit=True) as connection:
        for role, password in passwords.items():
            connection.execute(
                sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), sql.Literal(password))
            )
        connection.execute(f"CREATE DATABASE {DATABASE} OWNER owner TEMPLATE template0")
    with psycopg.connect(**{**server.admin, "dbname": DATABASE}) as connection:
        _rights(connection)
        connection.execute("SET ROLE owner")
        connection.execute(_SCHEMA)
        _shop(connection, seed, 2_000 if rows is None else rows, now)
        connection.execute("SET ROLE integrator")
        connection.execute(_LEADS)
        _copy(connection, "leads", _known_leads(seed, now))
        connection.execute("RESET ROLE")
        connection.execute("GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO integrator")
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    with psycopg.connect(**{**server.admin, "dbname": DATABASE}, autocommit=True) as connection:
        connection.execute("ANALYZE")
    return {
        "PGHOST": "127.0.0.1",
        "PGPORT": str(server.port),
        "PGDATABASE": DATABASE,
        "PGUSER": "integrator",
        "PGPASSWORD": passwords["integrator"],
        "PG_READ_USER": "reader",
        "PG_READ_PASSWORD": passwords["reader"],
    }


def add_probe(server: PostgresServer) -> dict[str, str]:
    """A login that may ask for the server's nonce and see no table: the one login that is written to disk."""
    password = secrets.token_hex(16)
    with psycopg.connect(**server.admin, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE probe LOGIN PASSWORD {}").format(sql.Literal(password)))
    return {"user": "probe", "password": password, "dbname": "postgres"}


def _rights(connection: psycopg.Connection[Any]) -> None:
    """integrator adds and changes, also in tables it makes, and never deletes; reader looks."""
    connection.execute(
        f"""
        REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC;
        GRANT CONNECT ON DATABASE {DATABASE} TO reader;
        GRANT CONNECT, TEMPORARY ON DATABASE {DATABASE} TO integrator;
        ALTER SCHEMA public OWNER TO owner;
        GRANT USAGE ON SCHEMA public TO reader;
        GRANT USAGE, CREATE ON SCHEMA public TO integrator;
        ALTER DEFAULT PRIVILEGES FOR ROLE integrator REVOKE DELETE, TRUNCATE ON TABLES FROM integrator;
        ALTER DEFAULT PRIVILEGES FOR ROLE integrator GRANT SELECT ON TABLES TO reader;
        ALTER DEFAULT PRIVILEGES FOR ROLE owner GRANT SELECT, INSERT, UPDATE ON TABLES TO integrator;
        ALTER DEFAULT PRIVILEGES FOR ROLE owner GRANT SELECT ON TABLES TO reader;
        ALTER ROLE reader SET default_transaction_read_only = on;
        REVOKE EXECUTE ON FUNCTION lo_create(oid), lo_creat(integer), lo_from_bytea(oid, bytea), lo_unlink(oid),
            lo_put(oid, bigint, bytea), lo_open(oid, integer), lowrite(integer, bytea) FROM PUBLIC
        """
    )


def _shop(connection: psycopg.Connection[Any], seed: int, orders: int, now: datetime) -> None:
    customers = max(1, orders // 4)
    _copy(connection, "customers", (_customer(seed, n, now) for n in range(customers)))
    products = [_product(seed, n, now) for n in range(60)]
    _copy(connection, "products", products)
    headers, lines = [], []
    for n in range(orders):
        header, items = _order(seed, n, customers, products, now)
        headers.append(header)
        lines += items
    _copy(connection, "orders", headers)
    _copy(connection, "order_items", lines)


def _customer(seed: int, n: int, now: datetime) -> tuple[Any, ...]:
    who, firm = seeds.person(seed, 7 * n + 3), seeds.company(seed, 7 * n + 3)
    rng = random.Random(f"{seed}:customer:{n}")
    created = now - timedelta(seconds=rng.randrange(800 * 86_400))
    name = " ".join(part for part in (who["first_name"], who["last_name"]) if part)
    changed = created + (now - created) * rng.choice((0.0, 0.0, 0.7))
    return (
        n + 1,
        name,
        who["email"],
        who["phone"],
        firm["name"] if n % 3 else None,
        who["city"],
        who["country"],
        rng.random() < 0.4,
        created,
        changed.replace(microsecond=0),
    )


def _product(seed: int, n: int, now: datetime) -> tuple[Any, ...]:
    rng = random.Random(f"{seed}:product:{n}")
    category = rng.choice(("Furniture", "Lighting", "Office", "Garden"))
    noun = {"Furniture": "Shelf", "Lighting": "Lamp", "Office": 'Desk Pad 12"', "Garden": "Café Table"}[category]
    colour = rng.choice(("Ash", "Birch", "Cobalt", "Dune", "Ember"))
    attributes = _json({"colour": colour, "weight_kg": rng.randrange(1, 400) / 10}) if n % 5 else None
    gone = (now - timedelta(days=rng.randrange(400))).date() if n % 11 == 10 else None
    return (n + 1, f"SKU-{n + 1:05}", f"{noun} {colour}", category, rng.randrange(100, 90_000) / 100, attributes, gone)


def _order(
    seed: int, n: int, customers: int, products: list[tuple[Any, ...]], now: datetime
) -> tuple[tuple[Any, ...], list[tuple[Any, ...]]]:
    rng = random.Random(f"{seed}:order:{n}")
    at = now - timedelta(seconds=rng.randrange(730 * 86_400))
    items, cents = [], 0
    for line in range(1, rng.choice((1, 1, 2, 3)) + 1):
        product, quantity = rng.choice(products), rng.choice((1, 1, 2, 10))
        price = round(product[4] * 100)
        cents += price * quantity
        items.append((n + 1, line, product[0], quantity, f"{price / 100:.2f}"))
    status = rng.choice(("new", "paid", "shipped", "shipped", "shipped", "cancelled"))
    shipped = min(at + timedelta(days=rng.randrange(1, 9)), now).date() if status == "shipped" else None
    note = rng.choice(
        (None, None, None, "", 'Say "hello"; ring twice', "Zażółć gęślą jaźń \N{WRAPPED PRESENT}", "a,b\tc\nd")
    )
    return (n + 1, rng.randrange(customers) + 1, status, at, shipped, f"{cents / 100:.2f}", note), items


def _known_leads(seed: int, now: datetime) -> Iterable[tuple[Any, ...]]:
    """Leads that the CRM has changed since: another address, another source, a name in capitals."""
    for place, n in enumerate(seeds.known_leads(seed, now, LEADS, _KNOWN_LEADS)):
        lead = seeds.lead(seed, n, now)
        name, email, source = lead["Name"][:100], lead["Email"], lead["LeadSource"]
        if place % 3 == 0:
            email = f"old{n}@old.example"
        elif place % 3 == 1:
            source = "Other" if source != "Other" else "Web"
        else:
            name = f"{name} (old)"
        yield lead["Id"], name, email, source


def _json(value: Any) -> Any:
    from psycopg.types.json import Jsonb

    return Jsonb(value)


def _copy(connection: psycopg.Connection[Any], table: str, rows: Iterable[tuple[Any, ...]]) -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table))) as copy,
    ):
        for row in rows:
            copy.write_row(row)
