"""Numbers in bands, and bars for terminals."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from integrator_drivers import FieldNotFoundError, band, show
from integrator_drivers.showing import bars


@pytest.mark.parametrize(
    ("value", "said"),
    [(None, None), (0, "under 1"), (1, "1 to 9"), (9.5, "1 to 9"), (10, "10 to 99"), (Decimal(2500), "1,000 to 9,999")],
)
def test_a_number_lies_in_the_band_of_its_power_of_ten(value: float | None, said: str | None) -> None:
    assert band(value) == said


def test_bars_grow_with_their_numbers() -> None:
    assert bars([("Web", 4), ("Fair", 2.0), ("Tiny", None)], width=8) == ["Web   ######## 4", "Fair  #### 2", "Tiny  -"]


def test_show_reports_which_column_is_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTEGRATOR_REPORT", str(tmp_path / "report"))
    show([{"name": "a", "n": 1}], name="rows", chart="n")
    assert json.loads((tmp_path / "report").read_text())["chart"] == "n"
    with pytest.raises(FieldNotFoundError, match='no column "m"'):
        show([{"name": "a", "n": 1}], chart="m")


def test_a_chart_is_printed_where_nobody_listens(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("INTEGRATOR_REPORT", raising=False)
    show([{"name": "a", "n": 2}, {"name": "b", "n": 1}], chart="n")
    assert capsys.readouterr().out.splitlines()[-1] == f"b  {'#' * 20} 1"
