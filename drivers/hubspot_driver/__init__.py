"""HubSpot: read, look up and write CRM records; HubSpot's errors become the errors of `integrator_drivers`."""

from .main import API_VERSION, HubSpotClient, authorize

__all__ = ["API_VERSION", "HubSpotClient", "authorize"]
