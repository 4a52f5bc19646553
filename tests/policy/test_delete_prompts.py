"""A wish to delete is noticed at once; leaving rows out of a result is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from integrator_magics.policy import asks_for_delete

LINES = (Path(__file__).parent / "data" / "delete_prompts.txt").read_text(encoding="utf-8").splitlines()
CASES = [line.partition(" ") for line in LINES if line and not line.startswith("#")]


@pytest.mark.parametrize("prompt", [text for said, _, text in CASES if said == "yes"])
def test_a_wish_to_delete_is_noticed(prompt: str) -> None:
    assert asks_for_delete(prompt)


@pytest.mark.parametrize("prompt", [text for said, _, text in CASES if said == "no"])
def test_other_wishes_are_not_taken_for_one(prompt: str) -> None:
    assert not asks_for_delete(prompt)


def test_a_long_prompt_takes_no_time() -> None:
    assert not asks_for_delete("drop rows without e-mail and sort them by name, " * 400)
    assert asks_for_delete("drop rows without e-mail and sort them by name, " * 400 + ". delete all leads")
