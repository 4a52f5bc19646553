"""Which card shows which event."""

from __future__ import annotations

from ..events import Asked, Event, Explained, Failed, Mapped, Previewed, Step, Wrote
from .desk import Desk
from .mapping_card import MappingCard
from .still_cards import Card, PlaceCard, StepCard
from .waiting_cards import FailureCard, PreviewCard, QuestionCard

__all__ = ["make_card"]


def make_card(event: Event, desk: Desk) -> Card:
    """The card for an event."""
    if isinstance(event, Asked):
        return QuestionCard(event, desk)
    if isinstance(event, Previewed):
        return PreviewCard(event, desk)
    if isinstance(event, Failed):
        return FailureCard(event, desk)
    if isinstance(event, Step):
        return StepCard(event, desk)
    if isinstance(event, Mapped):
        return MappingCard(event, desk)
    if isinstance(event, (Wrote, Explained)):
        return PlaceCard(event, desk)
    return Card(event)
