"""A typed credential is noticed, and talk about credentials is not taken for one."""

from __future__ import annotations

from pathlib import Path

import pytest

from integrator_magics.credentials import find_format

DATA = Path(__file__).parent / "data"


def texts(name: str) -> list[str]:
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    return [line.replace("~", "") for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize("text", texts("secret_texts.txt"))
def test_a_secret_is_found(text: str) -> None:
    assert find_format(text)


@pytest.mark.parametrize("text", texts("harmless_texts.txt"))
def test_talk_about_secrets_is_no_secret(text: str) -> None:
    assert find_format(text) is None


def test_the_kind_is_said_and_the_value_is_not() -> None:
    assert find_format("sk-ant-" + "FAKEfakeFAKEfakeFAKEfake") == "an Anthropic key"
    assert find_format("postgres://ann:fake-pass-1@db/x") == "a password in an address"
    assert find_format("my password is fake-pass-1") == "a password"
    assert find_format("") is None


def test_a_long_text_is_looked_through_fast() -> None:
    text = "the token of the user is stored in the table; password: see vault. x" * 3_000
    assert find_format(text) is None
    assert find_format(text + " password=fake-pass-1") == "a password"
    assert find_format("a" * 100_000) is None
    assert find_format("://" + "a:" * 20_000) is None
