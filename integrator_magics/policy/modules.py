"""What a script may import, and which names of it it may use. Everything else is refused."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import ModuleType

from integrator_drivers import errors as driver_errors
from integrator_drivers.manifest import Manifest

__all__ = ["DIRECT_ONLY", "allowed_modules", "client_names", "member_allowed", "why_not"]

# Standard library that computes and formats, and neither opens files nor starts anything. For pathlib see `paths`.
_STANDARD = (
    "bisect calendar collections collections.abc contextlib copy csv dataclasses datetime decimal difflib email.utils enum"
    " fractions functools hashlib heapq html io itertools json logging math numbers operator pathlib random re statistics"
    " string sys textwrap time typing unicodedata urllib.parse uuid zoneinfo"
).split()
_NOT = {
    "collections": {"namedtuple"},  # allowed below: its field names are plain text
    "contextlib": {"redirect_stdout", "redirect_stderr", "chdir"},
    "copy": {"Error"},
    "dataclasses": {"make_dataclass"},
    "functools": {"singledispatch", "singledispatchmethod"},
    "hashlib": {"file_digest"},
    "io": {"open", "open_code", "FileIO", "OpenWrapper"},
    "json": {"detect_encoding"},
    "logging": {
        "FileHandler",
        "captureWarnings",
        "raiseExceptions",
        "setLoggerClass",
        "setLogRecordFactory",
        "shutdown",
    },
    "string": {"Formatter"},
    "time": {"clock_settime", "clock_settime_ns", "pthread_getcpuclockid", "tzset"},
    "typing": {"get_type_hints", "ForwardRef", "evaluate_forward_ref"},
    "uuid": {"uuid1", "getnode", "bytes_", "int_", "main"},
    "zoneinfo": {"reset_tzpath", "TZPATH"},
}
_ONLY = {
    "collections": set(
        "ChainMap Counter OrderedDict UserDict UserList UserString abc defaultdict deque namedtuple".split()
    ),
    "email.utils": set(
        "formataddr format_datetime formatdate parseaddr parsedate parsedate_to_datetime getaddresses".split()
    ),
    "io": {"StringIO", "BytesIO", "TextIOWrapper"},
    "logging": set(
        "CRITICAL DEBUG ERROR INFO WARN WARNING NOTSET Formatter Logger LoggerAdapter NullHandler StreamHandler basicConfig"
        " critical debug error exception getLogger info log warning disable getLevelName".split()
    ),
    "pathlib": {"Path", "PurePath", "PurePosixPath"},
    "sys": {"exit", "stderr", "stdout", "maxsize", "version_info"},
    "random": set("Random choice choices randint random randrange sample seed shuffle uniform gauss".split()),
    "pandas": set(
        "DataFrame Series Index MultiIndex Categorical CategoricalDtype Timestamp Timedelta Period NA NaT Grouper NamedAgg"
        " concat merge merge_asof merge_ordered to_datetime to_numeric to_timedelta isna isnull notna notnull date_range"
        " period_range cut qcut pivot pivot_table crosstab get_dummies unique factorize melt wide_to_long json_normalize"
        " option_context set_option Interval IntervalIndex DatetimeIndex DateOffset Int64Dtype StringDtype BooleanDtype array"
        " read_csv read_json read_excel read_parquet __version__ offsets errors api types tseries".split()
    )
    - {"api", "types", "tseries", "errors", "offsets"},
    "numpy": set(
        "array asarray arange nan inf pi e isnan isfinite isinf isclose where select mean nanmean median nanmedian std var sum"
        " nansum min max nanmin nanmax minimum maximum round around abs absolute log log10 log1p exp sqrt ceil floor clip sign"
        " unique concatenate stack vstack hstack cumsum cumprod diff percentile quantile linspace zeros ones full empty_like"
        " zeros_like ones_like full_like nan_to_num int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64 bool_"
        " str_ object_ datetime64 timedelta64 ndarray argsort sort searchsorted any all count_nonzero nonzero isin in1d"
        " average dot corrcoef histogram digitize add subtract multiply divide power mod number integer floating generic".split()
    ),
    "integrator_drivers": {
        *"Condition Field Identity Mode ObjectInfo Receipt Record Records Rejected Source Target WriteResult".split(),
        *"current_mode days_ago errors join now run show start_of sync".split(),
        *driver_errors.__all__,
    }
    - {"near_matches"},
    "integrator_drivers.errors": set(driver_errors.__all__) - {"near_matches"},
}
# Callables that are judged by their arguments, so they may only stand where they are called.
DIRECT_ONLY = frozenset(
    {
        "open",
        "type",
        "hasattr",
        "Path",
        "PurePath",
        "PurePosixPath",
        "attrgetter",
        "methodcaller",
        "sync",
        "basicConfig",
    }
    | {"read_csv", "read_json", "read_excel", "read_parquet"}
)
_INSTEAD = {
    "os": "Credentials come from the driver's client; file names are plain relative names.",
    "requests": "Use the system's driver; `%drivers` lists them.",
    "subprocess": "Leave that step out; a script here only moves data.",
    "sqlalchemy": "Use postgresql_driver: PostgresClient().read(...) or .query(...).",
    "psycopg": "Use postgresql_driver: PostgresClient().read(...) or .query(...).",
    "simple_salesforce": "Use salesforce_driver: SalesforceClient().read(...) or .query(...).",
    "dotenv": "The runner sets the variables; the client reads them by itself.",
    "pickle": "Use json or csv.",
}
_SAME = {
    **dict.fromkeys(("httpx", "urllib3", "aiohttp", "urllib", "urllib.request", "http", "http.client"), "requests"),
    **dict.fromkeys(("psycopg2", "asyncpg", "pg8000"), "psycopg"),
    **dict.fromkeys(("marshal", "shelve", "dill", "cloudpickle", "joblib"), "pickle"),
}


def allowed_modules(manifests: Mapping[str, Manifest]) -> set[str]:
    """Dotted names of modules a script may import."""
    return {*_STANDARD, "pandas", "numpy", "integrator_drivers", "integrator_drivers.errors", "__future__"} | {
        _module(entry) for entry in manifests.values()
    }


def client_names(manifests: Mapping[str, Manifest]) -> dict[tuple[str, str], str]:
    """(module, class) of every driver's client -> the driver's name."""
    return {(_module(entry), entry.client.partition(":")[2]): name for name, entry in manifests.items()}


def member_allowed(module: str, name: str, manifests: Mapping[str, Manifest]) -> bool:
    """Whether a script may use this name of an allowed module."""
    if module == "__future__":
        return name == "annotations"
    for entry in manifests.values():
        if module == _module(entry):
            return name == entry.client.partition(":")[2]
    if module in _ONLY:
        return name in _ONLY[module]
    return module in _STANDARD and name in _public(module)


def why_not(module: str) -> str:
    """What to use instead of a module that is not allowed."""
    top = module.partition(".")[0]
    for name in (module, top):
        if hint := _INSTEAD.get(_SAME.get(name, name)):
            return hint
    return "Use the drivers, pandas and the computing part of the standard library."


def _module(entry: Manifest) -> str:
    return entry.client.partition(":")[0]


@cache
def _public(module: str) -> frozenset[str]:
    """Names of a standard module that are its own: no submodules, no modules it imported, nothing private."""
    found = import_module(module)
    names = getattr(found, "__all__", None) or [name for name in vars(found) if not name.startswith("_")]
    own = {name for name in names if not isinstance(getattr(found, name, None), ModuleType)}
    return frozenset(own - _NOT.get(module, set()))
