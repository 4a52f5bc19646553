"""Checks of what a driver says about itself. None of them needs its system, or its library."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator

from .. import registry
from .shapes import field_problems
from .subject import Skipped, Subject

__all__ = [
    "docs_are_there",
    "examples_have_the_shape",
    "manifest_is_complete",
    "names_exist_in_the_schema",
    "readable_without_the_library",
    "readme_has_every_section",
    "schema_has_the_shape",
]

SECTIONS = {  # what a section is about -> what its heading says
    "overview": r"overview",
    "pitfalls": r"pitfalls?",
    "limits": r"limits?|limitations?",
    "best practices": r"best practices?",
    "how to use the library": r"how to use|library|usage",
    "when to discover and when not": r"discover",
    "variables in .env": r"\.env|variables?",
}
PAGES = ("overview", "api_reference", "common_patterns")
SECRET = re.compile(r"SECRET|PASSWORD|TOKEN|(?:^|_)KEY$")
HEADING = re.compile(r"^#{1,3} +(.+)$", re.MULTILINE)
PYTHON = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
METHOD = re.compile(r"(?:GET|POST|PUT|PATCH|DELETE|HEAD|\*) +\S+")


def manifest_is_complete(subject: Subject) -> Iterator[str]:
    """Purpose, ways to log in, hosts, HTTP rules: what %connect, egress and approval read."""
    manifest = subject.manifest
    if not 10 <= len(manifest.purpose) <= 120:
        yield "purpose is one line of 10 to 120 characters"
    if not manifest.aliases:
        yield "there is no alias"
    if manifest.name != manifest.folder.name.removesuffix("_driver"):
        yield f"the folder {manifest.folder.name} is not called {manifest.name}_driver"
    if not re.fullmatch(r"\w+_driver:\w+", manifest.client):
        yield f'client = "{manifest.client}" is not "{manifest.name}_driver:Client"'
    if not manifest.auth_groups:
        yield "no variable belongs to a way to log in (auth = ...)"
    for variable in manifest.env:
        if not variable.help:
            yield f"{variable.name} has no help"
        if bool(SECRET.search(variable.name)) != variable.secret:
            yield f"{variable.name} {'looks like' if not variable.secret else 'does not look like'} a secret"
    if not manifest.hosts:
        yield "there is no [[host]]"
    if not manifest.practice:
        yield "there is no practice system"
    if manifest.kind == "saas":
        yield from _http_problems(manifest.http)
        if not manifest.words:
            yield "there are no [words] for its objects"
        if not manifest.scopes:
            yield "there are no [scopes]"


def names_exist_in_the_schema(subject: Subject) -> Iterator[str]:
    """Joins, questions, words and scopes name objects and fields of the standard schema."""
    schema = registry.standard_schema(subject.manifest.name)
    if not schema:
        raise Skipped("it has no standard schema")
    manifest = subject.manifest

    def missing(path: str) -> bool:
        obj, _, field = path.partition(".")
        return obj not in schema or bool(field and field not in schema[obj]["fields"])

    for join in manifest.joins:
        for path in (join.start, join.to):
            if missing(path):
                yield f"[[join]] names {path}, which the standard schema does not have"
    for question in manifest.questions:
        if question.object not in schema:
            yield f"[[question]] is about {question.object}, which the standard schema does not have"
        for choice in question.choices:
            if "label" not in choice or not ("field" in choice) ^ ("join" in choice):
                yield f"[[question]]: a choice has a label and either field or join: {dict(choice)}"
            field = choice.get("field", "")
            if field and "." not in field and missing(f"{question.object}.{field}"):
                yield f"[[question]] offers {question.object}.{field}, which the standard schema does not have"
            if choice.get("join") and missing(choice["join"]):
                yield f"[[question]] offers {choice['join']}, which the standard schema does not have"
    for name in manifest.words:
        if missing(name):
            yield f"[words] names {name}, which the standard schema does not have"


def readme_has_every_section(subject: Subject) -> Iterator[str]:
    """As a senior briefs a junior; every variable is explained, and every example in it is Python."""
    text = subject.docs.get("README.md", "")
    if not text:
        yield "there is no README.md"
        return
    headings = [heading.strip().lower() for heading in HEADING.findall(text)]
    for section, pattern in SECTIONS.items():
        if not any(re.search(pattern, heading) for heading in headings):
            yield f'README.md has no section "{section}"'
    for variable in subject.manifest.env:
        if variable.name not in text:
            yield f"README.md does not mention {variable.name}"
    yield from _code_problems("README.md", text)


def docs_are_there(subject: Subject) -> Iterator[str]:
    """docs/ has an overview, the API reference and common patterns, each with a title and something to read."""
    for page in PAGES:
        text = subject.docs.get(f"docs/{page}.md", "")
        if not text.startswith("# ") or len(text) < 300:
            yield f"docs/{page}.md is missing, too short or has no title"
    for path, text in subject.docs.items():
        if path.startswith("docs/"):
            yield from _code_problems(path, text)


def readable_without_the_library(subject: Subject) -> Iterator[str]:
    """Manifest, README and schema can be read where the vendor's library is not installed."""
    manifest = subject.manifest
    blocked = [re.split(r"[\[<>=!~ ;]", name)[0].replace("-", "_") for name in manifest.requires]
    code = (
        "import json, sys\n"
        "blocked, driver = json.loads(sys.argv[1])\n"
        "class Block:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in blocked: raise ImportError(name)\n"
        "sys.meta_path.insert(0, Block())\n"
        "from integrator_drivers import registry\n"
        "registry.manifest(driver); assert registry.docs(driver); registry.standard_schema(driver)\n"
        "assert not [name for name in sys.modules if name.endswith('_driver')], 'a driver was imported'\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps([blocked, manifest.name])],
        env={"PYTHONPATH": ":".join(sys.path), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode:
        yield (done.stderr.strip().splitlines() or ["it failed without a word"])[-1]


def schema_has_the_shape(subject: Subject) -> Iterator[str]:
    """schema.json: object -> label, purpose, fields."""
    schema = registry.standard_schema(subject.manifest.name)
    if not schema:
        if subject.manifest.kind == "saas":
            yield "there is no schema.json"
            return
        raise Skipped("its objects are whatever the user made")
    for name, described in schema.items():
        for key in ("label", "purpose"):
            if not isinstance(described.get(key), str) or not described[key]:
                yield f"{name} has no {key}"
        yield from field_problems(name, described.get("fields", {}))


def examples_have_the_shape(subject: Subject) -> Iterator[str]:
    """The whole file is what a cell holds: header, docstring, SCHEDULE, main(), run(main, SCHEDULE)."""
    if not subject.examples:
        yield "there is no example"
    for name, path in subject.examples.items():
        text = path.read_text(encoding="utf-8")
        try:
            tree = ast.parse(text)
        except SyntaxError as exc:
            yield f"{name} is no Python: {exc.msg} in line {exc.lineno}"
            continue
        header = re.match(r"# /// script\n((?:#(?: .*)?\n)+?)# ///\n", text)
        if not header:
            yield f"{name} does not start with a script header"
        else:
            data = tomllib.loads(re.sub(r"^# ?", "", header[1], flags=re.MULTILINE))
            extras = ",".join(subject.needed_by(path))
            if data.get("dependencies") != [f"integrator-drivers[{extras}]"]:
                yield f'{name} does not depend on "integrator-drivers[{extras}]"'
        if not ast.get_docstring(tree):
            yield f"{name} has no docstring"
        if not re.search(r"^SCHEDULE = None$", text, re.MULTILINE):
            yield f"{name} has no line SCHEDULE = None"
        if not re.search(r"^def main\(\) -> None:$", text, re.MULTILINE) or "    run(main, SCHEDULE)\n" not in text:
            yield f"{name} does not end in run(main, SCHEDULE)"


def _http_problems(http: object) -> Iterator[str]:
    if not isinstance(http, dict) or set(http) - {"read", "write", "never", "rows"} or not http.get("read"):
        yield "[http] has read, write, never and rows"
        return
    for kind in ("read", "write", "never"):
        for rule in http.get(kind, ()):
            on = rule.get("on", "") if isinstance(rule, dict) else rule
            if not METHOD.fullmatch(str(on)):
                yield f'[http] {kind}: "{on}" is not a method and a path'
            elif kind != "never" and str(on).startswith(("DELETE", "*")):
                yield f'[http] {kind} allows "{on}"'
    if "DELETE **" not in http.get("never", ()):
        yield '[http] never does not name "DELETE **"'


def _code_problems(path: str, text: str) -> Iterator[str]:
    for block in PYTHON.findall(text):
        try:
            ast.parse(block)
        except SyntaxError as exc:
            yield f"{path}: a code block is no Python ({exc.msg}: {(exc.text or '').strip()})"
