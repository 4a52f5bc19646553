"""Which model holds the dialog. The only module that names a provider."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError

if TYPE_CHECKING:
    from pydantic_ai.models import Model
    from pydantic_ai.settings import ModelSettings

    from ..config import Settings
    from ..credentials import Credentials

__all__ = ["DEFAULT", "GUIDED", "ModelChoice", "build", "choose", "cost", "model_settings", "successor"]

GUIDED = "guided"
DEFAULT = "anthropic:claude-sonnet-4-5"
# End-of-life dates as the vendor's SDK (anthropic 2.11, deprecated models) gives them, and what follows.
RETIRED = {"claude-sonnet-4-5": (date(2026, 11, 30), "claude-sonnet-5-5")}
PROVIDERS = {"anthropic": "ANTHROPIC_API_KEY", "openai": "OPENAI_API_KEY", "deepseek": "DEEPSEEK_API_KEY"}


@dataclass(frozen=True)
class ModelChoice:
    """A model that can be used now. `notice` is a line to tell the user once."""

    provider: str
    name: str
    key: str = ""
    base_url: str = ""
    notice: str = ""

    def __repr__(self) -> str:
        return f"ModelChoice({self.label!r})"

    @property
    def guided(self) -> bool:
        """True where the guided planner stands in for a model."""
        return self.provider == GUIDED

    @property
    def label(self) -> str:
        """What the dialog's head shows."""
        return self.name


def choose(
    settings: Settings,
    credentials: Credentials,
    wanted: str = "",
    today: Callable[[], date] = lambda: datetime.now(UTC).date(),
) -> ModelChoice:
    """The model that was asked for, set, or is the default; the guided planner where there is no key.

    `wanted` is "guided", "provider:name", or a name of Anthropic's. Raises ConfigError in one sentence.
    """
    spec = (wanted or settings.model or DEFAULT).strip()
    if spec == GUIDED:
        return ModelChoice(GUIDED, "guided mode, as chosen")
    provider, colon, name = spec.partition(":")
    if not colon:
        provider, name = "anthropic", spec
    if provider not in PROVIDERS or not name:
        known = ", ".join(f"{entry}:NAME" for entry in PROVIDERS)
        raise ConfigError(f'"{spec}" names no model.', f"Use {known}, or guided.")
    key = credentials.model_key(provider)
    if not key:
        if wanted or settings.model:
            raise ConfigError(
                f"{spec} needs {PROVIDERS[provider]}.", "Put it into .env beside the notebook, or use --model guided."
            )
        return ModelChoice(GUIDED, "guided mode, no model key")
    choice = ModelChoice(provider, name, key, os.environ.get(f"{provider.upper()}_BASE_URL", ""))
    return _retire(choice, today())


def successor(choice: ModelChoice) -> ModelChoice | None:
    """The model that follows one which the vendor says is gone; None where nothing is known to follow."""
    if choice.name not in RETIRED:
        return None
    following = RETIRED[choice.name][1]
    notice = f"{choice.name} is no longer offered; using its successor {following}."
    return replace(choice, name=following, notice=notice)


def build(choice: ModelChoice) -> Model[Any]:
    """The pydantic-ai model of a choice."""
    if choice.guided:
        from .guided import guided_model

        return guided_model()
    if choice.provider == "anthropic":
        from anthropic import AsyncAnthropic
        from pydantic_ai.models.anthropic import AnthropicModel
        from pydantic_ai.providers.anthropic import AnthropicProvider

        # The SDK warns on each call of a model near its end of life; the user is told once, by `notice`.
        warnings.filterwarnings("ignore", message=".*model.*deprecated.*", category=DeprecationWarning)
        client = AsyncAnthropic(api_key=choice.key, base_url=choice.base_url or None, max_retries=2)
        return AnthropicModel(choice.name, provider=AnthropicProvider(anthropic_client=client))
    from openai import AsyncOpenAI
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    base_url = choice.base_url or ("https://api.deepseek.com" if choice.provider == "deepseek" else None)
    client_ = AsyncOpenAI(api_key=choice.key, base_url=base_url)
    return OpenAIChatModel(choice.name, provider=OpenAIProvider(openai_client=client_))


def model_settings(choice: ModelChoice) -> ModelSettings:
    """Settings of a request: prompt caching where the provider has it."""
    if choice.provider != "anthropic":
        return {}
    from pydantic_ai.models.anthropic import AnthropicModelSettings

    return AnthropicModelSettings(
        max_tokens=8_000, anthropic_cache_instructions=True, anthropic_cache_tool_definitions=True
    )


def cost(choice: ModelChoice, usage: Any) -> float | None:
    """USD for some usage at list prices; None where the price is not known."""
    if choice.guided:
        return 0.0
    from genai_prices import Usage, calc_price

    counted = Usage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_tokens,
    )
    try:
        return float(calc_price(counted, choice.name, provider_id=choice.provider).total_price)
    except LookupError:
        return None


def _retire(choice: ModelChoice, today: date) -> ModelChoice:
    end, following = RETIRED.get(choice.name, (None, ""))
    if end is None:
        return choice
    when = f"{end.day} {end:%B %Y}"
    if today > end:
        notice = f"{choice.name} was retired on {when}; using its successor {following}."
        return replace(choice, name=following, notice=notice)
    return replace(choice, notice=f"{choice.name} will be retired on {when}; {following} follows by itself.")
