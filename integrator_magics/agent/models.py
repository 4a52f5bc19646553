"""Which model holds the dialog. The only module that names a provider."""

from __future__ import annotations

import os
import re
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from ..errors import ConfigError

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelMessage, ModelResponse
    from pydantic_ai.models import Model
    from pydantic_ai.settings import ModelSettings

    from ..config import Settings
    from ..credentials import Credentials

__all__ = [
    "DEFAULT",
    "GUIDED",
    "ModelChoice",
    "build",
    "choose",
    "close",
    "get_ready",
    "guided_choice",
    "is_ready",
    "model_settings",
    "spent",
    "successor",
]

GUIDED = "guided"
DEFAULT = "anthropic:claude-sonnet-4-5"
# End-of-life dates as the vendor's SDK gives them (anthropic 2.11, deprecated_models), and what follows.
_END = date(2026, 11, 30)
RETIRED = dict.fromkeys(("claude-sonnet-4-5", "claude-sonnet-4-5-20250929"), (_END, "claude-sonnet-5-5"))
MAX_TOKENS = 16_000  # of one answer; a long script has about 3,000


class _Provider(NamedTuple):
    label: str
    key_name: str
    base_url: str = ""


_PROVIDERS = {
    "anthropic": _Provider("Anthropic", "ANTHROPIC_API_KEY"),
    "openai": _Provider("OpenAI", "OPENAI_API_KEY"),
    "deepseek": _Provider("DeepSeek", "DEEPSEEK_API_KEY", "https://api.deepseek.com"),
}
COMPATIBLE = "openai-compatible"  # any server with OpenAI's chat completions: openai-compatible:MODEL@URL


@dataclass(frozen=True)
class ModelChoice:
    """A model that can be used now. `label` is what the dialog's head shows, `notice` a line to tell the user."""

    provider: str
    name: str
    label: str
    key: str = ""
    base_url: str = ""
    notice: str = ""

    def __repr__(self) -> str:
        return f"ModelChoice({self.provider}:{self.name})"

    @property
    def guided(self) -> bool:
        """True where the guided planner stands in for a model."""
        return self.provider == GUIDED

    @property
    def provider_label(self) -> str:
        """The provider as people call it."""
        return _PROVIDERS[self.provider].label if self.provider in _PROVIDERS else self.base_url or self.provider

    @property
    def key_name(self) -> str:
        """The variable that holds the key."""
        return _PROVIDERS[self.provider].key_name if self.provider in _PROVIDERS else "the key"


class Spent(NamedTuple):
    """Tokens and money of a dialog; `usd` is None where a price is not known."""

    input_tokens: int
    output_tokens: int
    usd: float | None


def guided_choice(why: str = "as chosen") -> ModelChoice:
    """The guided planner."""
    return ModelChoice(GUIDED, GUIDED, f"guided mode, {why}")


def choose(
    settings: Settings,
    credentials: Credentials,
    wanted: str = "",
    today: Callable[[], date] = lambda: datetime.now(UTC).date(),
    environ: Mapping[str, str] = os.environ,
) -> ModelChoice:
    """The model that was asked for, set, or is the default; the guided planner where there is no key.

    `wanted` is "guided", "provider:name", "openai-compatible:name@url", or the name of a model of the default
    provider. Raises ConfigError in one sentence.
    """
    spec = (wanted or settings.model or DEFAULT).strip()
    if spec == GUIDED:
        return guided_choice()
    provider, colon, name = spec.partition(":")
    if not colon:
        provider, name = DEFAULT.partition(":")[0], spec
    if provider == COMPATIBLE:
        return _compatible(spec, name, credentials)
    if provider not in _PROVIDERS or not name:
        known = ", ".join(f"{entry}:NAME" for entry in _PROVIDERS)
        raise ConfigError(f'"{spec}" names no model.', f"Use {known}, {COMPATIBLE}:NAME@URL, or guided.")
    facts = _PROVIDERS[provider]
    key = credentials.model_key(provider)
    if not key:
        if wanted or settings.model:
            raise ConfigError(
                f"{spec} needs {facts.key_name}.", f"`%connect {provider}` takes it, or use --model guided."
            )
        return guided_choice("no model key")
    base_url = environ.get(f"{provider.upper()}_BASE_URL") or facts.base_url
    return _retire(ModelChoice(provider, name, name, key, base_url), today())


def successor(choice: ModelChoice) -> ModelChoice | None:
    """The model that follows one which the vendor says is gone; None where nothing is known to follow."""
    if choice.provider != "anthropic" or choice.name not in RETIRED:
        return None
    following = RETIRED[choice.name][1]
    notice = f"{choice.name} is no longer offered; using its successor {following}."
    return replace(choice, name=following, label=following, notice=notice)


