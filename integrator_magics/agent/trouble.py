"""What a model's API says went wrong, in one sentence with what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ModelUnavailable

if TYPE_CHECKING:
    from .models import ModelChoice

__all__ = ["over_ceiling", "over_turns", "unavailable"]

KEPT = "Everything so far is kept."
GO_ON = "or go on in guided mode"


def over_ceiling(used: float, ceiling: float) -> ModelUnavailable:
    """The budget of the dialog is used up."""
    return ModelUnavailable(
        f"This dialog has used {used:.2f} USD, its ceiling{'' if used < ceiling + 0.005 else f' is {ceiling:.2f} USD'}."
        f" {KEPT}",
        f"Raise it with `%integrator config --ceiling {max(1, round(ceiling + 3))}`, {GO_ON}.",
    )


def over_turns(turns: int) -> ModelUnavailable:
    """Too many requests to the model within one turn."""
    return ModelUnavailable(
        f"The model was asked {turns} times for this and is not done, so it was stopped. {KEPT}",
        f"Say more exactly what you need, raise it with `%integrator config --turns {turns * 2}`, {GO_ON}.",
    )


def unavailable(exc: Exception, choice: ModelChoice) -> ModelUnavailable:
    """The error of a request to a model as one that a person can act on."""
    from pydantic_ai import exceptions as known

    model, again = choice.label, f"Try again in a minute, {GO_ON}."
    sentences: list[tuple[type[Exception], str, str]] = [
        (
            known.ModelAuthenticationError,
            f"{choice.provider_label} refused the key.",
            f"Check {choice.key_name} in .env, {GO_ON}.",
        ),
        (
            known.ModelQuotaExceededError,
            f"The account at {choice.provider_label} has no credit left.",
            f"Top it up there, {GO_ON}.",
        ),
        (known.ModelRateLimitError, f"{choice.provider_label} asks to slow down.", again),
        (known.ModelOverloadedError, f"{model} is overloaded.", again),
        (known.ModelServerError, f"{model} failed at {choice.provider_label}.", again),
        (known.ModelUnavailableError, f"{model} is not available now.", again),
        (
            known.ModelNotFoundError,
            f"{choice.provider_label} has no model {choice.name}.",
            f"Choose another with `%integrator config --model`, {GO_ON}.",
        ),
        (known.ModelTimeoutError, f"{model} did not answer in time.", again),
        (
            known.ModelConnectionError,
            f"{choice.provider_label} could not be reached.",
            f"Check the network, try again, {GO_ON}.",
        ),
        (
            known.ModelContextWindowExceededError,
            f"This dialog has become too long for {model}.",
            "Start a new one with `%%integrate --new`; scripts are kept.",
        ),
        (
            known.ContentFilterError,
            f"{choice.provider_label} did not let {model} answer this.",
            f"Say it in other words, {GO_ON}.",
        ),
        (
            known.OutputTokenLimitExceeded,
            f"The answer of {model} was too long and broke off.",
            "Ask for less at once.",
        ),
    ]
    for kind, what, following in sentences:
        if isinstance(exc, kind):
            return ModelUnavailable(f"{what} {KEPT}", following)
    if isinstance(exc, known.ModelHTTPError):
        return ModelUnavailable(f"{choice.provider_label} refused the request ({exc.status_code}). {KEPT}", again)
    if isinstance(exc, known.ModelAPIError):
        return ModelUnavailable(f"The connection to {model} broke off. {KEPT}", f"Try again, {GO_ON}.")
    return ModelUnavailable(f"The answer of {model} could not be understood. {KEPT}", f"Try again, {GO_ON}.")
