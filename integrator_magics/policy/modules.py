"""What a script may import, and which names of it it may use. Everything else is refused."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import ModuleType

from integrator_drivers import errors as driver_errors
from integrator_drivers.manifest import Manifest

from .tables import table, tables

__all__ = ["allowed_modules", "client_names", "driver_modules", "member_allowed", "why_not"]

_ERRORS = frozenset(driver_errors.__all__) - {"near_matches"}
_INSTEAD = {
    "os": "Credentials come from the driver's client; file names are plain relative names.",
    "requests": "Use the system's driver; `%drivers` lists them.",
    "subprocess": "Leave that step out; a script here only moves data.",
    "psycopg": "Use postgresql_driver: PostgresClient().read(...) or .query(...).",
    "simple_salesforce": "Use salesforce_driver: SalesforceClient().read(...) or .query(...).",
    "dotenv": "The runner sets the variables; the client reads them by itself.",
    "pickle": "Use json or csv.",
}
_SAME = {
    **dict.fromkeys(("httpx", "urllib3", "aiohttp", "urllib", "http", "socket", "ftplib", "smtplib"), "requests"),
    **dict.fromkeys(("psycopg2", "asyncpg", "pg8000", "sqlalchemy", "sqlite3"), "psycopg"),
    **dict.fromkeys(("marshal", "shelve", "dill", "cloudpickle", "joblib", "yaml"), "pickle"),
    **dict.fromkeys(("shutil", "glob", "tempfile", "sys"), "os"),
    **dict.fromkeys(("multiprocessing", "pty", "threading", "asyncio", "ctypes"), "subprocess"),
}


def driver_modules(manifests: Mapping[str, Manifest]) -> dict[str, str]:
    """Module -> driver."""
    return {entry.client.partition(":")[0]: name for name, entry in manifests.items()}


def allowed_modules(manifests: Mapping[str, Manifest]) -> set[str]:
    """Dotted names of modules a script may import."""
    fixed = {"pandas", "numpy", "integrator_drivers", "integrator_drivers.errors", "__future__"}
    return {*table("modules", "standard"), *fixed, *driver_modules(manifests)}


def client_names(manifests: Mapping[str, Manifest]) -> dict[tuple[str, str], str]:
    """(module, class) of every driver's client -> the driver's name."""
    found = {}
    for name, entry in manifests.items():
        module, _, cls = entry.client.partition(":")
        found[module, cls] = name
    return found


def member_allowed(module: str, name: str, manifests: Mapping[str, Manifest]) -> bool:
    """Whether a script may use this name of an allowed module."""
    if module in driver_modules(manifests):
        return (module, name) in client_names(manifests)
    if module == "integrator_drivers.errors":
        return name in _ERRORS
    if module in tables()["only"]:
        return name in table("only", module) or (module == "integrator_drivers" and name in _ERRORS)
    return module in table("modules", "standard") and name in _public(module)


def why_not(module: str) -> str:
    """What to use instead of a module that is not allowed."""
    top = module.partition(".")[0]
    fallback = "Use the drivers, pandas and the computing part of the standard library."
    return _INSTEAD.get(_SAME.get(top, top), fallback)


@cache
def _public(module: str) -> frozenset[str]:
    """Names of a standard module that are its own: no submodules, no modules it imported, nothing private."""
    found = import_module(module)
    names = getattr(found, "__all__", None) or [name for name in vars(found) if not name.startswith("_")]
    own = {name for name in names if not isinstance(getattr(found, name, None), ModuleType)}
    return frozenset(own) - tables()["except"].get(module, frozenset())
