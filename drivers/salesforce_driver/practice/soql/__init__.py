"""SOQL: tokens, a tree, and answers over rows. What Salesforce refuses is refused in its words."""

from __future__ import annotations

from .operands import Clock, Row, Rows
from .parser import parse
from .run import Result, run

__all__ = ["Clock", "Result", "Row", "Rows", "parse", "run"]
