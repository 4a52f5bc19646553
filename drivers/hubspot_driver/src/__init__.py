"""Private parts of the HubSpot driver; scripts import `hubspot_driver`."""
