"""The entry point of the driver. Everything under `src` is private."""

from .src.access import authorize
from .src.client import HubSpotClient
from .src.settings import API_VERSION

__all__ = ["API_VERSION", "HubSpotClient", "authorize"]
