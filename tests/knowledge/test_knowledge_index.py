from __future__ import annotations

from pathlib import Path

import pytest

from integrator_magics.errors import IntegratorError
from integrator_magics.knowledge import Index


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    return Index(tmp_path_factory.mktemp("cache"))


def test_a_question_in_plain_words_finds_a_section_of_that_driver(index: Index) -> None:
    hits = index.search("which campaign did a lead come from?", ["salesforce"])
    assert hits
    assert {hit.driver for hit in hits} == {"salesforce"}
    assert "campaign" in index.read(hits[0].id).lower()


def test_examples_are_found_too(index: Index) -> None:
    assert any(hit.path.startswith("examples/") for hit in index.search("sync leads into a database", limit=10))


@pytest.mark.parametrize("query", ["", "   ", '"; DROP TABLE section', "NEAR(", "a AND", "col:x", "*", "'"])
def test_no_query_breaks_the_search(index: Index, query: str) -> None:
    index.search(query)


def test_an_unknown_section_is_refused(index: Index) -> None:
    with pytest.raises(IntegratorError, match="no section"):
        index.read("salesforce/nothing.md#0")


def test_the_index_is_made_anew_when_it_is_gone(tmp_path: Path) -> None:
    assert Index(tmp_path).search("lead")
    for path in tmp_path.iterdir():
        path.unlink()
    assert Index(tmp_path).search("lead")
