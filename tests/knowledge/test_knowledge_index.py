from __future__ import annotations

import statistics
import threading
import time
from pathlib import Path

import pytest

from integrator_drivers import registry
from integrator_magics.errors import IntegratorError
from integrator_magics.knowledge import Index
from integrator_magics.knowledge.sections import SIZE, sections, spoken


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    return Index(tmp_path_factory.mktemp("cache"))


def test_a_question_in_plain_words_finds_a_section_of_that_driver(index: Index) -> None:
    hits = index.search("which campaign did a lead come from?", ["salesforce"])
    assert hits
    assert {hit.driver for hit in hits} == {"salesforce"}
    assert "campaign" in index.read(hits[0].id).lower()


@pytest.mark.parametrize(
    ("question", "driver", "word"),
    [
        ("what are the API limits", "salesforce", "limit"),
        ("how do I update known rows by key", "postgresql", "key"),
        ("lead source", "salesforce", "LeadSource"),
        ("where does the password go", "salesforce", "SALESFORCE"),
        ("which role should I use for reading only", "postgresql", "PG_READ"),
    ],
)
def test_the_first_hits_hold_what_was_asked_for(index: Index, question: str, driver: str, word: str) -> None:
    hits = index.search(question, [driver])
    assert any(word.lower() in index.read(hit.id).lower() for hit in hits[:3]), hits


def test_examples_are_found_too(index: Index) -> None:
    assert any(hit.path.startswith("examples/") for hit in index.search("sync leads into a database", limit=10))


def test_an_excerpt_is_one_line_around_the_words(index: Index) -> None:
    hit = index.search("campaign member", ["salesforce"])[0]
    assert "\n" not in hit.excerpt
    assert len(hit.excerpt) < 600


@pytest.mark.parametrize(
    "query", ["", "   ", '"; DROP TABLE section', "NEAR(", "a AND", "col:x", "*", "'", "_", "the of"]
)
def test_no_query_breaks_the_search(index: Index, query: str) -> None:
    index.search(query)


def test_an_unknown_section_is_refused(index: Index) -> None:
    with pytest.raises(IntegratorError, match="no section"):
        index.read("salesforce/nothing.md#0")


def test_the_index_is_made_anew_when_it_is_gone_or_damaged(tmp_path: Path) -> None:
    index = Index(tmp_path)
    assert index.search("lead")
    (path,) = tmp_path.iterdir()
    path.unlink()
    assert index.search("lead")
    path.write_bytes(b"no database at all" * 100)
    assert index.search("lead")
    assert Index(tmp_path).search("lead")


def test_a_changed_document_is_found_and_the_old_file_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not Index(tmp_path).search("zebrafinch")
    docs = registry.docs
    monkeypatch.setattr(registry, "docs", lambda name: {**docs(name), "docs/new.md": "# News\n\nThe zebrafinch."})
    (hit, *_) = Index(tmp_path).search("zebrafinch", ["salesforce"])
    assert (hit.path, hit.heading) == ("docs/new.md", "News")
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_that_can_not_be_written_is_no_obstacle(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    assert Index(blocked / "cache").search("lead")


def test_many_threads_may_ask_at_once(tmp_path: Path) -> None:
    index = Index(tmp_path)
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(len(index.search("lead campaign")))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [5] * 8


def test_a_query_takes_some_milliseconds_at_most(index: Index) -> None:
    index.search("lead")
    taken = []
    for question in [
        "how do leads and campaigns belong together",
        "update rows by key",
        "limits",
        "login password",
    ] * 10:
        started = time.perf_counter()
        index.search(question, ["salesforce", "postgresql"])
        taken.append(time.perf_counter() - started)
    assert statistics.median(taken) < 0.05  # 1 ms on a quiet machine


def test_sections_follow_headings_and_leave_nothing_out() -> None:
    text = "# Top\n\nintro\n\n## One\n\n```sh\n# no heading\nls\n```\n\n### Deep\n\nx\n\n## Two\n\ny\n"
    found = list(sections("docs/a.md", text))
    assert [entry.heading for entry in found] == ["Top", "Top > One", "Top > One > Deep", "Top > Two"]
    assert "# no heading" in found[1].text
    assert "".join("".join(entry.text.split()) for entry in found) == "".join(text.split())


def test_a_long_section_is_cut_between_paragraphs() -> None:
    text = "# Long\n\n" + "\n\n".join(f"paragraph {number} " + "word " * 60 for number in range(80))
    found = list(sections("docs/a.md", text))
    assert len(found) > 3
    assert all(len(entry.text) <= SIZE for entry in found)
    assert found[1].heading == "Long (2)"
    assert all(entry.text.startswith("paragraph") for entry in found[1:])


def test_every_document_of_every_driver_is_there_whole(index: Index) -> None:
    for name in registry.names():
        for path, text in registry.docs(name).items():
            parts = [index.read(f"{name}/{path}#{number}") for number, _ in enumerate(sections(path, text))]
            assert "".join("".join(part.split()) for part in parts) == "".join(text.split())


def test_joined_names_are_found_by_their_words() -> None:
    assert spoken("read LeadSource and ConvertedOpportunityId of leads") == "Converted Opportunity Id Lead Source"
