"""The Parquet parts of recorded traffic: what columns they have, where they lie, how one appears and how a damaged one is named.

    <root>/<deployment>/predictions/date=2026-11-20/<journal>.r<rollout>.<crc>.parquet      the day of the request, UTC
    <root>/<deployment>/labels/date=2026-11-22/<journal>.<crc>.parquet                      the day on which the label was received

A part bears the name of the journal that it was rolled from, so a journal that is rolled again doubles nothing. The rollout is part of
the name, so that its evidence is found without opening the parts of any other. So is the CRC-32 of the file: of the flips of one byte in
a Parquet file one in twenty is read as another value without any complaint, and a judge must not decide on such a value.
"""

import math
import os
import re
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import lru_cache
from glob import escape as glob_escape
from io import BytesIO
from operator import attrgetter
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zlib import crc32

import orjson
import polars as pl
import pyarrow as pa

from ratchet.errors import StoreError
from ratchet.traffic.records import Label, Record, label_text

PREDICTIONS = pl.Schema(
    {
        "request_id": pl.String(),
        "time": pl.Float64(),
        "deployment": pl.String(),
        "version": pl.String(),
        "role": pl.String(),
        "phase": pl.String(),
        "percent": pl.Int64(),
        "generation": pl.Int64(),
        "rollout": pl.Int64(),
        "served": pl.Boolean(),
        "unit": pl.String(),
        "inputs": pl.String(),
        "prediction": pl.List(pl.Float64()),
        "latency_ms": pl.Float64(),
        "error": pl.String(),
    }
)
LABELS = pl.Schema(
    {
        "request_id": pl.String(),
        "time": pl.Float64(),
        "received": pl.Float64(),
        "deployment": pl.String(),
        "label": pl.String(),
    }
)
_LAST = 253_402_300_799.0  # the end of 9999
_REMEDY = "restore it from a backup, or move it away and judge without it"


def place_of(record: Record, journal: str) -> str:
    """Return where the part lies, below the store's root and without its ending, that a record of a journal belongs to.

    >>> place_of(Label("a", 0.0, 86400.0, "fraud", 1), "pod-1")
    'fraud/labels/date=1970-01-02/pod-1'
    """
    if isinstance(record, Label):
        return f"{folder_name(record.deployment)}/labels/date={day_of(record.received)}/{journal}"
    return f"{folder_name(record.deployment)}/predictions/date={day_of(record.time)}/{journal}.r{record.rollout}"


@lru_cache(maxsize=256)
def folder_name(deployment: str) -> str:
    """Return a deployment's name as the name of one folder, whatever is in it.

    >>> folder_name("fraud"), folder_name("../x")
    ('fraud', '%2E.%2Fx')
    """
    name = quote(deployment, safe=" ") or "%"
    return ("%2E" + name[1:] if name.startswith(".") else name)[:200]


def day_of(seconds: float) -> str:
    """Return the day of a time, UTC; a time that no calendar knows counts as the first or last day that one does.

    >>> day_of(86400.0), day_of(float("nan"))
    ('1970-01-02', '1970-01-01')
    """
    return _day(int(min(max(seconds, 0.0), _LAST) // 86_400) if seconds == seconds else 0)


def rollout_of(part: Path) -> int | None:
    """Return the rollout that a part of predictions belongs to; None where its name does not say.

    >>> rollout_of(Path("pod-1.r7.0a1b2c3d.parquet"))
    7
    """
    match = re.search(r"\.r(-?\d+)\.[0-9a-f]{8}\.parquet$", part.name)
    return int(match.group(1)) if match else None


def table(records: Sequence[Record]) -> pl.DataFrame:
    """Return records of one kind as a table: inputs as JSON text with sorted keys, labels as class names (null for no finite number)."""
    if isinstance(records[0], Label):
        labels = [(r.request_id, r.time, r.received, r.deployment, _class(r)) for r in records if isinstance(r, Label)]
        return pl.DataFrame(labels, schema=LABELS, orient="row")
    columns: dict[str, Any] = {name: list(map(attrgetter(name), records)) for name in PREDICTIONS.names()}
    columns["inputs"] = [None if it is None else orjson.dumps(it, option=orjson.OPT_SORT_KEYS).decode() for it in columns["inputs"]]
    columns["prediction"] = pl.Series(pa.array(columns["prediction"], pa.large_list(pa.float64())))  # polars takes 20 times as long
    return pl.DataFrame(columns, schema=PREDICTIONS)


def write_part(frame: pl.DataFrame, stem: Path) -> Path:
    """Let a part appear, whole and on the disk, or not at all.

    Args:
        frame: Its rows.
        stem: Its path without the checksum and the ending. A whole part of that stem which is there already stays instead.

    Returns:
        Its path.
    """
    for there in stem.parent.glob(f"{glob_escape(stem.name)}.????????.parquet"):
        if is_whole(there):
            return there
        there.unlink(missing_ok=True)  # what it was rolled from is here once more
    buffer = BytesIO()
    frame.write_parquet(buffer, compression="zstd", compression_level=1)
    data = buffer.getbuffer()
    stem.parent.mkdir(parents=True, exist_ok=True)
    staging = stem.with_name(f"{stem.name}.part")  # no .parquet at the end: a reader passes it by
    path = stem.with_name(f"{stem.name}.{crc32(data):08x}.parquet")
    try:
        with staging.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(staging, path)
    finally:
        staging.unlink(missing_ok=True)  # half a part must not fill a full disk still more
    _sync(path.parent)
    return path


def is_whole(part: Path) -> bool:
    """Return whether a part holds what was written; one that is not there any more counts as whole, for its time was over."""
    try:
        return f"{crc32(part.read_bytes()):08x}" == part.name.rsplit(".", 2)[-2]
    except FileNotFoundError:
        return True


def scan(parts: Sequence[Path], schema: pl.Schema) -> pl.LazyFrame:
    """Return parts as one lazy table, with the same columns also when there are none.

    Raises:
        StoreError: a part is damaged, or cannot be read, by its name.
    """
    for part in parts:
        try:
            if not is_whole(part):
                raise StoreError(f"part {str(part)!r} of recorded traffic is damaged; {_REMEDY}")
        except OSError as error:
            raise StoreError(f"part {str(part)!r} of recorded traffic cannot be read: {error}; {_REMEDY}") from error
    if not parts:
        return pl.LazyFrame(schema=schema)
    return pl.scan_parquet(list(parts), schema=schema, glob=False, hive_partitioning=False)


def collected(build: Callable[[], pl.LazyFrame]) -> pl.DataFrame:
    """Return a table that is built of parts; built again where a part was removed meanwhile because its time was over.

    Raises:
        StoreError: a part is damaged, by its name.
    """
    try:
        return build().collect()
    except FileNotFoundError:
        return build().collect()


def _class(label: Label) -> str | None:
    return None if isinstance(label.label, float) and not math.isfinite(label.label) else label_text(label.label)


@lru_cache(maxsize=256)
def _day(number: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=number)).isoformat()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
