"""The entry point of the driver. Everything under `src` is private."""

from .src.client import SalesforceClient
from .src.login import authorize
from .src.settings import API_VERSION

__all__ = ["API_VERSION", "SalesforceClient", "authorize"]
