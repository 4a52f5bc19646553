// jsforce as it comes, against the address in argv[2]; prints one JSON object of what it saw.
import jsforce from "jsforce";

const { url, control, id, secret, username, password, refresh } = JSON.parse(process.argv[2]);
const seen = {};
const caught = async (promise) => {
  try {
    await promise;
    return "nothing";
  } catch (error) {
    return error.errorCode ?? error.name;
  }
};
const fault = (body) => fetch(`${control}/faults`, { method: "POST", body: JSON.stringify(body) });

// logins
const soap = new jsforce.Connection({ loginUrl: url, version: "59.0" });
seen.soap = (await soap.login(username, password)).organizationId;
seen.soapLeads = (await soap.query("SELECT COUNT() FROM Lead")).totalSize;
await soap.logout();
const oauth2 = { loginUrl: url, clientId: id, clientSecret: secret, redirectUri: `${url}/back` };
const byPassword = new jsforce.Connection({ oauth2, version: "50.0" });
await byPassword.login(username, password);
seen.identity = (await byPassword.identity()).username;
const session = byPassword.accessToken;
await byPassword.logout();
seen.revoked = await caught(new jsforce.Connection({ instanceUrl: url, accessToken: session }).query("SELECT Id FROM Lead"));
const refreshed = new jsforce.Connection({ oauth2, instanceUrl: url, accessToken: "ended", refreshToken: refresh });
seen.refreshed = (await refreshed.query("SELECT COUNT() FROM Lead")).totalSize;
const conn = new jsforce.Connection({
  instanceUrl: url,
  version: "62.0",
  oauth2: { loginUrl: url, clientId: id, clientSecret: secret },
});
await conn.authorize({ grant_type: "client_credentials" });

// describe and query
seen.objects = (await conn.describeGlobal()).sobjects.map((one) => one.name);
seen.fields = (await conn.describe("CampaignMember")).fields.length;
const all = await conn.query("SELECT Id FROM CampaignMember", { autoFetch: true, maxFetch: 10000, headers: { "Sforce-Query-Options": "batchSize=200" } });
seen.members = [all.totalSize, all.records.length];
const withChildren = await conn.query(
  "SELECT Id, Owner.Name, (SELECT Campaign.Name FROM CampaignMembers) FROM Lead WHERE Id IN (SELECT LeadId FROM CampaignMember) LIMIT 3",
);
seen.children = withChildren.records.map((row) => row.CampaignMembers.records.length > 0 && Boolean(row.Owner.Name));
seen.found = await conn.sobject("Lead").find({ IsConverted: true, CreatedDate: { $lt: jsforce.SfDate.TODAY } }, ["Id", "Name"]).sort({ CreatedDate: -1 }).limit(5).execute().then((rows) => rows.length);
seen.deletedRows = (await conn.query("SELECT Id FROM Lead", { scanAll: true })).totalSize;
seen.malformed = await caught(conn.query("SELECT Id FRM Lead"));
seen.usage = conn.limitInfo.apiUsage.limit > conn.limitInfo.apiUsage.used;
seen.groups = (await conn.query("SELECT LeadSource, COUNT(Id) n FROM Lead GROUP BY LeadSource HAVING COUNT(Id) > 1")).records.length;

// write, one and many
const lead = conn.sobject("Lead");
const made = await lead.create({ LastName: "One", Company: "Jsforce" });
await lead.update({ Id: made.id, Title: "Boss" });
seen.title = (await lead.retrieve(made.id)).Title;
seen.upserted = (await lead.upsert({ LastName: "Two", Company: "Jsforce", External_Id__c: "js-1" }, "External_Id__c")).created;
const many = Array.from({ length: 450 }, (_, n) => ({ LastName: `Many ${n}`, Company: "Jsforce many" }));
const results = await lead.create(many, { allowRecursive: true });
seen.many = results.filter((one) => one.success).length;
seen.tooMany = (await lead.create(many)).map((one) => one.errors[0].statusCode)[0];
seen.retrieved = (await lead.retrieve(results.slice(0, 3).map((one) => one.id))).length;
seen.destroyed = (await lead.destroy(results.slice(0, 150).map((one) => one.id))).filter((one) => one.success).length;
seen.gone = await caught(lead.retrieve(results[0].id));
const start = new Date(Date.now() - 10 * 60000);
const end = new Date(Date.now() + 5 * 60000);
seen.deletedSince = (await lead.deleted(start, end)).deletedRecords.filter((one) => one.id === results[0].id).length;
seen.updatedSince = (await lead.updated(start, end)).ids.includes(made.id);
seen.required = await caught(lead.create({ LastName: "No company" }));

seen.searched = (await conn.search("FIND {Jsforce} IN ALL FIELDS RETURNING Lead(Id, Title WHERE Title != null)")).searchRecords.map((one) => one.Title);

// composite
const base = "/services/data/v62.0";
const composed = await conn.requestPost(`${base}/composite`, {
  allOrNone: true,
  compositeRequest: [
    { method: "POST", referenceId: "a", url: `${base}/sobjects/Account`, body: { Name: "Jsforce" } },
    { method: "POST", referenceId: "c", url: `${base}/sobjects/Contact`, body: { LastName: "Of it", AccountId: "@{a.id}" } },
  ],
});
seen.composite = composed.compositeResponse.map((one) => one.httpStatusCode);

// Bulk 1.0 and 2.0
const rows = Array.from({ length: 20 }, (_, n) => ({ LastName: `Bulk "${n}",\n`, Company: "Jsforce bulk" }));
const loaded = await conn.bulk.load("Lead", "insert", rows);
seen.bulk1 = loaded.filter((one) => one.success && one.id).length;
const found1 = await (await conn.bulk.query("SELECT Id, Name FROM Lead WHERE Company = 'Jsforce bulk'")).toArray();
seen.bulk1Query = [found1.length, found1[0].Name.startsWith('Bulk "')];
const found2 = await (await conn.bulk2.query("SELECT Id, LastName FROM Lead WHERE Company = 'Jsforce bulk'", { pollInterval: 50 })).toArray();
seen.bulk2Query = found2.length;
const done = await conn.bulk2.loadAndWaitForResults({
  object: "Lead",
  operation: "update",
  input: [...found2.map((row) => ({ Id: row.Id, Title: "Loaded" })), { Id: "00Q000000000001", Title: "x" }],
  pollInterval: 50,
});
seen.bulk2 = [done.successfulResults.length, done.failedResults.length, done.unprocessedRecords.length];

// what goes wrong
await fault({ fault: "next_status", status: 403, path: "/query" });
seen.limit = await caught(conn.query("SELECT Id FROM Lead LIMIT 1"));
await fault({ fault: "expire_sessions" });
seen.expired = await caught(new jsforce.Connection({ instanceUrl: url, accessToken: conn.accessToken }).query("SELECT Id FROM Lead"));
console.log(JSON.stringify(seen));
