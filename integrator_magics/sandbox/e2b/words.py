"""What went wrong with E2B, in a sentence that says what it means for the data and what to do next."""

from __future__ import annotations

from integrator_drivers import Mode

from ...errors import SandboxUnavailable

__all__ = ["EMBEDDED", "lost", "unavailable"]

EMBEDDED = "`%integrator config --sandbox embedded` runs scripts on this machine instead."


def unavailable(exc: Exception) -> SandboxUnavailable:
    """Why no machine could be had; nothing ran yet."""
    from e2b import AuthenticationException, RateLimitException, ServiceBusyException, TimeoutException

    if isinstance(exc, SandboxUnavailable):
        return exc
    if isinstance(exc, AuthenticationException):
        return SandboxUnavailable(
            "E2B refused the key, so nothing ran.", f"Put a valid E2B_API_KEY into .env (`%connect e2b`). {EMBEDDED}"
        )
    if isinstance(exc, RateLimitException):
        if "concurrent" in str(exc):
            return SandboxUnavailable(
                "This E2B account runs as many machines as it may at a time, so nothing ran.",
                f"Run the cell again when another run has ended. {EMBEDDED}",
            )
        return SandboxUnavailable(
            "E2B takes no more requests from this account at the moment, so nothing ran.",
            "Run the cell again in a minute.",
        )
    if isinstance(exc, ServiceBusyException):
        return SandboxUnavailable("E2B has no machine free at the moment, so nothing ran.", "Try again in a minute.")
    if isinstance(exc, TimeoutException) or _is_transport(exc):
        return SandboxUnavailable(
            "E2B did not answer, so nothing ran.", f"Check the connection and run the cell again. {EMBEDDED}"
        )
    said = str(exc).strip().splitlines()
    return SandboxUnavailable(
        "E2B could not make a machine ready, so nothing ran.",
        f"It said: {said[0][:300] if said else type(exc).__name__}",
    )


def lost(exc: Exception | None, mode: Mode) -> str:
    """Why a run can't be followed any more, and what that means for the data; None: the stream just ended."""
    from e2b import SandboxNotFoundException, SandboxNotRunningException

    if isinstance(exc, SandboxNotRunningException | SandboxNotFoundException):
        what = "The machine at E2B ended before the script did."
    else:
        what = "The connection to the machine at E2B broke off while the script ran."
    if mode is Mode.APPLY:
        return (
            f"{what} What the script had written until then stays written, how much is not known here. "
            "Run the cell again: its preview compares anew with what is there."
        )
    return f"{what} Nothing was written. Run the cell again."


def _is_transport(exc: Exception) -> bool:
    import httpx
    from connectrpc.errors import ConnectError

    return isinstance(exc, httpx.HTTPError | OSError | ConnectError)
