from __future__ import annotations

import logging
import socket
from typing import Any

import pytest

from integrator_drivers import AuthError, ConnectionError
from salesforce_driver import SalesforceClient
from salesforce_driver.practice import keys
from salesforce_driver.practice.auth import Accounts
from salesforce_driver.src import login
from salesforce_driver.src.settings import Settings

CLIENT = {
    "SALESFORCE_DOMAIN": "acme",
    "SALESFORCE_CLIENT_ID": "fake-id",
    "SALESFORCE_CLIENT_SECRET": "fake-secret",
}
PASSWORD = {
    "SALESFORCE_USERNAME": "jana@acme.example",
    "SALESFORCE_PASSWORD": "fake-password",
    "SALESFORCE_SECURITY_TOKEN": "fake-token",
}


def test_missing_variables_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALESFORCE_CLIENT_ID", "fake-id")
    with pytest.raises(AuthError, match=r"SALESFORCE_DOMAIN and SALESFORCE_CLIENT_SECRET in \.env"):
        SalesforceClient()


def test_half_a_password_login_names_its_own_missing_variables() -> None:
    with pytest.raises(AuthError, match=r"needs SALESFORCE_PASSWORD and SALESFORCE_SECURITY_TOKEN in"):
        Settings.from_environment({"SALESFORCE_USERNAME": "jana@acme.example"})


def test_client_credentials_come_before_the_password() -> None:
    assert Settings.from_environment(CLIENT | PASSWORD).login == "client_credentials"
    assert Settings.from_environment(PASSWORD).login == "password"


@pytest.mark.parametrize(
    "typed", ["acme", "ACME", "acme.my", "acme.my.salesforce.com", "https://acme.my.salesforce.com/", " acme "]
)
def test_the_domain_is_understood_however_it_is_typed(typed: str) -> None:
    assert Settings.from_environment(CLIENT | {"SALESFORCE_DOMAIN": typed}).host == "acme.my.salesforce.com"


def test_sandbox_domains_keep_their_parts() -> None:
    settings = Settings.from_environment(CLIENT | {"SALESFORCE_DOMAIN": "acme--dev.sandbox"})
    assert settings.host == "acme--dev.sandbox.my.salesforce.com"


def test_the_password_login_falls_back_to_the_common_address() -> None:
    assert Settings.from_environment(PASSWORD).host == "login.salesforce.com"
    assert Settings.from_environment(PASSWORD | {"SALESFORCE_DOMAIN": "test"}).host == "test.salesforce.com"


def test_client_credentials_need_a_domain_of_ones_own() -> None:
    with pytest.raises(AuthError, match="needs your My Domain name"):
        Settings.from_environment(CLIENT | {"SALESFORCE_DOMAIN": "login"})


def test_settings_do_not_show_secrets() -> None:
    shown = repr(Settings.from_environment(CLIENT)) + repr(Settings.from_environment(PASSWORD))
    assert not [word for word in ("fake-secret", "fake-password", "fake-token") if word in shown]


def test_check_says_who_and_where(salesforce: SalesforceClient) -> None:
    identity = salesforce.check()
    assert identity.account == "Practice Org"
    assert identity.environment == "practice"
    assert identity.user == "integration.user@practice.example"
    assert identity.warnings == ()