def build(choice: ModelChoice) -> Model:
    """The pydantic-ai model of a choice."""
    if choice.guided:
        from .guided import guided_model

        return guided_model()
    if choice.provider == "anthropic":
        from anthropic import AsyncAnthropic
        from pydantic_ai.models.anthropic import AnthropicModel
        from pydantic_ai.providers.anthropic import AnthropicProvider

        # The SDK warns on each call of a model near its end of life; the user is told once, by `notice`.
        for name in RETIRED:
            text = rf"The model '{re.escape(name)}' is deprecated"
            warnings.filterwarnings("ignore", message=text, category=DeprecationWarning)
        client = AsyncAnthropic(api_key=choice.key, base_url=choice.base_url or None, max_retries=2)
        return AnthropicModel(choice.name, provider=AnthropicProvider(anthropic_client=client))
    from openai import AsyncOpenAI
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.deepseek import DeepSeekProvider
    from pydantic_ai.providers.openai import OpenAIProvider

    client_ = AsyncOpenAI(api_key=choice.key, base_url=choice.base_url or None, max_retries=2)
    is_deepseek = choice.provider == "deepseek"
    provider = DeepSeekProvider(openai_client=client_) if is_deepseek else OpenAIProvider(openai_client=client_)
    return OpenAIChatModel(choice.name, provider=provider)


def is_ready(choice: ModelChoice) -> bool:
    """Whether the libraries that `build` needs are loaded."""
    return all(name in sys.modules for name in _libraries(choice))


def get_ready(choice: ModelChoice) -> None:
    """Load the libraries that `build` needs; takes a second or more. Blocks."""
    for name in _libraries(choice):
        import_module(name)


def _libraries(choice: ModelChoice) -> tuple[str, ...]:
    if choice.guided:
        return ("pydantic_ai", "pydantic_ai.models.function")
    family = "anthropic" if choice.provider == "anthropic" else "openai"
    return ("pydantic_ai", family, f"pydantic_ai.models.{family}")


async def close(model: Model) -> None:
    """Free the connections of a model that `build` made."""
    client = getattr(model, "client", None)
    if client is not None:
        await client.close()


def model_settings(choice: ModelChoice) -> ModelSettings:
    """Settings of a request: room for an answer, and prompt caching where the provider asks for it."""
    if choice.provider != "anthropic":
        return {}
    from pydantic_ai.models.anthropic import AnthropicModelSettings

    return AnthropicModelSettings(
        max_tokens=MAX_TOKENS,
        anthropic_cache_instructions=True,
        anthropic_cache_tool_definitions=True,
        anthropic_cache_messages=True,
    )


def spent(messages: Iterable[ModelMessage]) -> Spent:
    """What all answers of a dialog cost together, at list prices."""
    from pydantic_ai.messages import ModelResponse

    answers = [message for message in messages if isinstance(message, ModelResponse)]
    prices = [_price(answer) for answer in answers]
    known = [price for price in prices if price is not None]
    return Spent(
        sum(answer.usage.input_tokens for answer in answers),
        sum(answer.usage.output_tokens for answer in answers),
        sum(known) if len(known) == len(prices) else None,
    )


def _price(answer: ModelResponse) -> float | None:
    from genai_prices import Usage, calc_price

    if answer.provider_name not in _PROVIDERS:
        return 0.0 if answer.usage.total_tokens == 0 or answer.model_name == GUIDED else None
    usage = Usage(
        input_tokens=answer.usage.input_tokens,
        output_tokens=answer.usage.output_tokens,
        cache_read_tokens=answer.usage.cache_read_tokens,
        cache_write_tokens=answer.usage.cache_write_tokens,
    )
    try:
        return float(calc_price(usage, answer.model_name or "", provider_id=answer.provider_name).total_price)
    except LookupError:
        return None


def _compatible(spec: str, name: str, credentials: Credentials) -> ModelChoice:
    model, _, url = name.partition("@")
    if not model or not re.match(r"https?://[^\s/]+", url):
        raise ConfigError(f'"{spec}" names no model.', f"Write {COMPATIBLE}:MODEL@https://host/v1.")
    # Never OpenAI's own key: the address belongs to somebody else.
    key = credentials.model_key(COMPATIBLE) or "none"
    return ModelChoice(COMPATIBLE, model, model, key, url.rstrip("/"))


def _retire(choice: ModelChoice, today: date) -> ModelChoice:
    end, following = RETIRED.get(choice.name, (None, ""))
    if end is None or choice.provider != "anthropic":
        return choice
    when = f"{end.day} {end:%B %Y}"
    if today > end:
        notice = f"{choice.name} was retired on {when}; using its successor {following}."
        return replace(choice, name=following, label=following, notice=notice)
    return replace(choice, notice=f"{choice.name} will be retired on {when}; {following} follows by itself.")
