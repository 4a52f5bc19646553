"""The conformance suite: what every driver has to keep, checked with one call.

    from integrator_drivers.testing import assert_conforms
    assert_conforms("salesforce")

It looks at manifest and documents, runs every example against practice systems (preview and apply), and asks the client
wrong questions. In a pytest suite of its own, parametrise over `CHECKS` and call `run_check`.
"""

from .subject import Skipped, Subject
from .suite import CHECKS, Check, Problem, assert_conforms, conformance, run_check

__all__ = ["CHECKS", "Check", "Problem", "Skipped", "Subject", "assert_conforms", "conformance", "run_check"]
