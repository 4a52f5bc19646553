"""The contract between drivers, scripts and the product, and the sync that scripts are made of."""

from .bands import band
from .errors import (
    AuthError,
    ConnectionError,
    DriverError,
    DriverNotFoundError,
    FieldNotFoundError,
    ForbiddenError,
    NotFoundError,
    ObjectNotFoundError,
    RateLimitError,
    ReadOnlyError,
    RowLimitError,
    ValidationError,
)
from .joining import join
from .manifest import Manifest
from .mode import Mode, current_mode, now
from .protocols import (
    Condition,
    Driver,
    Field,
    Identity,
    Messenger,
    ObjectInfo,
    Reader,
    Record,
    Rejected,
    StateKeeper,
    TableWriter,
    Writer,
    WriteResult,
)
from .records import Records
from .report import report
from .script import run
from .showing import show
from .sync import Receipt, Source, Target, sync
from .windows import days_ago, start_of

__all__ = [
    "AuthError",
    "Condition",
    "ConnectionError",
    "Driver",
    "DriverError",
    "DriverNotFoundError",
    "Field",
    "FieldNotFoundError",
    "ForbiddenError",
    "Identity",
    "Manifest",
    "Messenger",
    "Mode",
    "NotFoundError",
    "ObjectInfo",
    "ObjectNotFoundError",
    "RateLimitError",
    "ReadOnlyError",
    "Reader",
    "Receipt",
    "Record",
    "Records",
    "Rejected",
    "RowLimitError",
    "Source",
    "StateKeeper",
    "TableWriter",
    "Target",
    "ValidationError",
    "WriteResult",
    "Writer",
    "band",
    "current_mode",
    "days_ago",
    "join",
    "now",
    "report",
    "run",
    "show",
    "start_of",
    "sync",
]
