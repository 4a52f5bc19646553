"""The properties of the standard objects, as HubSpot describes them. Written from its public documentation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["CUSTOM", "CUSTOM_TYPE", "LABELS", "PURPOSES", "SINGULAR", "STAGES", "properties"]

LABELS = {"contacts": "Contacts", "companies": "Companies", "deals": "Deals", "tickets": "Tickets"}
SINGULAR = {"contacts": "CONTACT", "companies": "COMPANY", "deals": "DEAL", "tickets": "TICKET"}
PURPOSES = {
    "contacts": "People: leads, prospects and customers",
    "companies": "Organisations that contacts and deals belong to",
    "deals": "Sales in progress, won or lost, with amount and stage",
    "tickets": "Questions and problems of customers",
}
CUSTOM, CUSTOM_TYPE = "subscriptions", "2-3456789"  # the account's own object
STAGES = {  # object -> (pipeline id, label, stages: id, label, metadata)
    "deals": (
        "default",
        "Sales Pipeline",
        (
            ("appointmentscheduled", "Appointment Scheduled", {"isClosed": "false", "probability": "0.2"}),
            ("qualifiedtobuy", "Qualified To Buy", {"isClosed": "false", "probability": "0.4"}),
            ("presentationscheduled", "Presentation Scheduled", {"isClosed": "false", "probability": "0.6"}),
            ("contractsent", "Contract Sent", {"isClosed": "false", "probability": "0.9"}),
            ("closedwon", "Closed Won", {"isClosed": "true", "probability": "1.0"}),
            ("closedlost", "Closed Lost", {"isClosed": "true", "probability": "0.0"}),
        ),
    ),
    "tickets": (
        "0",
        "Support Pipeline",
        (
            ("1", "New", {"ticketState": "OPEN"}),
            ("2", "Waiting on contact", {"ticketState": "OPEN"}),
            ("3", "Waiting on us", {"ticketState": "OPEN"}),
            ("4", "Closed", {"ticketState": "CLOSED"}),
        ),
    ),
}
INDUSTRIES = (
    "BANKING",
    "CONSTRUCTION",
    "EDUCATION_MANAGEMENT",
    "OIL_ENERGY",
    "HOSPITAL_HEALTH_CARE",
    "MACHINERY",
    "RETAIL",
    "INFORMATION_TECHNOLOGY_AND_SERVICES",
)
LIFECYCLE = (
    ("subscriber", "Subscriber"),
    ("lead", "Lead"),
    ("marketingqualifiedlead", "Marketing Qualified Lead"),
    ("salesqualifiedlead", "Sales Qualified Lead"),
    ("opportunity", "Opportunity"),
    ("customer", "Customer"),
    ("evangelist", "Evangelist"),
    ("other", "Other"),
)
LEAD_STATUS = (
    ("NEW", "New"),
    ("OPEN", "Open"),
    ("IN_PROGRESS", "In Progress"),
    ("OPEN_DEAL", "Open Deal"),
    ("UNQUALIFIED", "Unqualified"),
    ("ATTEMPTED_TO_CONTACT", "Attempted to Contact"),
    ("CONNECTED", "Connected"),
    ("BAD_TIMING", "Bad Timing"),
)
SOURCES = (
    ("ORGANIC_SEARCH", "Organic Search"),
    ("PAID_SEARCH", "Paid Search"),
    ("EMAIL_MARKETING", "Email Marketing"),
    ("SOCIAL_MEDIA", "Organic Social"),
    ("REFERRALS", "Referrals"),
    ("DIRECT_TRAFFIC", "Direct Traffic"),
    ("OFFLINE", "Offline Sources"),
    ("PAID_SOCIAL", "Paid Social"),
)


def _property(name: str, label: str, kind: str = "string", field: str = "text", **facts: Any) -> dict[str, Any]:
    read_only = facts.pop("read_only", False)
    options = [_option(n, *pair) for n, pair in enumerate(facts.pop("options", ()))]
    return {
        "name": name,
        "label": label,
        "type": kind,
        "fieldType": field,
        "description": "",
        "options": options,
        "displayOrder": -1,
        "calculated": False,
        "externalOptions": False,
        "hasUniqueValue": False,
        "hidden": False,
        "hubspotDefined": True,
        "formField": not read_only,
        "modificationMetadata": {
            "archivable": False,
            "readOnlyDefinition": True,
            "readOnlyValue": read_only,
            "readOnlyOptions": bool(options),
        },
        "archived": False,
        "dataSensitivity": "non_sensitive",
        **facts,
    }


def _option(position: int, value: str, label: str) -> dict[str, Any]:
    return {"label": label, "value": value, "displayOrder": position, "hidden": False, "description": ""}


def _choice(name: str, label: str, options: Iterable[tuple[str, str]], field: str = "select", **more: Any) -> Any:
    return _property(name, label, "enumeration", field, options=options, **more)


def _number(name: str, label: str, **more: Any) -> Any:
    return _property(name, label, "number", "number", **more)


def _moment(name: str, label: str, read_only: bool = True) -> Any:
    return _property(name, label, "datetime", "date", read_only=read_only)


def _flag(name: str, label: str, **more: Any) -> Any:
    options = (("true", "Yes"), ("false", "No"))
    return _property(name, label, "enumeration", "booleancheckbox", options=options, **more)


_OWNER = _property("hubspot_owner_id", "Owner", "enumeration", "select", externalOptions=True)
_ID = _number("hs_object_id", "Record ID", read_only=True)
_COMPANY = _number("hs_primary_associated_company", "Primary Associated Company ID", read_only=True)
_ADDRESS = [
    _property("address", "Street Address"),
    _property("city", "City"),
    _property("state", "State/Region"),
    _property("zip", "Postal Code"),
    _property("country", "Country/Region"),
]


def _stages(kind: str) -> list[tuple[str, str]]:
    return [(stage, label) for stage, label, _ in STAGES[kind][2]]


_CONTACTS = [
    _ID,
    _property("email", "Email"),
    _property("firstname", "First Name"),
    _property("lastname", "Last Name"),
    _property("phone", "Phone Number", "string", "phonenumber"),
    _property("mobilephone", "Mobile Phone Number", "string", "phonenumber"),
    _property("company", "Company Name", description="The company as the contact wrote it; not the associated company"),
    _property("jobtitle", "Job Title"),
    _property("website", "Website URL"),
    _property("salutation", "Salutation"),
    *_ADDRESS,
    _choice("lifecyclestage", "Lifecycle Stage", LIFECYCLE, "radio"),
    _choice("hs_lead_status", "Lead Status", LEAD_STATUS, "radio"),
    _choice("hs_analytics_source", "Original Traffic Source", SOURCES, read_only=True),
    _property("hs_analytics_source_data_1", "Original Traffic Source Drill-Down 1", read_only=True),
    _choice("hs_latest_source", "Latest Traffic Source", SOURCES, read_only=True),
    _property("message", "Message", "string", "textarea"),
    _property("date_of_birth", "Date of birth"),
    _property("industry", "Industry"),
    _number("annualrevenue", "Annual Revenue"),
    _property("numemployees", "Number of Employees"),
    _flag("hs_email_optout", "Unsubscribed from all email", read_only=True),
    _choice(
        "hs_buying_role",
        "Buying Role",
        (("BLOCKER", "Blocker"), ("CHAMPION", "Champion"), ("DECISION_MAKER", "Decision Maker")),
        "checkbox",
    ),
    _OWNER,
    _number("associatedcompanyid", "Primary Associated Company ID", read_only=True),
    _property("hs_additional_emails", "Additional email addresses", "enumeration", "checkbox", read_only=True),
    _number("num_associated_deals", "Number of Associated Deals", read_only=True, calculated=True),
    _moment("closedate", "Close Date", read_only=False),
    _moment("createdate", "Create Date"),
    _moment("lastmodifieddate", "Last Modified Date"),
    _moment("notes_last_contacted", "Last Contacted"),
]
_COMPANIES = [
    _ID,
    _property("name", "Company name"),
    _property("domain", "Company Domain Name"),
    _property("phone", "Phone Number", "string", "phonenumber"),
    _property("website", "Website URL"),
    *_ADDRESS,
    _choice("industry", "Industry", [(one, one.replace("_", " ").title()) for one in INDUSTRIES]),
    _choice(
        "type",
        "Type",
        (("PROSPECT", "Prospect"), ("PARTNER", "Partner"), ("RESELLER", "Reseller"), ("VENDOR", "Vendor")),
    ),
    _choice("lifecyclestage", "Lifecycle Stage", LIFECYCLE, "radio"),
    _number("numberofemployees", "Number of Employees"),
    _number("annualrevenue", "Annual Revenue", showCurrencySymbol=True),
    _property("description", "Description", "string", "textarea"),
    _property("founded_year", "Year Founded"),
    _OWNER,
    _number("num_associated_contacts", "Number of Associated Contacts", read_only=True, calculated=True),
    _number("num_associated_deals", "Number of Associated Deals", read_only=True, calculated=True),
    _moment("createdate", "Create Date"),
    _moment("hs_lastmodifieddate", "Last Modified Date"),
]
_DEALS = [
    _ID,
    _property("dealname", "Deal Name"),
    _number("amount", "Amount", showCurrencySymbol=True),
    _choice("dealstage", "Deal Stage", _stages("deals"), "radio"),
    _choice("pipeline", "Pipeline", (("default", "Sales Pipeline"),)),
    _moment("closedate", "Close Date", read_only=False),
    _choice(
        "dealtype", "Deal Type", (("newbusiness", "New Business"), ("existingbusiness", "Existing Business")), "radio"
    ),
    _property("description", "Deal Description", "string", "textarea"),
    _number("hs_deal_stage_probability", "Deal probability", read_only=True, calculated=True),
    _flag("hs_is_closed", "Is Deal Closed?", read_only=True, calculated=True),
    _flag("hs_is_closed_won", "Is Closed Won", read_only=True, calculated=True),
    _COMPANY,
    _OWNER,
    _number("num_associated_contacts", "Number of Associated Contacts", read_only=True, calculated=True),
    _moment("createdate", "Create Date"),
    _moment("hs_lastmodifieddate", "Last Modified Date"),
]
_TICKETS = [
    _ID,
    _property("subject", "Ticket name"),
    _property("content", "Ticket description", "string", "textarea"),
    _choice("hs_pipeline", "Pipeline", (("0", "Support Pipeline"),)),
    _choice("hs_pipeline_stage", "Ticket status", _stages("tickets")),
    _choice(
        "hs_ticket_priority",
        "Priority",
        (("LOW", "Low"), ("MEDIUM", "Medium"), ("HIGH", "High"), ("URGENT", "Urgent")),
    ),
    _choice(
        "source_type",
        "Source",
        (("CHAT", "Chat"), ("EMAIL", "Email"), ("FORM", "Form"), ("PHONE", "Phone")),
    ),
    _COMPANY,
    _OWNER,
    _moment("closed_date", "Close date", read_only=False),
    _moment("createdate", "Create date"),
    _moment("hs_lastmodifieddate", "Last modified date"),
]
_SUBSCRIPTIONS = [
    _ID,
    _property("subscription_number", "Subscription Number", hasUniqueValue=True, hubspotDefined=False),
    _property("plan", "Plan", hubspotDefined=False),
    _number("monthly_fee", "Monthly Fee", hubspotDefined=False),
    _property("starts_on", "Starts on", "date", "date", hubspotDefined=False),
    _property("is_paused", "Paused", "bool", "booleancheckbox", options=(("true", "Yes"), ("false", "No"))),
    _moment("hs_createdate", "Object create date/time"),
    _moment("hs_lastmodifieddate", "Object last modified date/time"),
]
OF_THE_ACCOUNT = {  # properties that this account added
    "contacts": [
        _property("salesforce_lead_id", "Salesforce Lead ID", hasUniqueValue=True, hubspotDefined=False),
    ],
}


def properties(kind: str, of_the_account: bool = True) -> list[dict[str, Any]]:
    """The definitions for one object; without the account's own ones they are HubSpot's standard."""
    standard = {
        "contacts": _CONTACTS,
        "companies": _COMPANIES,
        "deals": _DEALS,
        "tickets": _TICKETS,
        CUSTOM: _SUBSCRIPTIONS,
    }[kind]
    group = f"{kind.removesuffix('s')}information" if kind != "companies" else "companyinformation"
    own = OF_THE_ACCOUNT.get(kind, []) if of_the_account else []
    return [{"groupName": group, **definition} for definition in (*standard, *own)]
