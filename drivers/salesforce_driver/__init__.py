"""Salesforce: read, look up and write records; Salesforce errors become the errors of `integrator_drivers`."""

from .main import API_VERSION, SalesforceClient, authorize

__all__ = ["API_VERSION", "SalesforceClient", "authorize"]
