"""The list of checks, and the ways to run them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from . import asking, documents, running
from .subject import Skipped, Subject

__all__ = ["CHECKS", "Check", "Problem", "assert_conforms", "conformance", "run_check"]


class Check(NamedTuple):
    """One promise, and the function that lists what breaks it."""

    name: str  # a sentence
    function: Callable[[Subject], Iterable[str]]


class Problem(NamedTuple):
    """A promise that is broken, and how."""

    check: str
    what: str


CHECKS: tuple[Check, ...] = (
    Check("the manifest is complete", documents.manifest_is_complete),
    Check("the manifest says where joins and questions lead", documents.names_exist_in_the_schema),
    Check("the README has every section", documents.readme_has_every_section),
    Check("the docs folder has every page", documents.docs_are_there),
    Check("documents are readable without the vendor's library", documents.readable_without_the_library),
    Check("the standard schema has the shape of the contract", documents.schema_has_the_shape),
    Check("every example has the shape of a script", documents.examples_have_the_shape),
    Check("the client speaks the protocols", asking.speaks_the_protocols),
    Check("the client has no way to delete", asking.has_no_delete),
    Check("the client lists objects", asking.lists_objects),
    Check("fields have the shape of the contract", asking.fields_have_the_shape),
    Check("a read gives the fields it was asked for", asking.reads_what_was_asked),
    Check("an unknown object is answered with near matches", asking.unknown_object),
    Check("an unknown field is answered with near matches", asking.unknown_field),
    Check("discovery refuses to write", asking.discovery_refuses_writes),
    Check("every example runs as a preview and changes nothing", running.examples_preview),
    Check("every example runs, and a second time changes nothing", running.examples_apply),
    Check("requests are those that the manifest allows", running.requests_are_allowed),
)


def run_check(subject: Subject, check: Check) -> list[Problem]:
    """The problems that one check finds. Raises Skipped where it does not apply."""
    problems: list[Problem] = []
    try:
        for what in check.function(subject):
            problems.append(Problem(check.name, what))  # a check may stop half way
    except Skipped:
        if not problems:
            raise
    return problems


def conformance(name: str) -> list[Problem]:
    """Everything that keeps the driver `name` from conforming; empty when it does. Skipped checks are no problem."""
    problems: list[Problem] = []
    with Subject(name) as subject:
        for check in CHECKS:
            try:
                problems += run_check(subject, check)
            except Skipped:
                continue
    return problems


def assert_conforms(name: str) -> None:
    """Raise AssertionError listing the problems, one a line."""
    problems = conformance(name)
    if problems:
        raise AssertionError("\n".join([f"{name} does not conform:", *(f"- {p.check}: {p.what}" for p in problems)]))
