"""Sessions end when they are closed."""

from __future__ import annotations

from typing import Any

ENVELOPE = (
    '<?xml version="1.0"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:urn="urn:partner.soap.sforce.com"><soapenv:Header><urn:SessionHeader><urn:sessionId>{0}</urn:sessionId>'
    "</urn:SessionHeader></soapenv:Header><soapenv:Body><urn:logout/></soapenv:Body></soapenv:Envelope>"
)


def test_a_session_is_closed_by_soap(small: Any) -> None:
    envelope = ENVELOPE.format(small.token)
    status, text = small.send("POST", "/services/Soap/u/59.0", envelope, {"Content-Type": "text/xml"})
    assert (status, "logoutResponse" in text) == (200, True)
    assert small.rest("GET", "/limits")[0] == 401
    status, text = small.send("POST", "/services/Soap/u/59.0", envelope, {"Content-Type": "text/xml"})
    assert (status, "INVALID_SESSION_ID" in text) == (500, True)


def test_a_token_is_revoked(small: Any) -> None:
    assert small.send("POST", "/services/oauth2/revoke", f"token={small.token}")[0] == 200
    assert small.rest("GET", "/limits")[0] == 401
    status, answer = small.send("POST", "/services/oauth2/revoke", "token=nonsense")
    assert (status, answer["error"]) == (400, "invalid_token")
