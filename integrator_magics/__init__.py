"""Build integrations in a notebook by saying what you need. `%load_ext integrator_magics` registers the magics."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__version__ = "0.1.0"
__all__ = ["__version__", "load_ipython_extension", "unload_ipython_extension"]


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Register the magics; prints nothing and imports nothing heavy."""
    from .magics import register

    register(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take the magics away again; a running dialog is cancelled and stays on disk."""
    from .magics import unregister

    unregister(shell)
