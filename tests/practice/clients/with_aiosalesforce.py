"""aiosalesforce as it comes; the way to its address leads through HTTPS_PROXY. Prints JSON of what it saw."""

import asyncio
import json
import os
import ssl
import sys

import httpx
from aiosalesforce import Salesforce
from aiosalesforce.auth import ClientCredentialsFlow, JwtBearerFlow, SoapLogin
from aiosalesforce.exceptions import SalesforceError

GIVEN = json.loads(sys.argv[1])
BASE = "https://acme.my.salesforce.com"


async def main() -> dict:
    seen = {}
    context = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])
    async with httpx.AsyncClient(verify=context) as http:
        for name, auth in {
            "soap": SoapLogin(GIVEN["username"], GIVEN["password"], GIVEN["security_token"]),
            "jwt": JwtBearerFlow(GIVEN["id"], GIVEN["username"], GIVEN["key_file"]),
            "client": ClientCredentialsFlow(GIVEN["id"], GIVEN["secret"]),
        }.items():
            salesforce = Salesforce(http, BASE, auth, version="60.0")
            seen[name] = len([row async for row in salesforce.query("SELECT Id FROM Lead")])
        seen["all"] = len([row async for row in salesforce.query("SELECT Id FROM Lead", include_all_records=True)])
        seen["limits"] = "DailyApiRequests" in await salesforce.get_limits()

        made = await salesforce.sobject.create("Lead", {"LastName": "A", "Company": "Aio"})
        await salesforce.sobject.update("Lead", made, {"Title": "Boss"})
        seen["title"] = (await salesforce.sobject.get("Lead", made, fields=["Title"]))["Title"]
        upserted = await salesforce.sobject.upsert(
            "Lead", "aio-1", "External_Id__c", {"LastName": "B", "Company": "Aio"}
        )
        seen["created"] = upserted.created
        await salesforce.sobject.delete("Lead", "aio-1", "External_Id__c")
        try:
            await salesforce.sobject.get("Lead", upserted.id)
        except SalesforceError as exc:
            seen["gone"] = type(exc).__name__
        try:
            await salesforce.sobject.create("Lead", {"LastName": "No company"})
        except SalesforceError as exc:
            seen["required"] = exc.error_code

        async with salesforce.composite.batch() as batch:
            query = batch.query("SELECT Id FROM Lead LIMIT 2")
            wrong = batch.sobject.create("Lead", {"LastName": "No company"})
        seen["batch"] = [len(query.records), wrong.status_code]
        async with salesforce.composite(all_or_none=True) as composite:
            account = composite.sobject.create("Account", {"Name": "Aio"})
            contact = composite.sobject.create("Contact", {"LastName": "C", "AccountId": str(account.reference.id)})
        seen["composite"] = [account.status_code, contact.status_code]
        linked = [row async for row in salesforce.query("SELECT Account.Name FROM Contact WHERE LastName = 'C'")]
        seen["linked"] = linked[0]["Account"]["Name"]

        people = [{"LastName": f"Row {n}", "Company": "Aio, Inc."} for n in range(250)]
        done = await salesforce.bulk_v2.insert("Lead", [*people, {"LastName": "No company", "Company": None}])
        seen["bulk"] = [len(done.successful_results), len(done.failed_results), len(done.unprocessed_records)]
        jobs = [job async for job in salesforce.bulk_v2.ingest.list_jobs()]
        seen["jobs"] = [job.state for job in jobs]
        await salesforce.bulk_v2.ingest.delete_job(jobs[0].id)
        seen["jobs_left"] = len([job async for job in salesforce.bulk_v2.ingest.list_jobs()])
    return seen


print(json.dumps(asyncio.run(main())))
