"""Honest scripts pass, hostile ones do not, and each finding names its line and a way out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrator_magics.errors import PolicyRefused
from integrator_magics.policy import Label, allowed, classify, imports

DATA = Path(__file__).parent / "data"
CLIENTS = {
    "@sf": "from salesforce_driver import SalesforceClient\nsf = SalesforceClient()",
    "@pg": "from postgresql_driver import PostgresClient\npg = PostgresClient()",
}


def scripts(name: str) -> list[tuple[str, str, str]]:
    found = []
    for block in (DATA / name).read_text(encoding="utf-8").split("\n", 1)[1].split("\n---\n"):
        head, _, body = block.partition("\n")
        label, _, title = head.partition(" ")
        for short, code in CLIENTS.items():
            body = re.sub(rf"^{short}$", code, body, flags=re.MULTILINE)
        if name.startswith("hostile"):
            body = re.sub(r"(?<!\\)\\u([0-9a-f]{4})", lambda match: chr(int(match[1], 16)), body)
            body = body.replace("\\\\u", "\\u").replace("\\0", "\0").replace("\\r", "\r")
        found.append((label, title, body))
    return found


HOSTILE = scripts("hostile_scripts.txt")
HONEST = scripts("honest_scripts.txt")


def test_there_are_enough_scripts() -> None:
    assert len(HOSTILE) >= 60
    assert len(HONEST) >= 40


@pytest.mark.parametrize(("label", "title", "code"), HONEST, ids=[title for _, title, _ in HONEST])
def test_an_honest_script_passes(label: str, title: str, code: str) -> None:
    compile(code, title, "exec")
    verdict = classify(code)
    assert verdict.label == label, verdict.reasons
    assert allowed(code, "preview") == allowed(code, "apply") == verdict
    if label == "read":
        assert allowed(code, "discovery").reasons == []
    else:
        with pytest.raises(PolicyRefused, match=r"^Discovery only reads\. Line \d+ would .*, after your approval\.$"):
            allowed(code, "discovery")


@pytest.mark.parametrize(("labels", "title", "code"), HOSTILE, ids=[title for _, title, _ in HOSTILE])
def test_a_hostile_script_does_not(labels: str, title: str, code: str) -> None:
    verdict = classify(code)
    assert verdict.label in labels.rstrip("!").split(","), verdict
    with pytest.raises(PolicyRefused):
        allowed(code, "discovery")
    if labels == "write":
        assert allowed(code, "apply").label is Label.WRITE
    else:
        for mode in ("preview", "apply"):
            with pytest.raises(PolicyRefused):
                allowed(code, mode)


@pytest.mark.parametrize(("labels", "title", "code"), HOSTILE, ids=[title for _, title, _ in HOSTILE])
def test_a_finding_names_its_line_and_says_what_it_would_do(labels: str, title: str, code: str) -> None:
    for reason in classify(code).reasons:
        assert 1 <= reason.line <= code.count("\n") + code.count("\r") + 1
        assert reason.what
        assert not reason.what.endswith(".")
        assert reason.instead.endswith((".", "")) and "  " not in reason.instead


def test_sentences_are_those_people_read() -> None:
    script = "\n" * 10 + "from salesforce_driver import SalesforceClient\nSalesforceClient().insert('Lead', [{}])"
    with pytest.raises(PolicyRefused) as caught:
        allowed(script, "discovery")
    assert str(caught.value) == (
        "Discovery only reads. Line 12 would create a Lead in Salesforce; "
        "that belongs in the script, after your approval."
    )
    with pytest.raises(PolicyRefused) as caught:
        allowed(script.replace("insert", "delete"), "apply")
    assert str(caught.value) == (
        "Line 12 would delete in Salesforce (delete). This product never deletes records. I can write a report of "
        'what would be deleted, or set a "to delete" flag in a field you choose.'
    )
    with pytest.raises(PolicyRefused) as caught:
        allowed("import os", "apply")
    assert str(caught.value) == (
        "Line 1 would import os, which scripts here may not use. Nothing was run. "
        "Credentials come from the driver's client; file names are plain relative names."
    )


def test_systems_and_imports_are_told() -> None:
    code = "import postgresql_driver as p\nfrom salesforce_driver import SalesforceClient\nimport os"
    assert classify(code).systems == ["postgresql", "salesforce"]
    assert imports(code) == {"postgresql", "salesforce"}
    assert imports("this is no python") == set()


@pytest.mark.parametrize("prefix", ["sf", "client", "x", "data", "df"])
def test_the_name_of_a_client_does_not_matter(prefix: str) -> None:
    for labels, title, code in HOSTILE:
        renamed = re.sub(r"\b(?:sf|pg)\b", lambda match: f"{prefix}_{match[0]}", code)
        assert classify(renamed).label in labels.rstrip("!").split(","), title
    for label, title, code in HONEST:
        assert classify(re.sub(r"\b(?:sf|pg)\b", lambda match: f"{prefix}_{match[0]}", code)).label == label, title


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60))
def test_any_text_gets_a_verdict(text: str) -> None:
    assert classify(text).label in Label


@pytest.mark.parametrize(
    "code",
    [
        "(" * 5_000 + ")" * 5_000,
        "x = " + "-" * 50_000 + "1",
        "a" + ".b" * 20_000,
        "[" * 90 + "]" * 90,
        "x = 1\n" * 100_000,
    ],
)
def test_strange_shapes_get_a_verdict_and_not_an_error(code: str) -> None:
    assert classify(code).label in Label


@pytest.mark.parametrize("piece", [".b", ".b()", "[0].b", ".assign(a=lambda d: d.b)", ".b(a.b)", " + a.b"])
def test_long_chains_take_no_time(piece: str) -> None:
    assert classify("x = a" + piece * 150).label in Label


def test_a_client_is_followed_through_many_names() -> None:
    names = "\n".join(f"    a{n} = a{n - 1}" for n in range(40, 0, -1))
    code = (
        f"from salesforce_driver import SalesforceClient\nfor _ in range(50):\n{names}\n    a0 = SalesforceClient()\n"
    )
    assert classify(code + "    a40.rows2('Lead')").label is Label.UNKNOWN
    assert "Salesforce" in classify(code + "    a40.rows2('Lead')").reasons[0].what


def test_every_example_of_every_driver_is_allowed() -> None:
    from integrator_drivers import registry

    for name in registry.names():
        for path, text in registry.docs(name).items():
            if path.endswith(".py"):
                assert allowed(text, "apply"), (name, path)
