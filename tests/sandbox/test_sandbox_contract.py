"""What every back-end must do, whatever it is made of."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sandbox_runs import run_in

from integrator_drivers import Mode
from integrator_magics.sandbox import Egress, Limits, Outcome, Output, Reported, RunSpec, Sandbox


@pytest.fixture(params=["walled", "landlocked", "child", "e2b", "e2b_live"])
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    """Each back-end in turn."""
    found: Sandbox = request.getfixturevalue(request.param)
    return found


def test_a_script_runs_as_main_with_its_variables_and_nothing_else(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-fake-of-the-kernel")
    outcome = run(
        "import os, sys\nfrom integrator_drivers import report\n"
        "report('value', name='env', value=dict(os.environ))\n"
        "report('value', name='main', value=[__name__, sys.flags.isolated, sys.flags.utf8_mode, len(sys.argv)])\n",
        env={"PGHOST": "db.example", "INTEGRATOR_MODE": "discovery"},
    )
    values = {line["name"]: line["value"] for line in outcome.report}
    assert outcome.status == "ok"
    assert outcome.exit_code == 0
    assert values["main"] == ["__main__", 1, 1, 1]
    assert values["env"]["PGHOST"] == "db.example"
    assert values["env"]["INTEGRATOR_MODE"] == "discovery"
    assert "ANTHROPIC_API_KEY" not in values["env"]
    assert "fake-of-the-kernel" not in str(values["env"])


@pytest.mark.parametrize("value", ["it's", 'a "quoted" one', "back\\slash \\n", "two\nlines\r\n", "$HOME `id` é 😀"])
def test_values_arrive_exactly_and_stay_out_of_tracebacks(run: Any, value: str) -> None:
    outcome = run(
        "import os\nfrom integrator_drivers import report\n"
        "report('value', name='secret', value=os.environ['SECRET'])\n1/0\n",
        env={"SECRET": value},
    )
    assert outcome.report == [{"kind": "value", "name": "secret", "value": value}]
    assert outcome.status == "script_error"
    assert value not in repr(outcome.error)
    assert value not in outcome.stdout


def test_an_error_names_the_lines_of_the_script_only(run: Any) -> None:
    outcome = run("import json\n\ndef parse(text):\n    return json.loads(text)\n\nparse('{')\n")
    assert outcome.status == "script_error"
    assert outcome.exit_code == 1
    assert outcome.error is not None
    assert outcome.error.type == "JSONDecodeError"
    assert [(frame.line, frame.function) for frame in outcome.error.frames] == [(6, "<module>"), (4, "parse")]
    assert outcome.error.sentence.startswith("Line 4 of the script ended with JSONDecodeError: Expecting property name")


def test_a_syntax_error_names_its_line(run: Any) -> None:
    outcome = run("a = 1\nb = = 2\n")
    assert outcome.error is not None
    assert (outcome.error.type, outcome.error.frames[0].line) == ("SyntaxError", 2)


def test_an_encoding_comment_changes_nothing(run: Any) -> None:
    """Else a checker that reads the text and an interpreter that reads the file would see two scripts."""
    outcome = run("# coding: raw_unicode_escape\n# note\\u000aprint('hidden')\nprint('shown')\n")
    assert outcome.stdout == "shown\n"


@pytest.mark.parametrize("code", ["print('\ud800')", "x = 1\0", "\ufeffprint(1)", ""])
def test_odd_texts_end_in_an_outcome(run: Any, code: str) -> None:
    assert run(code).status in ("ok", "script_error")


def test_asking_the_user_is_the_end_of_input(run: Any) -> None:
    assert run("input('who?')").error.type == "EOFError"


def test_a_driver_error_keeps_its_sentence_through_run(run: Any) -> None:
    outcome = run(
        "from integrator_drivers import ObjectNotFoundError, run\n"
        "def main():\n    raise ObjectNotFoundError('Acme has no object \"Leed\". Did you mean Lead?', ['Lead'])\n"
        "run(main, None)\n",
        env={"INTEGRATOR_MODE": "discovery"},
    )
    assert outcome.error is not None
    assert outcome.error.sentence == 'Acme has no object "Leed". Did you mean Lead?'
    assert (outcome.error.type, outcome.error.driver, outcome.error.near) == ("ObjectNotFoundError", True, ("Lead",))


@pytest.mark.parametrize(
    ("ending", "status", "code"),
    [
        ("raise SystemExit", "ok", 0),
        ("raise SystemExit(0)", "ok", 0),
        ("raise SystemExit(3)", "script_error", 3),
        ("raise SystemExit('no rows today')", "script_error", 1),
        ("import os; os._exit(0)", "ok", 0),
        ("import os; os._exit(7)", "script_error", 7),
    ],
)
def test_exit_codes_come_through(run: Any, ending: str, status: str, code: int) -> None:
    outcome = run(ending)
    assert (outcome.status, outcome.exit_code) == (status, code)
    if "today" in ending:
        assert outcome.error.message == "no rows today"


def test_an_exit_code_alone_is_explained_by_the_last_line_printed(run: Any) -> None:
    outcome = run("import sys\nprint('The file has no header.', file=sys.stderr)\nsys.exit(2)\n")
    assert outcome.error.message == "The file has no header."


def test_events_arrive_while_the_script_runs(sandbox: Sandbox) -> None:
    """The script goes on only after its first lines were seen and answered with a stop."""
    code = (
        "from integrator_drivers import report\nimport time\n"
        "try:\n    report('progress', label='rows', done=1, total=2)\n    print('half way')\n    time.sleep(60)\n"
        "except KeyboardInterrupt:\n    report('progress', label='rows', done=2, total=2)\n"
    )
    session = sandbox.open(RunSpec(code=code, mode=Mode.PREVIEW, limits=Limits(seconds=50)))
    seen: list[Any] = []

    def listen(event: Any) -> None:
        seen.append(event)
        if {"Output", "Reported"} == {type(event).__name__ for event in seen}:
            session.cancel()

    try:
        outcome = session.run(listen)
    finally:
        session.close()
    assert outcome.status == "cancelled"
    assert [event.line["done"] for event in seen if isinstance(event, Reported)] == [1, 2]
    assert Output("stdout", "half way\n") in seen
    assert outcome.report == [{"kind": "progress", "label": "rows", "done": 2, "total": 2}]  # only where it ended


def test_printed_text_is_kept_in_order_and_bad_bytes_do_no_harm(run: Any) -> None:
    outcome = run("import os\nprint('é')\nos.write(1, b'\\xff\\xfe\\n')\nprint('end')\n")
    assert outcome.stdout == "é\n\ufffd\ufffd\nend\n"


def test_exit_functions_and_threads_are_waited_for(run: Any) -> None:
    outcome = run(
        "import atexit, threading\natexit.register(print, 'exit function')\n"
        "threading.Thread(target=lambda: print('thread')).start()\nprint('script')\n"
    )
    assert sorted(outcome.stdout.splitlines()) == ["exit function", "script", "thread"]
    assert outcome.stdout.endswith("exit function\n")


def test_what_is_no_report_line_is_left_out(run: Any) -> None:
    outcome = run(
        "import os\nfrom integrator_drivers import report\n"
        "with open(os.environ['INTEGRATOR_REPORT'], 'ab') as file:\n"
        "    file.write(b'not json\\n[1]\\n{\"kind\": 3}\\n\\xff\\xfe\\n' + b'[' * 100_000 + b'\\n')\n"
        "report('value', name='a', value=1)\n"
    )
    assert outcome.report == [{"kind": "value", "name": "a", "value": 1}]


def test_files_lie_in_the_folder_until_it_is_closed(sandbox: Sandbox) -> None:
    session = sandbox.open(RunSpec(code="open('out.csv', 'w').write('a\\n')", mode=Mode.APPLY))
    session.run(lambda event: None)
    folder = session.outputs
    assert (folder / "out.csv").read_text() == "a\n"
    session.close()
    session.close()
    assert not folder.exists()


def test_nothing_is_left_of_the_run_before(run: Any) -> None:
    run("import os, pathlib\nos.environ['LEFT'] = '1'\npathlib.Path('left').touch()\n")
    outcome = run(
        "import os, pathlib\nfrom integrator_drivers import report\n"
        "report('value', name='left', value=[os.environ.get('LEFT'), pathlib.Path('left').exists()])\n"
    )
    assert outcome.report[0]["value"] == [None, False]


def test_two_runs_at_once_do_not_meet(sandbox: Sandbox) -> None:
    outcomes: dict[str, Any] = {}

    def work(name: str) -> None:
        code = (
            f"import os\nfrom integrator_drivers import report\nreport('value', name=os.environ['WHO'], value='{name}')"
        )
        outcomes[name] = run_in(sandbox, code, env={"WHO": name})

    threads = [threading.Thread(target=work, args=(name,)) for name in ("one", "two", "three")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert {name: outcome.report[0]["name"] for name, outcome in outcomes.items()} == {
        name: name for name in ("one", "two", "three")
    }


@pytest.mark.parametrize("name", ["inside", "inside.wire", "runner", "script"])
def test_the_program_around_the_script_is_not_importable(run: Any, name: str) -> None:
    assert run(f"import {name}").error.type == "ModuleNotFoundError"


def test_drivers_and_pandas_are_importable(run: Any) -> None:
    outcome = run("import pandas, psycopg, simple_salesforce, integrator_drivers, salesforce_driver, postgresql_driver")
    assert outcome.status == "ok", outcome.error


def test_egress_is_named_once_as_event_and_counted(walled: Sandbox) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        threading.Thread(target=lambda: [server.accept()[0].close() for _ in range(2)], daemon=True).start()
        seen: list[Any] = []
        outcome = run_in(
            walled,
            f"import socket\nfor _ in range(2):\n    socket.create_connection(('127.0.0.1', {port})).recv(1)\n",
            egress=(("127.0.0.1", port),),
            on_event=seen.append,
        )
    assert outcome.egress == [{"host": "127.0.0.1", "port": port, "allowed": True, "count": 2}]
    assert [event for event in seen if isinstance(event, Egress)] == [Egress("127.0.0.1", port, True)]


def test_files_given_to_a_run_lie_in_its_folder(run: Callable[..., Outcome]) -> None:
    code = "print(open('integrator_state/a.json').read())\nopen('integrator_state/a.json', 'w').write('{}')"
    content = b'{"watermark": null}'
    for _ in range(2):  # each run has its own copy
        outcome = run(code, inputs={"integrator_state/a.json": content})
        assert (outcome.status, outcome.stdout) == ("ok", content.decode() + "\n")
