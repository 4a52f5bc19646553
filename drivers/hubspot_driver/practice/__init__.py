"""The practice HubSpot: a local server that speaks HubSpot's API over seeded records."""

from __future__ import annotations

from integrator_practice.server import HttpServed

__all__ = ["serve"]


def serve(port: int = 0, seed: int = 1, rows: int | None = None, tls: bool = False, nonce: str = "") -> HttpServed:
    """Bind a practice account to 127.0.0.1; `rows` are the leads of the practice Salesforce of the same seed.

    Every second of them is a contact here (default: of 1,240). Raises OSError when the port is taken.
    """
    from integrator_practice.server import serve_app

    from .app import HubSpotApp
    from .seeded import seeded_account

    token = f"practice-hubspot-token-{seed}"
    served = serve_app(HubSpotApp(seeded_account(seed, rows), token), port, nonce, tls, names=("api.hubapi.com",))
    served.env = {"HUBSPOT_BASE_URL": served.base_url, "HUBSPOT_ACCESS_TOKEN": token}
    if served.ca_file:
        served.env |= {"SSL_CERT_FILE": served.ca_file, "REQUESTS_CA_BUNDLE": served.ca_file}
    return served
