"""Scripts that spell a credential out, keys nobody registered, a file that the web can see."""

from __future__ import annotations

import base64
import html
import json
from pathlib import Path
from urllib.parse import quote

import pytest

from integrator_drivers import registry
from integrator_magics.credentials import Credentials, Redactor, find_format
from integrator_magics.credentials.serving import hidden_files_served
from integrator_magics.errors import SecretInText
from integrator_magics.policy import require_no_secret, secret_in

VALUE = "obviously-fake/pass+99"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def credentials(tmp_path: Path) -> Credentials:
    (tmp_path / ".env").write_text(f'PGPASSWORD="{VALUE}"\nPGHOST=db.example.com\nPGUSER=jana\n')
    (tmp_path / ".env").chmod(0o600)
    return Credentials(tmp_path, tmp_path / "home", {})


def test_c1_only_one_room_reads_env_files() -> None:
    reading = [
        path
        for path in (ROOT / "integrator_magics").rglob("*.py")
        if any(word in path.read_text(encoding="utf-8") for word in ("dotenv_values", "load_dotenv", "import dotenv"))
    ]
    assert {path.parent.name for path in reading} == {"credentials"}


SPELLED = [
    f'password = "{VALUE}"',
    f'connect("{VALUE}")',
    'password = "obviously-fake" + "/pass+99"',
    'first = "obviously-"\nconnect(f"{first}fake/pass+99")',
    'password = "".join(["obviously-fake", "/pass", "+99"])',
    f"import base64\npassword = base64.b64decode({base64.b64encode(VALUE.encode())!r}).decode()",
    f'password = bytes.fromhex("{VALUE.encode().hex()}").decode()',
    f'password = "{VALUE[::-1]}"[::-1]',
    f'"""Docs: {VALUE}"""',
    f"x = 1  # {VALUE}",
    'key = "AKIA" + "IOSFODNN7EXAMPLE"',
    'options = {"api_key": "q8Zt" + "4Lw9Xb2Rm7"}',
]
FINE = [
    'import os\npassword = os.environ["PGPASSWORD"]',
    'sync(source=source, target=Target(postgresql, "leads"), key="salesforce_id")',
    'columns = {"Password_Reset__c": "password_reset"}',
    'TOKEN_FIELD = "LeadSource"',
    'print("no password is set")',
]


@pytest.mark.parametrize("code", SPELLED)
def test_c6_a_script_that_spells_a_credential_out_is_refused(credentials: Credentials, code: str) -> None:
    with pytest.raises(SecretInText, match="neither run nor stored") as caught:
        require_no_secret(code, credentials.find_secret)
    assert VALUE not in str(caught.value)


@pytest.mark.parametrize("code", FINE)
def test_c6_a_script_that_only_names_one_is_fine(credentials: Credentials, code: str) -> None:
    assert secret_in(code, credentials.find_secret) is None


def test_c6_examples_of_all_drivers_are_fine(credentials: Credentials) -> None:
    scripts = [text for name in registry.names() for path, text in registry.docs(name).items() if path.endswith(".py")]
    assert len(scripts) > 3
    assert [secret_in(code, credentials.find_secret) for code in scripts] == [None] * len(scripts)


UNKNOWN = {
    "an AWS access key": "AKIAIOSFODNN7EXAMPLE",
    "a Slack token": "xoxb-000000000000-FAKEFAKEFAKE",
    "an Anthropic key": "sk-ant-api03-FAKEfakeFAKEfakeFAKE",
    "a signed token (JWT)": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJmYWtlIn0.ZmFrZWZha2U",
    "a private key": "-----BEGIN PRIVATE KEY-----\nZmFrZSBrZXk=\n-----END PRIVATE KEY-----",
}


@pytest.mark.parametrize(("kind", "value"), UNKNOWN.items())
def test_c5_a_key_nobody_registered_is_known_by_its_format(kind: str, value: str) -> None:
    assert find_format(value) == kind
    redactor = Redactor()
    text = f"the answer was {value}, and so on"
    assert redactor.redact(text) == f"the answer was [{kind}], and so on"
    for cut in range(len(text) + 1):
        stream = redactor.stream()
        assert stream.feed(text[:cut]) + stream.feed(text[cut:]) + stream.flush() == redactor.redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "AKIA is how such keys begin",
        "xoxb-short",
        "sk-ant-",
        "eyJ is base64",
        "task-risk-disk",
        "sha256 3f2a9c8d7e6b5a4938271605f4e3d2c1b0a99887766554433221100ffeeddcc0",
        "00Q5f00000AbCdEFGH",
        "-----BEGIN CERTIFICATE-----",
        "pat-terns and key-words",
    ],
)
def test_c5_near_misses_stay(text: str) -> None:
    assert Redactor().redact(text) == text


def forms(value: str) -> dict[str, str]:
    data = value.encode()
    found = {
        "raw": value,
        "repr": repr(value),
        "json": json.dumps(value),
        "json in json": json.dumps(json.dumps(value)),
        "url": quote(value, safe=""),
        "hex": data.hex(),
        "HTML": html.escape(value),
    }
    for offset in range(3):
        found[f"base64 at {offset}"] = base64.b64encode(b"x" * offset + data + b"end").decode()
    return found


@pytest.mark.parametrize("form", forms(VALUE))
def test_c4_no_form_of_a_value_passes_wherever_it_is_cut(form: str) -> None:
    redactor = Redactor({"PGPASSWORD": VALUE})
    shown = forms(VALUE)[form]
    text = f"before {shown} after"
    plain = redactor.redact(text)
    assert "[PGPASSWORD]" in plain
    for part in (VALUE, VALUE.encode().hex(), "obviously-fake"):
        assert part not in plain
    for cut in range(len(text) + 1):
        stream = redactor.stream()
        assert stream.feed(text[:cut]) + stream.feed(text[cut:]) + stream.flush() == plain


def test_c2_the_file_is_for_the_owner_only_and_out_of_the_web(
    credentials: Credentials, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = registry.manifest("postgresql")
    assert credentials.state(manifest).warning == ""
    (tmp_path / ".env").chmod(0o644)
    assert "chmod 600" in credentials.state(manifest).warning
    (tmp_path / ".env").chmod(0o600)

    config = tmp_path / "jupyter"
    config.mkdir()
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(config))
    environ = {"JPY_SESSION_NAME": "job.ipynb"}
    served = Credentials(tmp_path, tmp_path / "home", environ)
    assert served.state(manifest).warning == ""
    (config / "jupyter_server_config.json").write_text('{"ContentsManager": {"allow_hidden": true}}')
    assert "can be read in the browser" in served.state(manifest).warning
    assert not hidden_files_served({})
    (config / "jupyter_server_config.json").unlink()
    (config / "jupyter_server_config.py").write_text("# c.ContentsManager.allow_hidden = True\n")
    assert not hidden_files_served(environ)
    (config / "jupyter_server_config.py").write_text("c.ContentsManager.allow_hidden = True\n")
    assert hidden_files_served(environ)
