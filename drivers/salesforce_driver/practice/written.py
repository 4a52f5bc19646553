"""Objects of which no recorded describe was found: written from the public object reference, not recorded.

In the compact form of describe.json. Used by `extract_describe` only.
"""

from __future__ import annotations

from typing import Any

__all__ = ["OBJECTS"]

Field = dict[str, Any]


def _field(name: str, label: str, kind: str, **more: Any) -> Field:
    return {"name": name, "label": label, "type": kind, **more}


def _text(name: str, label: str, length: int, **more: Any) -> Field:
    return _field(name, label, more.pop("kind", "string"), length=length, **_WRITABLE, **more)


def _number(name: str, label: str, kind: str, precision: int, scale: int = 0, **more: Any) -> Field:
    soap = "xsd:int" if kind == "int" else "xsd:double"
    size = {"digits": precision} if kind == "int" else {"precision": precision, "scale": scale}
    return _field(name, label, kind, soapType=soap, groupable=kind == "int", **size, **more)


def _flag(name: str, label: str, **more: Any) -> Field:
    return _field(
        name,
        label,
        "boolean",
        **{"soapType": "xsd:boolean", "nillable": False, "defaultedOnCreate": True, "defaultValue": False, **more},
    )


def _date(name: str, label: str, **more: Any) -> Field:
    return _field(name, label, "date", soapType="xsd:date", **more)


def _moment(name: str, label: str, **more: Any) -> Field:
    return _field(name, label, "datetime", soapType="xsd:dateTime", groupable=False, **more)


def _reference(name: str, label: str, to: str | list[str], relationship: str, **more: Any) -> Field:
    targets = [to] if isinstance(to, str) else to
    return _field(
        name,
        label,
        "reference",
        length=18,
        soapType="tns:ID",
        referenceTo=targets,
        relationshipName=relationship,
        **({"polymorphicForeignKey": True, "namePointing": True} if len(targets) > 1 else {}),
        **more,
    )


def _picklist(name: str, label: str, choices: list[Any], **more: Any) -> Field:
    return _field(name, label, "picklist", length=255, picklistValues=choices, **{**_WRITABLE, **more})


def _id(label: str) -> Field:
    return _field("Id", label, "id", length=18, soapType="tns:ID", idLookup=True, permissionable=False, **_SYSTEM)


def _stamps() -> list[Field]:
    return [
        _moment("CreatedDate", "Created Date", permissionable=False, **_SYSTEM),
        _reference("CreatedById", "Created By ID", "User", "CreatedBy", permissionable=False, **_SYSTEM),
        _moment("LastModifiedDate", "Last Modified Date", permissionable=False, **_SYSTEM),
        _reference(
            "LastModifiedById", "Last Modified By ID", "User", "LastModifiedBy", permissionable=False, **_SYSTEM
        ),
        _moment("SystemModstamp", "System Modstamp", permissionable=False, **_SYSTEM),
    ]


_WRITABLE = {"createable": True, "updateable": True}
_SYSTEM = {"nillable": False, "defaultedOnCreate": True}
_DELETED = _flag("IsDeleted", "Deleted", permissionable=False)
_LEAD_SOURCES = ["Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other"]
_MEMBER_STATUS = [["Sent", "Sent", True, True], "Responded"]


def _switches(prefix: str | None, label: str, plural: str, **more: bool) -> dict[str, Any]:
    return {
        "source": "written",
        "label": label,
        "labelPlural": plural,
        "keyPrefix": prefix,
        "custom": False,
        "createable": True,
        "updateable": True,
        "deletable": True,
        "undeletable": True,
        "queryable": True,
        "retrieveable": True,
        "replicateable": True,
        "searchable": True,
        "mergeable": False,
        "triggerable": True,
        "feedEnabled": True,
        "mruEnabled": True,
        "layoutable": True,
        **more,
    }