def test_the_password_login_works_and_warns_of_its_end(org: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    person = Accounts(7).person
    for name in ("SALESFORCE_CLIENT_ID", "SALESFORCE_CLIENT_SECRET"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("SALESFORCE_USERNAME", person.username)
    monkeypatch.setenv("SALESFORCE_PASSWORD", person.password)
    monkeypatch.setenv("SALESFORCE_SECURITY_TOKEN", person.security_token)
    with SalesforceClient() as salesforce:
        identity = salesforce.check()
    assert identity.user == person.username
    assert "Summer '27" in identity.warnings[0]


def test_a_wrong_secret_is_refused_in_one_sentence(org: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALESFORCE_CLIENT_SECRET", "wrong-secret")
    with SalesforceClient() as salesforce, pytest.raises(AuthError) as caught:
        salesforce.list_objects()
    assert str(caught.value) == (
        "Salesforce refused the login (invalid client credentials). Nothing was read. Check SALESFORCE_CLIENT_ID and "
        "SALESFORCE_CLIENT_SECRET in .env; in Salesforce the app must allow the client-credentials flow."
    )
    assert "wrong-secret" not in str(caught.value)


def test_a_wrong_password_is_refused_in_one_sentence(org: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SALESFORCE_CLIENT_ID", "SALESFORCE_CLIENT_SECRET"):
        monkeypatch.delenv(name)
    for name, value in PASSWORD.items():
        monkeypatch.setenv(name, value)
    with (
        SalesforceClient() as salesforce,
        pytest.raises(AuthError, match=r"SALESFORCE_SECURITY_TOKEN in \.env") as caught,
    ):
        salesforce.list_objects()
    assert "fake-password" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_login_logs_no_secret(org: Any, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    with caplog.at_level(logging.DEBUG), SalesforceClient() as salesforce:
        salesforce.list_objects()
    out, err = capfd.readouterr()
    seen = caplog.text + out + err
    assert org.env["SALESFORCE_CLIENT_SECRET"] not in seen
    assert "Bearer" not in seen


def test_a_session_that_ended_is_renewed_once(org: Any, salesforce: SalesforceClient) -> None:
    first = salesforce.list_objects()
    org.fault("expire_sessions")
    assert salesforce.list_objects() == first
    logins = [request for request in org.requests() if request["path"] == "/services/oauth2/token"]
    assert len(logins) == 2


def test_a_session_that_ends_between_two_pages_loses_no_row(org: Any, salesforce: SalesforceClient) -> None:
    whole = sorted(row["Id"] for row in salesforce.read("Lead", fields=["Id"]).rows())
    org.fault("next_status", status=401, path="/query")
    assert sorted(row["Id"] for row in salesforce.read("Lead", fields=["Id"]).rows()) == whole


def test_a_login_that_is_no_good_any_more_is_not_tried_for_ever(org: Any, salesforce: SalesforceClient) -> None:
    salesforce.list_objects()
    org.fault("next_status", status=401, times=10, path="/sobjects")
    with pytest.raises(AuthError):
        salesforce.list_objects()
    assert len([request for request in org.requests() if request["path"].endswith("/sobjects")]) == 3


def test_it_never_logs_out(org: Any) -> None:
    with SalesforceClient() as salesforce:
        salesforce.list_objects()
    assert not [request for request in org.requests() if "revoke" in request["path"] or "logout" in request["path"]]


def test_nobody_at_the_address_is_said_in_one_sentence(org: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("SALESFORCE_BASE_URL", f"http://127.0.0.1:{port}")
    with SalesforceClient() as salesforce, pytest.raises(ConnectionError) as caught:
        salesforce.list_objects()
    assert str(caught.value) == (
        "I couldn't connect to Salesforce: it refused the connection. Nothing was read. "
        "Try again, or check SALESFORCE_BASE_URL."
    )


@pytest.fixture(scope="module")
def private_key() -> str:
    """The key of the practice app, in PEM form."""
    rsa = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.rsa")
    from cryptography.hazmat.primitives import serialization as form

    made = keys.key(7)
    d = pow(keys.EXPONENT, -1, (made.p - 1) * (made.q - 1))
    numbers = rsa.RSAPrivateNumbers(
        made.p,
        made.q,
        d,
        rsa.rsa_crt_dmp1(d, made.p),
        rsa.rsa_crt_dmq1(d, made.q),
        rsa.rsa_crt_iqmp(made.p, made.q),
        rsa.RSAPublicNumbers(keys.EXPONENT, made.modulus),
    )
    pem: bytes = numbers.private_key().private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    return pem.decode()


@pytest.fixture
def by_jwt(org: Any, monkeypatch: pytest.MonkeyPatch, private_key: str) -> None:
    monkeypatch.delenv("SALESFORCE_CLIENT_SECRET")
    monkeypatch.setenv("SALESFORCE_USERNAME", Accounts(7).person.username)
    monkeypatch.setenv("SALESFORCE_PRIVATE_KEY", private_key.replace("\n", "\\n"))


def test_a_signed_token_logs_in_as_the_user_it_names(by_jwt: None) -> None:
    with SalesforceClient() as salesforce:
        identity = salesforce.check()
    assert (identity.user, identity.warnings) == (Accounts(7).person.username, ())


def test_a_signed_token_is_renewed_like_any_session(by_jwt: None, org: Any) -> None:
    with SalesforceClient() as salesforce:
        salesforce.list_objects()
        org.fault("expire_sessions")
        assert "Lead" in salesforce.list_objects()


def test_a_user_who_is_not_allowed_is_refused(by_jwt: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALESFORCE_USERNAME", "somebody@else.example")
    with (
        SalesforceClient() as salesforce,
        pytest.raises(AuthError, match=r"hasn't approved.*certificate"),
    ):
        salesforce.list_objects()


def test_a_key_that_is_none_is_said_without_showing_it(by_jwt: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALESFORCE_PRIVATE_KEY", "fake-key")
    with SalesforceClient() as salesforce, pytest.raises(AuthError, match="SALESFORCE_PRIVATE_KEY is no RSA") as caught:
        salesforce.list_objects()
    assert "fake-key" not in str(caught.value)


def test_a_token_signed_with_another_key_is_refused(by_jwt: None, private_key: str) -> None:
    import jwt

    claims = {"iss": Accounts(7).client_id, "sub": Accounts(7).person.username, "exp": 2**40}
    token = jwt.encode(claims, private_key, algorithm="RS256")
    assert keys.claims_of(token, keys.key(7)) == claims
    assert keys.claims_of(token, keys.key(8)) is None
    assert keys.claims_of(token[:-8] + "AAAAAAAA", keys.key(7)) is None
    assert keys.claims_of("nonsense", keys.key(7)) is None


def test_a_refresh_token_comes_before_client_credentials(org: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALESFORCE_REFRESH_TOKEN", Accounts(7).refresh_token)
    with SalesforceClient() as salesforce:
        assert salesforce.check().user == Accounts(7).person.username
    monkeypatch.setenv("SALESFORCE_REFRESH_TOKEN", "fake-token")
    with SalesforceClient() as salesforce, pytest.raises(AuthError, match="expired access/refresh token") as caught:
        salesforce.list_objects()
    assert "SALESFORCE_REFRESH_TOKEN in .env" in str(caught.value)


@pytest.mark.parametrize(
    ("domain", "audience"), [("acme", "login"), ("acme--dev.sandbox", "test"), ("test", "test"), ("", "login")]
)
def test_sandboxes_have_an_audience_of_their_own(private_key: str, domain: str, audience: str) -> None:
    settings = Settings.from_environment(
        {
            "SALESFORCE_DOMAIN": domain,
            "SALESFORCE_CLIENT_ID": "fake-id",
            "SALESFORCE_USERNAME": "jana@acme.example",
            "SALESFORCE_PRIVATE_KEY": private_key,
        }
    )
    claims = keys.claims_of(login._assertion(settings), keys.key(7))
    assert claims and claims["aud"] == f"https://{audience}.salesforce.com"
    assert private_key not in repr(settings)
