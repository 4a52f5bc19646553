"""The practice Salesforce: a local server that speaks Salesforce's API over seeded records."""

from __future__ import annotations

from integrator_practice.server import HttpServed

__all__ = ["serve"]


def serve(port: int = 0, seed: int = 1, rows: int | None = None, tls: bool = False, nonce: str = "") -> HttpServed:
    """Bind a practice org of `rows` leads (default 1,240) to 127.0.0.1. Raises OSError when the port is taken."""
    from integrator_practice.server import serve_app

    from .app import SalesforceApp
    from .auth import Accounts
    from .seeded import seeded_org

    accounts = Accounts(seed)
    app = SalesforceApp(seeded_org(seed, rows), accounts)
    served = serve_app(app, port, nonce, tls, names=("*.salesforce.com", "*.my.salesforce.com"))
    app.base_url = served.base_url
    served.env = {
        "SALESFORCE_BASE_URL": served.base_url,
        "SALESFORCE_DOMAIN": "integrator-practice",
        "SALESFORCE_CLIENT_ID": accounts.client_id,
        "SALESFORCE_CLIENT_SECRET": accounts.client_secret,
    }
    if served.ca_file:
        served.env |= {"SSL_CERT_FILE": served.ca_file, "REQUESTS_CA_BUNDLE": served.ca_file}
    return served
