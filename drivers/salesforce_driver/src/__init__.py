"""Private parts of the Salesforce driver, reached only through `salesforce_driver`."""