CAMPAIGN = _switches("701", "Campaign", "Campaigns") | {
    "fields": [
        _id("Campaign ID"),
        _DELETED,
        _text("Name", "Name", 80, nillable=False, nameField=True, permissionable=False),
        _reference("ParentId", "Parent Campaign ID", "Campaign", "Parent", **_WRITABLE),
        _picklist(
            "Type",
            "Type",
            [
                "Conference",
                "Webinar",
                "Trade Show",
                "Public Relations",
                "Partners",
                "Referral Program",
                "Advertisement",
                "Banner Ads",
                "Direct Mail",
                "Email",
                "Telemarketing",
                "Other",
            ],
        ),
        _picklist("Status", "Status", [["Planned", "Planned", True, True], "In Progress", "Completed", "Aborted"]),
        _date("StartDate", "Start Date", **_WRITABLE),
        _date("EndDate", "End Date", **_WRITABLE),
        _number("ExpectedRevenue", "Expected Revenue", "currency", 18, **_WRITABLE),
        _number("BudgetedCost", "Budgeted Cost", "currency", 18, **_WRITABLE),
        _number("ActualCost", "Actual Cost", "currency", 18, **_WRITABLE),
        _number("ExpectedResponse", "Expected Response (%)", "percent", 10, 2, **_WRITABLE),
        _number("NumberSent", "Num Sent", "double", 18, **_WRITABLE),
        _flag("IsActive", "Active", **_WRITABLE),
        _text(
            "Description",
            "Description",
            32000,
            kind="textarea",
            aggregatable=False,
            filterable=False,
            groupable=False,
            sortable=False,
        ),
        _number("NumberOfLeads", "Leads in Campaign", "int", 9, nillable=False, defaultedOnCreate=True),
        _number(
            "NumberOfConvertedLeads", "Converted Leads in Campaign", "int", 9, nillable=False, defaultedOnCreate=True
        ),
        _number("NumberOfContacts", "Contacts in Campaign", "int", 9, nillable=False, defaultedOnCreate=True),
        _number("NumberOfResponses", "Responses in Campaign", "int", 9, nillable=False, defaultedOnCreate=True),
        _number("NumberOfOpportunities", "Opportunities in Campaign", "int", 9, nillable=False, defaultedOnCreate=True),
        _number(
            "NumberOfWonOpportunities",
            "Won Opportunities in Campaign",
            "int",
            9,
            nillable=False,
            defaultedOnCreate=True,
        ),
        _number(
            "AmountAllOpportunities",
            "Value Opportunities in Campaign",
            "currency",
            18,
            nillable=False,
            defaultedOnCreate=True,
        ),
        _number(
            "AmountWonOpportunities",
            "Value Won Opportunities in Campaign",
            "currency",
            18,
            nillable=False,
            defaultedOnCreate=True,
        ),
        _reference("OwnerId", "Owner ID", "User", "Owner", nillable=False, defaultedOnCreate=True, **_WRITABLE),
        *_stamps(),
        _date("LastActivityDate", "Last Activity"),
        _moment("LastViewedDate", "Last Viewed Date"),
        _moment("LastReferencedDate", "Last Referenced Date"),
    ],
    "children": [
        ["Campaign", "ParentId", "ChildCampaigns", False],
        ["CampaignMember", "CampaignId", "CampaignMembers", True],
        ["Opportunity", "CampaignId", "Opportunities", False],
    ],
}

CAMPAIGN_MEMBER = _switches(
    "00v",
    "Campaign Member",
    "Campaign Members",
    undeletable=False,
    searchable=False,
    feedEnabled=False,
    mruEnabled=False,
) | {
    "fields": [
        _id("Campaign Member ID"),
        _DELETED,
        _reference("CampaignId", "Campaign ID", "Campaign", "Campaign", nillable=False, createable=True),
        _reference("LeadId", "Lead ID", "Lead", "Lead", createable=True),
        _reference("ContactId", "Contact ID", "Contact", "Contact", createable=True),
        _picklist("Status", "Status", _MEMBER_STATUS),
        _flag("HasResponded", "Responded"),
        *_stamps(),
        _date("FirstRespondedDate", "First Responded Date"),
        _field("Salutation", "Salutation", "picklist", length=40),
        _field("Name", "Name", "string", length=121, nameField=True),
        _field("FirstName", "First Name", "string", length=40),
        _field("LastName", "Last Name", "string", length=80),
        _field("Title", "Title", "string", length=128),
        _field("City", "City", "string", length=40),
        _field("State", "State/Province", "string", length=80),
        _field("PostalCode", "Zip/Postal Code", "string", length=20),
        _field("Country", "Country", "string", length=80),
        _field("Email", "Email", "email", length=80),
        _field("Phone", "Phone", "phone", length=40),
        _field("MobilePhone", "Mobile", "phone", length=40),
        _flag("DoNotCall", "Do Not Call"),
        _flag("HasOptedOutOfEmail", "Email Opt Out"),
        _field("LeadSource", "Lead Source", "picklist", length=255, picklistValues=_LEAD_SOURCES),
        _field("CompanyOrAccount", "Company (Account)", "string", length=255),
        _field("Type", "Type", "picklist", length=40, picklistValues=["Lead", "Contact"]),
        _reference("LeadOrContactId", "Related Record ID", ["Contact", "Lead"], "LeadOrContact"),
        _reference("LeadOrContactOwnerId", "Related Record Owner ID", ["Group", "User"], "LeadOrContactOwner"),
    ],
    "children": [],
}

