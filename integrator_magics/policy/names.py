"""Method names: what drivers do by them, and what plain data offers."""

from __future__ import annotations

import builtins
import csv
import datetime
import decimal
import hashlib
import io
import logging
import re
import uuid
from collections import ChainMap, Counter, OrderedDict, defaultdict, deque
from functools import cache
from pathlib import PurePosixPath

__all__ = [
    "AGGREGATES",
    "CLIENT_READS",
    "CLIENT_WRITES",
    "DELETES",
    "DUNDER_METHODS",
    "DUNDER_NAMES",
    "FILE_METHODS",
    "INTERNALS",
    "PRIVATE_DATA",
    "TABLE_SHAPING",
    "data_methods",
    "safe_builtins",
    "sounds_like_delete",
]

CLIENT_READS = frozenset(
    "list_objects describe_objects get_fields read query search lookup check close table_changes".split()
)
CLIENT_WRITES = {
    "insert": "add records to {object}",
    "update": "change records of {object}",
    "upsert": "add or change records of {object}",
    "send": "send messages to {object}",
    "change_table": "create or widen {object}",
}
# By any name: refused in every mode. Words are looked for at the parts of a name, so "deleted_at" is none of them.
DELETES = re.compile(
    r"(?:^|_)(?:delete|deletes|truncate|purge|archive|void|destroy|wipe|erase|undelete|unarchive|obliterate|prune|expunge"
    r"|drop|remove|cancel|empty_?recycle_?bin|hard_?delete|mirror)(?:$|_)",
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# Methods of tables and collections that only shape data in memory, though they sound like deletes.
TABLE_SHAPING = frozenset(
    "drop drop_duplicates dropna droplevel remove remove_categories remove_unused_categories remove_unused_levels"
    " drop_fields pop popitem clear discard".split()
)
# Where an interpreter's insides are reached without an underscore.
INTERNALS = frozenset(
    "f_globals f_locals f_builtins f_code f_back gi_frame gi_code gi_yieldfrom cr_frame cr_code cr_await ag_frame ag_code"
    " tb_frame tb_next func_globals func_code co_code co_consts mro im_func im_self ctypes data_as tofile fromfile memmap"
    " ctypeslib modules meta_path path_hooks path builtin_module_names".split()
) - {"path"}
PRIVATE_DATA = frozenset(
    {"_asdict", "_replace", "_fields", "_make", "__name__", "__doc__", "__version__", "__qualname__"}
)
DUNDER_NAMES = frozenset({"__name__", "__doc__", "__all__", "__version__", "__author__", "__slots__", "__match_args__"})
DUNDER_METHODS = frozenset(
    f"__{name}__"
    for name in (
        "init post_init repr str eq ne lt le gt ge hash len iter next enter exit call getitem setitem contains bool add sub"
        " mul format int float missing"
    ).split()
)
FILE_METHODS = frozenset(
    "to_csv to_json to_jsonl to_parquet to_excel to_html to_markdown to_string to_latex to_feather to_xml".split()
)
AGGREGATES = frozenset(
    "sum mean median min max count nunique size std var first last any all prod sem idxmin idxmax cumsum cumcount cummax"
    " cummin rank nth mode skew abs round upper lower strip title len str int float list set tuple sorted unique"
    " index columns rows".split()
)
_PANDAS = """
    abs add add_prefix add_suffix agg aggregate align all any apply applymap asfreq asof assign astype at_time between
    between_time bfill bool clip combine combine_first compare convert_dtypes copy corr count cov cummax cummin cumprod cumsum
    describe diff div divide dot drop drop_duplicates droplevel dropna duplicated eq equals ewm expanding explode factorize
    ffill fillna filter first floordiv ge get_group groupby gt head hist idxmax idxmin infer_objects info insert interpolate
    isin isna isnull items iterrows itertuples join keys kurt last le lt map mask max mean median melt memory_usage merge min
    mod mode mul multiply ne nlargest notna notnull nsmallest nunique nth ngroup pct_change pipe pivot pivot_table pop pow prod
    product quantile radd rank rdiv reindex rename rename_axis reorder_levels repeat replace resample reset_index rolling round
    sample searchsorted sem set_axis set_index shift size skew sort_index sort_values squeeze stack std str sub subtract sum
    swaplevel tail take tolist to_dict to_frame to_list to_numpy to_period to_records to_timestamp transform transpose truediv
    tz_convert tz_localize unique unstack update value_counts values var where xs to_datetime to_pydatetime get_level_values
    cat contains startswith endswith match fullmatch extract extractall findall get len lower upper strip lstrip rstrip split
    rsplit slice slice_replace title capitalize swapcase zfill pad center ljust rjust normalize day_name month_name isocalendar
    strftime total_seconds floor ceil add_categories remove_categories rename_categories set_categories as_ordered cumcount
    union intersection difference symmetric_difference to_flat_index isnumeric isdecimal isalpha isdigit removeprefix
    removesuffix wrap get_dummies ravel reshape flatten item astype argmax argmin argsort nonzero tz hasnans
    filterna set_caption
"""
_RECORDS = (
    "rows batches to_dataframe csv_pages to_csv to_json to_jsonl to_parquet select rename filter map limit first fields"
)
_FILES = "read readline readlines write writelines writerow writerows writeheader flush seek tell getvalue close"
_PATHS = "exists is_file is_dir mkdir read_text write_text read_bytes write_bytes open with_name with_stem with_suffix joinpath"
_OTHER = (
    "integers normal fullmatch search match sub subn finditer group groups groupdict start end span expand substitute"
    " safe_substitute most_common elements subtract total appendleft extendleft popleft rotate enter_context callback push"
    " cache_clear cache_info quantize to_integral_value compare as_tuple normalize choice choices randint random shuffle"
    " sample uniform encode decode update digest hexdigest copy error warning info debug exception critical log setLevel"
    " isEnabledFor addHandler setFormatter with_traceback add_note throw geturl fromkeys from_dict from_records"
    " fromisoformat fromtimestamp utcnow now today combine strptime from_iterable from_float now_utc"
)


@cache
def data_methods() -> frozenset[str]:
    """Public methods of plain data: text, numbers, times, collections, tables, Records, files that are already open."""
    types: tuple[type, ...] = (
        str, bytes, bytearray, int, float, complex, list, dict, set, frozenset, tuple, range, slice,
        datetime.datetime, datetime.date, datetime.time, datetime.timedelta, datetime.timezone, decimal.Decimal,
        Counter, OrderedDict, defaultdict, deque, ChainMap, uuid.UUID, PurePosixPath, re.Pattern, re.Match,
        io.StringIO, csv.DictReader, csv.DictWriter, BaseException,
    )  # fmt: skip
    found = {name for kind in types for name in dir(kind) if not name.startswith("_")}
    found |= set(" ".join((_PANDAS, _RECORDS, _FILES, _PATHS, _OTHER)).split())
    found |= FILE_METHODS
    found |= {name for name in ("debug", "info", "warning") if hasattr(logging.Logger, name)}
    found |= {name for name in dir(hashlib.sha256()) if not name.startswith("_")}
    return frozenset(found - {"truncate", "detach", "format", "format_map", "insert", "update", "send", "query"})


@cache
def safe_builtins() -> frozenset[str]:
    """Built-in functions, types and exceptions that can't reach outside."""
    plain = (
        "abs all any ascii bin bool bytearray bytes callable chr classmethod complex dict divmod enumerate filter float"
        " format frozenset hasattr hash hex id int isinstance issubclass iter len list map max min next object oct open ord"
        " pow print property range repr reversed round set slice sorted staticmethod str sum super tuple type zip"
        " True False None NotImplemented Ellipsis"
    ).split()
    errors = [
        name for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, BaseException)
    ]
    return frozenset([*plain, *errors])


def sounds_like_delete(name: str) -> bool:
    """Whether a method's name is one of the many names of deleting."""
    return bool(DELETES.search(_CAMEL.sub("_", name).lower()))
