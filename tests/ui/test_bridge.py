"""The kernel's half of the bridge in a real kernel; the front end's half is spoken here, message by message."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ui_front_end import FrontEnd

from integrator_magics.ui.bridge import script_name
from integrator_magics.ui.script_cells import cell_source

SETUP = """
import time
from integrator_magics.ui.bridge import AskingCell, Bridge, capture_cell
from integrator_magics.ui.dispatch import Dispatcher
from integrator_magics.ui.script_cells import ScriptCells
from integrator_magics import events as e
bridge = Bridge(Dispatcher())
bridge.open()
acks = []
SOURCE = "%%integration lead_sync\\nprint(1)"
"""


@pytest.fixture(scope="module")
def kernel() -> Iterator[Any]:
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(kernel_name="python3")
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.fixture
def page(kernel: Any) -> FrontEnd:
    page = FrontEnd(kernel)
    page.run(SETUP)
    assert page.comm
    return page


def test_without_a_front_end_the_script_is_kept_another_way(page: FrontEnd) -> None:
    started = time.monotonic()
    page.run("from pathlib import Path; placed = []")
    page.run(
        "ScriptCells(bridge, lambda name, code: Path(name + '.py')).put("
        "e.Wrote('lead_sync', 'print(1)', 'abc', 1), AskingCell(), placed.append)"
    )
    page.until("placed")
    assert time.monotonic() - started < 4
    assert page.run("print(bridge.available(), placed[0].how, placed[0].path)") == "False shown lead_sync.py"


def test_a_request_names_cell_tab_and_the_new_id_and_ends_with_the_answer(page: FrontEnd) -> None:
    page.hello("tab1")
    page.run("new = bridge.insert_cell(SOURCE, acks.append, at=AskingCell('cell1', 'tab1')); print(new)")
    (request,) = page.wait_for(1)
    assert request["below"] == "cell1"
    assert request["client"] == "tab1"
    page.say(type="ack", request_id=request["request_id"], client="tab1", ok=True, cell_id=request["new_id"])
    page.until("acks")
    assert page.run("print(acks[0].ok, acks[0].cell_id == new, bridge.path)") == "True True a.ipynb"


def test_a_silent_tab_is_given_up_for_the_one_that_came_last(page: FrontEnd) -> None:
    page.hello("old")
    page.hello("new")
    page.run("bridge.insert_cell(SOURCE, acks.append, at=AskingCell('cell1', 'old'))")
    first, second = page.wait_for(2)
    assert (first["client"], second["client"]) == ("old", "new")
    assert first["new_id"] == second["new_id"]


def test_a_page_that_comes_back_is_asked_again_and_the_caller_hears_both_ends(page: FrontEnd) -> None:
    page.hello("tab1")
    page.run("bridge.insert_cell(SOURCE, acks.append, at=AskingCell('cell1', 'tab1'))")
    page.until("acks")
    assert page.run("print(acks[0].why)") == "no answer"
    before = len(page.asked)
    page.hello("tab2")
    request = page.wait_for(before + 1)[-1]
    assert request["client"] == "tab2"
    page.say(type="ack", request_id=request["request_id"], client="tab2", ok=True, cell_id="x")
    page.until("len(acks) == 2 and acks[1].ok")


def test_a_magic_knows_its_cell_and_its_tab(page: FrontEnd) -> None:
    printed = page.run("at = capture_cell(); print(at.cell_id, bool(at.client))", metadata={"cellId": "cell7"})
    assert printed == "cell7 True"


def test_a_changed_script_replaces_the_cell_and_an_edited_one_gets_a_new_cell(page: FrontEnd) -> None:
    page.hello("tab1")
    page.run("placed = []; cells = ScriptCells(bridge); at = AskingCell('cell1', 'tab1')")
    page.run("cells.put(e.Wrote('lead_sync', 'print(1)\\n', 'aaaaaaaaaa', 1), at, placed.append)")
    insert = page.wait_for(1)[-1]
    assert insert["new_id"] == "integrator-lead_sync-aaaaaaaa"
    assert insert["source"] == "%%integration lead_sync\nprint(1)"
    page.say(type="ack", request_id=insert["request_id"], client="tab1", ok=True, cell_id=insert["new_id"])
    page.until("placed")
    page.run("cells.put(e.Wrote('lead_sync', 'print(2)\\n', 'bbbbbbbbbb', 2), at, placed.append)")
    replace = page.wait_for(2)[-1]
    assert (replace["type"], replace["cell_id"]) == ("replace_cell", insert["new_id"])
    page.say(type="ack", request_id=replace["request_id"], client="tab1", ok=False, why="edited")
    again = page.wait_for(3)[-1]
    assert (again["type"], again["new_id"]) == ("insert_cell", "integrator-lead_sync-bbbbbbbb")
    page.say(type="ack", request_id=again["request_id"], client="tab1", ok=True, cell_id=again["new_id"])
    page.until("len(placed) == 2")
    assert page.run("print(placed[1].how, cells.cell_of('lead_sync'))") == "beside integrator-lead_sync-bbbbbbbb"


@pytest.mark.parametrize(
    "source",
    [
        "print(1)",
        "",
        "!rm x",
        "%%integration",
        "%%integration Bad\n",
        "%%integration a b\n",
        " %%integration a\n",
        "\n%%integration a",
    ],
)
def test_other_sources_are_refused_before_they_are_sent(source: str) -> None:
    from integrator_magics.ui.bridge import AskingCell, Bridge
    from integrator_magics.ui.dispatch import Dispatcher

    failed: Callable[[Any], None] = pytest.fail
    assert script_name(source) is None
    with pytest.raises(ValueError, match="%%integration NAME"):
        Bridge(Dispatcher()).insert_cell(source, failed, at=AskingCell())


def test_the_cell_is_the_magic_line_and_the_file() -> None:
    assert cell_source("a", '"""Doc."""\nprint(1)\n') == '%%integration a\n"""Doc."""\nprint(1)'
    assert cell_source("a", "%%integration a\nx\n") == "%%integration a\nx"
