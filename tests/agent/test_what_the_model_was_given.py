"""What a model was given in a dialog: listed from the recorded requests, and without any credential (C7)."""

from __future__ import annotations

from pathlib import Path

import pytest
from stand_ins.anthropic_messages import MessagesServer, say, use

from integrator_magics.agent.sent import sent
from integrator_magics.session import Session

SECRET = "obviously-fake-key-4711"


def test_c7_requests_hold_no_credential_and_sent_lists_what_they_held(
    tmp_path: Path, state_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text(f"HUBSPOT_ACCESS_TOKEN={SECRET}\n")
    (tmp_path / ".env").chmod(0o600)
    with MessagesServer([use("find_drivers", text="hubspot"), say("HubSpot can be connected.")]) as server:
        monkeypatch.setenv("ANTHROPIC_API_KEY", server.key)
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.base_url)
        session = Session("a.ipynb", tmp_path)
        session.integrate("Which systems can you connect?")
        session.wait()
        given = server.traffic
        session.close()
    assert "Which systems can you connect?" in given
    assert SECRET not in given
    rows = sent(session.dialog.history)
    assert [row["what"] for row in rows] == ["instructions", "what you wrote", "result of find_drivers"]
    assert rows[1]["text"] == "Which systems can you connect?"
    assert rows[1]["model"].startswith("claude-sonnet")
    for row in rows[1:]:
        assert row["text"][:30].encode("unicode_escape").decode() in given
