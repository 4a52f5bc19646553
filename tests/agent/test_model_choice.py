"""Which model is used, and what the user is told about it."""

from __future__ import annotations

import subprocess
import sys
import warnings
from datetime import date
from pathlib import Path

import pytest
from pydantic_ai.messages import ModelResponse, TextPart
from pydantic_ai.usage import RequestUsage

from integrator_magics.agent import ModelChoice, choose
from integrator_magics.agent.models import build, model_settings, spent, successor
from integrator_magics.config import Settings
from integrator_magics.credentials import Credentials
from integrator_magics.errors import ConfigError

KEYS = {"ANTHROPIC_API_KEY": "test-key-a", "OPENAI_API_KEY": "test-key-o", "DEEPSEEK_API_KEY": "test-key-d"}
LAST_DAY, AFTER = date(2026, 11, 30), date(2026, 12, 1)


def chosen(tmp_path: Path, wanted: str = "", today: date = LAST_DAY, keys: dict[str, str] | None = None,
           environ: dict[str, str] | None = None) -> ModelChoice:  # fmt: skip
    credentials = Credentials(tmp_path, tmp_path / "home", environ=KEYS if keys is None else keys)
    return choose(Settings(), credentials, wanted, lambda: today, environ or {})


def test_the_default_is_sonnet_4_5_until_its_last_day_with_a_word_of_what_follows(tmp_path: Path) -> None:
    choice = chosen(tmp_path)
    assert (choice.provider, choice.name) == ("anthropic", "claude-sonnet-4-5")
    assert (
        choice.notice == "claude-sonnet-4-5 will be retired on 30 November 2026; claude-sonnet-5-5 follows by itself."
    )


@pytest.mark.parametrize("wanted", ["", "claude-sonnet-4-5", "anthropic:claude-sonnet-4-5-20250929"])
def test_after_its_last_day_the_successor_is_used_and_said(tmp_path: Path, wanted: str) -> None:
    choice = chosen(tmp_path, wanted, AFTER)
    assert choice.name == choice.label == "claude-sonnet-5-5"
    assert choice.notice.endswith("was retired on 30 November 2026; using its successor claude-sonnet-5-5.")


def test_a_model_without_an_end_has_no_notice_and_no_successor(tmp_path: Path) -> None:
    choice = chosen(tmp_path, "claude-opus-5", AFTER)
    assert choice.notice == ""
    assert successor(choice) is None


@pytest.mark.parametrize(
    ("wanted", "provider", "name", "base_url"),
    [
        ("anthropic:claude-opus-5", "anthropic", "claude-opus-5", ""),
        ("openai:gpt-5.2", "openai", "gpt-5.2", ""),
        ("deepseek:deepseek-chat", "deepseek", "deepseek-chat", "https://api.deepseek.com"),
        ("openai-compatible:qwen3@http://127.0.0.1:8000/v1/", "openai-compatible", "qwen3", "http://127.0.0.1:8000/v1"),
    ],
)
def test_any_model_can_be_chosen(tmp_path: Path, wanted: str, provider: str, name: str, base_url: str) -> None:
    choice = chosen(tmp_path, wanted)
    assert (choice.provider, choice.name, choice.base_url) == (provider, name, base_url)
    assert build(choice).model_name == name


def test_an_address_of_somebody_else_never_gets_the_providers_key(tmp_path: Path) -> None:
    choice = chosen(tmp_path, "openai-compatible:qwen3@http://127.0.0.1:8000/v1")
    assert choice.key not in KEYS.values()


def test_the_address_can_be_set_for_a_proxy(tmp_path: Path) -> None:
    choice = chosen(tmp_path, environ={"ANTHROPIC_BASE_URL": "http://127.0.0.1:4000"})
    assert choice.base_url == "http://127.0.0.1:4000"


def test_without_a_key_the_guided_planner_takes_over_and_says_so(tmp_path: Path) -> None:
    choice = chosen(tmp_path, keys={})
    assert choice.guided
    assert choice.label == "guided mode, no model key"
    assert chosen(tmp_path, "guided").guided


def test_a_model_that_was_asked_for_without_its_key_is_an_error_with_the_variables_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"openai:gpt-5\.2 needs OPENAI_API_KEY\. `%connect openai` takes it"):
        chosen(tmp_path, "openai:gpt-5.2", keys={})


@pytest.mark.parametrize("wanted", ["mistral:large", "openai:", "openai-compatible:x", "openai-compatible:x@localhost"])
def test_a_name_that_means_no_model_says_what_may_be_written(tmp_path: Path, wanted: str) -> None:
    with pytest.raises(ConfigError, match="names no model"):
        chosen(tmp_path, wanted)


def test_the_vendors_warning_about_the_end_is_said_once_by_us_and_not_by_the_library(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        build(chosen(tmp_path))
        warnings.warn(
            "The model 'claude-sonnet-4-5' is deprecated and will reach end-of-life on November 30th, 2026.\nPlease",
            DeprecationWarning,
            stacklevel=1,
        )
        with pytest.raises(DeprecationWarning):
            warnings.warn("The model 'claude-9' is deprecated", DeprecationWarning, stacklevel=1)


def test_no_choice_shows_its_key(tmp_path: Path) -> None:
    assert "test-key" not in repr(chosen(tmp_path))


def test_caching_is_asked_for_where_the_provider_has_it(tmp_path: Path) -> None:
    assert model_settings(chosen(tmp_path))["anthropic_cache_instructions"] is True  # type: ignore[typeddict-item]
    assert model_settings(chosen(tmp_path, "openai:gpt-5.2")) == {}


def answer(model: str, provider: str | None, tokens: int = 1_000_000) -> ModelResponse:
    return ModelResponse(
        [TextPart("x")], usage=RequestUsage(input_tokens=tokens), model_name=model, provider_name=provider
    )


def test_money_is_summed_over_models_and_unknown_where_one_price_is() -> None:
    known = spent([answer("claude-sonnet-4-5", "anthropic"), answer("gpt-4o", "openai")])
    assert known.usd is not None
    assert known.usd > 3
    assert known.input_tokens == 2_000_000
    assert spent([answer("claude-sonnet-4-5", "anthropic"), answer("qwen3", "openai-compatible")]).usd is None
    assert spent([answer("guided", None, 12)]).usd == 0.0
    assert spent([]).usd == 0


def test_importing_the_room_loads_no_heavy_library() -> None:
    program = (
        "import sys, integrator_magics.agent as agent; agent.Agent, agent.choose\n"
        "heavy = {'pydantic_ai', 'anthropic', 'openai', 'pandas', 'pglast'} & set(sys.modules)\n"
        "sys.exit(', '.join(heavy) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
