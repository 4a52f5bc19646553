"""Where values come from, what a driver gets, and how they are kept."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrator_drivers.manifest import EnvVar, Manifest
from integrator_magics.credentials import Credentials
from integrator_magics.errors import ConfigError, NotConnected

POSTGRES = Manifest(
    "postgresql",
    Path(),
    "",
    "postgresql_driver:PostgresClient",
    "PostgreSQL",
    env=(
        EnvVar("PGHOST", auth="password"),
        EnvVar("PGPORT", default="5432"),
        EnvVar("PGUSER", auth="password"),
        EnvVar("PGPASSWORD", secret=True, auth="password"),
        EnvVar("PG_READ_USER"),
    ),
)
SALESFORCE = Manifest(
    "salesforce",
    Path(),
    "",
    "salesforce_driver:SalesforceClient",
    "Salesforce",
    env=(
        EnvVar("SALESFORCE_DOMAIN", auth="client_credentials password"),
        EnvVar("SALESFORCE_CLIENT_ID", auth="client_credentials"),
        EnvVar("SALESFORCE_CLIENT_SECRET", secret=True, auth="client_credentials"),
        EnvVar("SALESFORCE_USERNAME", auth="password"),
        EnvVar("SALESFORCE_PASSWORD", secret=True, auth="password"),
        EnvVar("SALESFORCE_BASE_URL"),
    ),
)
FULL = {"PGHOST": "db.example", "PGUSER": "integrator", "PGPASSWORD": "fake-pass-1234"}


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("project", "home"):
        (tmp_path / name).mkdir()
    return tmp_path / "project", tmp_path / "home"


def write(folder: Path, **values: str) -> None:
    path = folder / ".env"
    path.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    path.chmod(0o600)


def test_what_is_missing_is_named_in_one_sentence(folders) -> None:
    with pytest.raises(NotConnected) as caught:
        Credentials(*folders, {}).env_for(POSTGRES)
    assert str(caught.value) == (
        "PostgreSQL needs PGHOST, PGUSER and PGPASSWORD in .env. "
        "Run `%connect postgresql` to fill them in, or `%integrator demo` to try with practice data."
    )
    with pytest.raises(
        NotConnected, match=r"PostgreSQL needs PGPASSWORD in \.env\. Run `%connect postgresql` to fill it"
    ):
        Credentials(*folders, {"PGHOST": "h", "PGUSER": "u", "PGPASSWORD": "  "}).env_for(POSTGRES)


def test_process_comes_before_project_before_home(folders) -> None:
    project, home = folders
    write(home, PGHOST="from-home", PGUSER="from-home", PGPASSWORD="from-home")
    write(project, PGHOST="from-project", PGUSER="from-project")
    credentials = Credentials(project, home, {"PGHOST": "from-process"})
    assert credentials.env_for(POSTGRES) == {
        "PGHOST": "from-process",
        "PGUSER": "from-project",
        "PGPASSWORD": "from-home",
    }
    state = credentials.state(POSTGRES)
    assert state.source == {"PGHOST": "process", "PGUSER": ".env", "PGPASSWORD": "home"}
    assert (state.connected, state.practice, state.missing, state.auth) == (True, False, [], "password")


def test_practice_values_stand_alone(folders) -> None:
    credentials = Credentials(*folders, {**FULL, "SALESFORCE_CLIENT_SECRET": "fake-real-secret"})
    credentials.use_practice(
        "salesforce", {"SALESFORCE_DOMAIN": "demo", "SALESFORCE_CLIENT_ID": "id", "NOT_DECLARED": "x"}
    )
    state = credentials.state(SALESFORCE)
    assert (state.connected, state.practice, state.missing) == (False, True, ["SALESFORCE_CLIENT_SECRET"])
    credentials.use_practice(
        "salesforce",
        {
            "SALESFORCE_DOMAIN": "demo",
            "SALESFORCE_CLIENT_ID": "id",
            "SALESFORCE_CLIENT_SECRET": "s",
            "NOT_DECLARED": "x",
        },
    )
    assert credentials.env_for(SALESFORCE) == {
        "SALESFORCE_DOMAIN": "demo",
        "SALESFORCE_CLIENT_ID": "id",
        "SALESFORCE_CLIENT_SECRET": "s",
    }
    assert set(credentials.state(SALESFORCE).source.values()) == {"practice"}
    assert credentials.practice["salesforce"] >= {"SALESFORCE_DOMAIN"}
    assert credentials.env_for(POSTGRES)["PGHOST"] == "db.example"
    credentials.drop_practice("salesforce")
    assert not credentials.state(SALESFORCE).practice
    assert not (folders[0] / ".env").exists()


def test_a_driver_gets_its_own_variables_and_one_complete_login(folders) -> None:
    environ = {
        **FULL,
        "SALESFORCE_DOMAIN": "acme",
        "SALESFORCE_CLIENT_ID": "only half of the first login",
        "SALESFORCE_USERNAME": "ann",
        "SALESFORCE_PASSWORD": "fake-pass-5678",
        "SALESFORCE_BASE_URL": "http://127.0.0.1:1",
        "AWS_SECRET_ACCESS_KEY": "fake",
    }
    assert Credentials(*folders, environ).env_for(SALESFORCE) == {
        "SALESFORCE_DOMAIN": "acme",
        "SALESFORCE_USERNAME": "ann",
        "SALESFORCE_PASSWORD": "fake-pass-5678",
        "SALESFORCE_BASE_URL": "http://127.0.0.1:1",
    }


def test_missing_names_belong_to_the_login_that_was_begun(folders) -> None:
    state = Credentials(*folders, {"SALESFORCE_DOMAIN": "acme", "SALESFORCE_USERNAME": "ann"}).state(SALESFORCE)
    assert state.missing == ["SALESFORCE_PASSWORD"]
    assert Credentials(*folders, {}).state(SALESFORCE).missing == [
        "SALESFORCE_DOMAIN",
        "SALESFORCE_CLIENT_ID",
        "SALESFORCE_CLIENT_SECRET",
    ]


def test_values_never_enter_the_environment_or_a_repr(folders) -> None:
    write(folders[0], **FULL)
    before = dict(os.environ)
    credentials = Credentials(*folders, {})
    env = credentials.env_for(POSTGRES)
    assert dict(os.environ) == before
    assert env["PGPASSWORD"] not in f"{credentials!r} {credentials.state(POSTGRES)!r} {credentials.redactor()!r}"


def test_a_changed_file_is_read_again(folders) -> None:
    project, _ = folders
    credentials = Credentials(*folders, {})
    assert not credentials.state(POSTGRES).connected
    write(project, **FULL)
    assert credentials.state(POSTGRES).connected
    (project / ".env").unlink()
    assert not credentials.state(POSTGRES).connected


def test_save_keeps_other_lines_and_is_for_the_owner_only(folders) -> None:
    project, _ = folders
    (project / ".env").write_text("# our systems\nOTHER='x y'\nPGHOST=old # where\n")
    (project / ".env").chmod(0o644)
    credentials = Credentials(*folders, {})
    assert credentials.save({"PGHOST": "new", "PGUSER": "u"}) == project / ".env"
    text = (project / ".env").read_text()
    assert text.startswith("# our systems\nOTHER='x y'\n")
    assert stat.S_IMODE((project / ".env").stat().st_mode) == 0o600
    assert [path.name for path in project.iterdir()] == [".env"]
    assert credentials.state(POSTGRES).source == {"PGHOST": ".env", "PGUSER": ".env"}
    credentials.save({"PGHOST": ""})
    assert credentials.state(POSTGRES).source == {"PGUSER": ".env"}


@pytest.mark.parametrize(
    "value",
    [
        "plain",
        "with 'single' and \"double\" quotes",
        "back\\slash and \\\\ two and \\n no newline",
        "ends with a backslash\\",
        "'",
        '"',
        "\\'",
        "real\nnewline\n",
        "-----BEGIN FAKE KEY-----\r\nabc\r\n-----END FAKE KEY-----\r\n",
        "# no comment",
        "a #b",
        "$HOME ${HOME} $(id) `id` %PATH%",
        "  spaces around  ",
        "ünïcödé 😀",
        "=;&|<>*?[]{}!~^",
        "\ttab\t",
    ],
)
def test_awkward_values_round_trip_exactly(folders, value: str) -> None:
    credentials = Credentials(*folders, {})
    credentials.save({**FULL, "PGPASSWORD": value})
    credentials.save({"PGUSER": "someone else"})
    assert credentials.env_for(POSTGRES) == {**FULL, "PGPASSWORD": value, "PGUSER": "someone else"}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(value=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1).filter(str.strip))
def test_any_value_is_kept_exactly_or_refused(folders, value: str) -> None:
    credentials = Credentials(*folders, {})
    try:
        credentials.save({**FULL, "PGPASSWORD": value})
    except ConfigError:
        return
    assert credentials.env_for(POSTGRES)["PGPASSWORD"] == value


def test_what_a_file_can_not_hold_is_refused_and_changes_nothing(folders) -> None:
    credentials = Credentials(*folders, {})
    credentials.save(FULL)
    for values in ({"PGPASSWORD": "a\0b"}, {"BAD NAME": "x"}, {"PGHOST": "new", "X\nPGUSER": "y"}):
        with pytest.raises(ConfigError):
            credentials.save(values)
    assert credentials.env_for(POSTGRES) == FULL


def test_a_file_that_others_may_read_is_warned_about(folders) -> None:
    project, _ = folders
    write(project, **FULL)
    credentials = Credentials(*folders, {})
    assert credentials.state(POSTGRES).warning == ""
    (project / ".env").chmod(0o644)
    assert "can be read by other users" in credentials.state(POSTGRES).warning
    assert Credentials(*folders, FULL).state(POSTGRES).warning == ""


def test_a_file_that_is_no_text_is_one_sentence(folders) -> None:
    (folders[0] / ".env").write_bytes(b"PGPASSWORD=\xff\xfe\n")
    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        Credentials(*folders, {}).state(POSTGRES)


def test_a_full_folder_is_one_sentence(folders) -> None:
    (folders[0] / ".env").mkdir()
    with pytest.raises(ConfigError, match="nothing was saved"):
        Credentials(*folders, {}).save(FULL)


def test_a_short_secret_is_warned_about(folders) -> None:
    warning = Credentials(*folders, {**FULL, "PGPASSWORD": "abc"}).state(POSTGRES).warning
    assert warning.startswith("PGPASSWORD is too short")


def test_a_password_that_is_a_systems_name_does_not_hide_that_name(folders) -> None:
    redactor = Credentials(*folders, {**FULL, "PGPASSWORD": "postgres"}).redactor()
    assert redactor.redact("PostgreSQL postgres postgresql_driver PGPASSWORD=postgres") == (
        "PostgreSQL postgres postgresql_driver PGPASSWORD=[PGPASSWORD]"
    )


def test_model_keys_are_found_by_provider(folders) -> None:
    write(folders[0], ANTHROPIC_API_KEY="sk-ant-fake")
    credentials = Credentials(*folders, {"E2B_API_KEY": "e2b_fake"})
    assert credentials.model_key("anthropic") == "sk-ant-fake"
    assert credentials.model_key("E2B") == "e2b_fake"
    assert credentials.model_key("openai") is None
    assert credentials.model_key("somebody") is None


def test_the_redactor_knows_every_secret_from_every_source(folders) -> None:
    project, home = folders
    write(home, PGPASSWORD="home-pass-1234", PGUSER="visible-user")
    write(project, WAREHOUSE_TOKEN="project-token-99", DATABASE_URL="postgres://u:in-the-url-1@h/db")
    credentials = Credentials(project, home, {"OPENAI_API_KEY": "process-key-1234", "PATH": "/usr/bin"})
    credentials.use_practice("postgresql", {"PGPASSWORD": "practice-pass-77"})
    text = "home-pass-1234 visible-user project-token-99 in-the-url-1 process-key-1234 /usr/bin practice-pass-77"
    assert credentials.redactor().redact(text) == (
        "[PGPASSWORD] visible-user [WAREHOUSE_TOKEN] [DATABASE_URL] [OPENAI_API_KEY] /usr/bin [PGPASSWORD]"
    )
    credentials.save({"NEW_SECRET": "came-later-123"})
    assert credentials.redactor().redact("came-later-123") == "[NEW_SECRET]"


def test_a_value_that_was_replaced_is_still_kept_out_of_text(folders) -> None:
    credentials = Credentials(*folders, {})
    credentials.save({"PGPASSWORD": "the-old-password"})
    credentials.redactor()
    credentials.save({"PGPASSWORD": "the-new-password"})
    assert credentials.redactor().redact("the-old-password the-new-password") == "[PGPASSWORD] [PGPASSWORD]"


def test_known_values_are_found_in_prompts(folders) -> None:
    credentials = Credentials(*folders, FULL)
    assert credentials.find_secret("connect with fake-pass-1234 please") == "PGPASSWORD"
    assert credentials.find_secret("connect please") is None


def test_no_heavy_library_is_needed(folders) -> None:
    code = (
        "import sys; from integrator_magics.credentials import Credentials; import integrator_magics.audit;"
        "print([m for m in ('dotenv', 'pandas', 'pydantic', 'httpx') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