USER = _switches("005", "User", "Users", deletable=False, undeletable=False, createable=False, updateable=False) | {
    "fields": [
        _id("User ID"),
        _field("Username", "Username", "string", length=80, nillable=False, idLookup=True, unique=True),
        _field("LastName", "Last Name", "string", length=80, nillable=False),
        _field("FirstName", "First Name", "string", length=40),
        _field("Name", "Full Name", "string", length=121, nillable=False, nameField=True),
        _field("CompanyName", "Company Name", "string", length=80),
        _field("Title", "Title", "string", length=80),
        _field("Email", "Email", "email", length=128, nillable=False),
        _field("Phone", "Phone", "phone", length=40),
        _field("Alias", "Alias", "string", length=8, nillable=False),
        _flag("IsActive", "Active"),
        _field("TimeZoneSidKey", "Time Zone", "picklist", length=40, nillable=False),
        _field("LocaleSidKey", "Locale", "picklist", length=40, nillable=False),
        _field("LanguageLocaleKey", "Language", "picklist", length=40, nillable=False),
        _field("UserType", "User Type", "picklist", length=40, picklistValues=["Standard"]),
        *_stamps(),
    ],
    "children": [],
}

ORGANIZATION = _switches(
    "00D",
    "Organization",
    "Organizations",
    createable=False,
    updateable=False,
    deletable=False,
    undeletable=False,
    searchable=False,
    feedEnabled=False,
) | {
    "fields": [
        _id("Organization ID"),
        _field("Name", "Name", "string", length=80, nillable=False, nameField=True),
        _field("Country", "Country", "string", length=80),
        _field("TimeZoneSidKey", "Time Zone", "picklist", length=40),
        _field("LanguageLocaleKey", "Language", "picklist", length=40),
        _field("DefaultLocaleSidKey", "Locale", "picklist", length=40),
        _number("FiscalYearStartMonth", "Fiscal Year Starts In", "int", 9),
        _field("OrganizationType", "Edition", "picklist", length=40),
        _field("NamespacePrefix", "Namespace Prefix", "string", length=15),
        _field("InstanceName", "Instance Name", "string", length=5),
        _flag("IsSandbox", "Is Sandbox"),
        *_stamps(),
    ],
    "children": [],
}

# What an owner looks like through a field that can point to a user or a queue.
NAME = _switches(
    None,
    "Name",
    "Names",
    createable=False,
    updateable=False,
    deletable=False,
    undeletable=False,
    queryable=False,
    retrieveable=False,
    searchable=False,
) | {
    "fields": [
        _id("Name ID"),
        _field("Name", "Name", "string", length=255, nameField=True),
        _field("LastName", "Last Name", "string", length=80),
        _field("FirstName", "First Name", "string", length=40),
        _field("Type", "Type", "string", length=40),
        _field("Alias", "Alias", "string", length=8),
        _flag("IsActive", "Active"),
        _field("Title", "Title", "string", length=80),
        _field("Email", "Email", "email", length=128),
        _field("Phone", "Phone", "phone", length=40),
        _field("Username", "Username", "string", length=80),
    ],
    "children": [],
}

OBJECTS: dict[str, dict[str, Any]] = {
    "Campaign": CAMPAIGN,
    "CampaignMember": CAMPAIGN_MEMBER,
    "Name": NAME,
    "Organization": ORGANIZATION,
    "User": USER,
}
