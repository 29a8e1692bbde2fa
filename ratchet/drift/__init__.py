"""How far current data has moved from what the champion was trained on."""

from ratchet.drift.columns import ColumnDrift
from ratchet.drift.result import DriftResult
from ratchet.drift.tables import compare_tables

__all__ = ["ColumnDrift", "DriftResult", "compare_tables"]
