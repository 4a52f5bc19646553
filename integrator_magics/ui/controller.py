"""What the user interface may ask of the session."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Controller"]


class Controller(Protocol):
    """The session, as buttons see it. Every call returns at once; what follows comes back as events."""

    def answer(self, text: str) -> None:
        """The user's answer to the open question, or the label of an option of a failure."""

    def approve(self, name: str, code: str, first: int | None = None) -> None:
        """Approve the preview that showed this code ("" on practice systems): all rows, or the first ones for now."""

    def reject(self, name: str, why: str) -> None:
        """Send the script back with a reason, which may be empty."""

    def confirm(self, name: str, yes: bool, why: str = "") -> None:
        """The answer to "Does this look right?" for a script that only reads."""

    def change(self, text: str) -> None:
        """A wish for the script that was written: the agent makes a new version of it."""

    def cancel(self) -> None:
        """End the dialog; what was done stays."""

    def start_again(self) -> None:
        """Begin a fresh dialog with the text of the same cell."""

    def stop_run(self, name: str) -> None:
        """Stop the run of one script; what is already written stays and is reported."""

    def retry(self) -> None:
        """Do the step that failed once more."""
