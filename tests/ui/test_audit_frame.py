"""`%audit` with filters: the records that fit, newest last."""

from __future__ import annotations

import argparse

import pytest

from integrator_magics.audit import AuditLog
from integrator_magics.errors import ConfigError
from integrator_magics.ui.audit_frame import audit_frame


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> AuditLog:
    log = AuditLog(tmp_path_factory.mktemp("log") / "audit")
    log.extend(
        [
            {"event": "prompt", "text": "sync leads"},
            {"event": "discovery", "system": "salesforce", "actor": "agent"},
            {"event": "preview", "name": "lead_sync", "systems": ["salesforce", "postgresql"]},
            {"event": "receipt", "name": "lead_sync", "counts": [{"system": "hubspot", "add": 2}], "person": "jana"},
        ]
    )
    return log


def found(log: AuditLog, count: int = 10, **filters: str) -> list[str]:
    names = ("event", "system", "name", "person", "actor", "since")
    wanted = argparse.Namespace(**{name: filters.get(name) for name in names})
    return list(audit_frame(log, count, wanted)["event"]) if len(audit_frame(log, count, wanted)) else []


def test_each_filter_finds_its_records(log: AuditLog) -> None:
    assert found(log, 2) == ["preview", "receipt"]
    assert found(log, event="prompt") == ["prompt"]
    assert found(log, system="salesforce") == ["discovery", "preview"]
    assert found(log, system="hubspot") == ["receipt"]
    assert found(log, name="lead_sync", person="jana") == ["receipt"]
    assert found(log, actor="agent") == ["discovery"]
    assert found(log, 1, name="lead_sync") == ["receipt"]
    assert found(log, since="2000-01-01")[-1] == "receipt"
    assert found(log, since="2999-01-01T00:00:00") == []


def test_a_date_that_is_none_is_said(log: AuditLog) -> None:
    with pytest.raises(ConfigError, match='"yesterday" is no date'):
        found(log, since="yesterday")
