"""The store of recorded traffic: journals go in, tables of predictions and labels come out.

Many gateways write to one store and share nothing but its folder. So nothing in it is ever changed: a part appears whole, under a name
that no other writer has, and goes when its day is over. There is no index that could be wrong.
"""

import fcntl
import os
import secrets
import shutil
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from ratchet.traffic.frames import read_journal
from ratchet.traffic.parts import LABELS, PREDICTIONS, day_of, folder_name, place_of, rollout_of, scan, table, write_part
from ratchet.traffic.records import Label, Record

DAY = 86_400.0
GONE = ".gone-"


@dataclass(frozen=True, slots=True)
class Rolled:
    """What became of a journal.

    Attributes:
        predictions: Number of records.
        labels: Number of records.
        damaged: Places in the journal that were stepped over.
        torn: Bytes at its end that were no whole record.
    """

    predictions: int = 0
    labels: int = 0
    damaged: int = 0
    torn: int = 0

    def __add__(self, other: "Rolled") -> "Rolled":
        """Return both together."""
        return Rolled(
            self.predictions + other.predictions, self.labels + other.labels, self.damaged + other.damaged, self.torn + other.torn
        )


class TrafficStore:
    """Recorded traffic of every deployment, below one folder.

    Args:
        root: The folder; made when something is written. It may be a share that many machines mount.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)

    def roll(self, journal: str | Path) -> Rolled:
        """Turn a sealed journal into parts and remove it.

        Rolled twice is rolled once: the parts of a journal have its name, and it goes only when they are on the disk. Two that roll
        the same journal at the same time take turns, and the second finds nothing to do.

        Args:
            journal: Path of a file that nobody writes any more.

        Returns:
            What was in it; zeros when it was gone already.

        Raises:
            StoreError: a newer version of Ratchet wrote it; it stays.
            OSError: the store cannot be written; the journal stays.
        """
        path = Path(journal)
        try:
            file = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            return Rolled()
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            if os.fstat(file).st_nlink == 0:  # the one that held the lock has rolled it
                return Rolled()
            rolled = self._roll(path)
            path.unlink()
        finally:
            os.close(file)
        return rolled

    def predictions(self, deployment: str, *, rollout: int | None = None, since: float | None = None) -> pl.LazyFrame:
        """Return recorded predictions; the columns are the fields of `records.Prediction`, `inputs` being JSON text.

        Args:
            deployment: Its name; one that nothing was recorded of gives no rows.
            rollout: Only of this rollout (0: of none); None for all.
            since: Only of requests from this time on, in Unix seconds.

        Raises:
            StoreError: a part is damaged, by its name.
        """
        found = scan(self.prediction_parts(deployment, rollout=rollout, since=since), PREDICTIONS)
        if rollout is not None:
            found = found.filter(pl.col("rollout") == rollout)
        if since is not None:
            found = found.filter(pl.col("time") >= since)
        return found

    def labels(self, deployment: str) -> pl.LazyFrame:
        """Return recorded labels, every one that came; the columns are the fields of `records.Label`, `label` being a class name.

        Raises:
            StoreError: as for `predictions`.
        """
        return scan(self.label_parts(deployment), LABELS)

    def first_labels(self, deployment: str, *, as_of: float) -> pl.LazyFrame:
        """Return the label that stands of each request row: the first that was received, until a time.

        Args:
            deployment: Its name.
            as_of: What was received later is not seen, in Unix seconds.

        Returns:
            request_id, received and label, in the order of request ids.
        """
        known = (
            self.labels(deployment)
            .filter(pl.col("received") <= as_of, pl.col("label").is_not_null())
            .select("request_id", "received", "time", "label")
        )
        known = known.sort("request_id", "received", "time", "label")
        return known.unique("request_id", keep="first", maintain_order=True).drop("time")

    def prediction_parts(self, deployment: str, *, rollout: int | None = None, since: float | None = None) -> list[Path]:
        """Return the parts that hold such predictions, in the order of days and names."""
        parts = self._parts(deployment, "predictions", first="" if since is None else day_of(since))
        return parts if rollout is None else [part for part in parts if rollout_of(part) in (rollout, None)]

    def label_parts(self, deployment: str) -> list[Path]:
        """Return the parts that hold labels, in the order of days and names."""
        return self._parts(deployment, "labels")

    def retain(self, now: float, days: int) -> list[str]:
        """Delete what is older, whole days at a time.

        Args:
            now: Unix seconds.
            days: A day goes when all of it is longer ago than this, and nothing was written to it since then either: what a rehearsal
                records has the times of its rows, which may be years ago.

        Returns:
            What was deleted, e.g. "fraud/labels/date=2026-11-20".
        """
        last = day_of(now - days * DAY)
        gone = []
        for folder in sorted(self.root.glob("*/*/date=*")):
            day = folder.name.removeprefix("date=")
            with suppress(FileNotFoundError):  # another gateway was faster
                if day >= last or folder.stat().st_mtime >= now - days * DAY:
                    continue
                folder = folder.rename(folder.with_name(f"{GONE}{folder.name}-{secrets.token_hex(4)}"))
                gone.append(str(folder.parent.relative_to(self.root) / f"date={day}"))
        for folder in self.root.glob(f"*/*/{GONE}*"):  # also what a killed process left half deleted
            shutil.rmtree(folder, ignore_errors=True)
        return gone

    def _roll(self, path: Path) -> Rolled:
        journal, name = read_journal(path), path.stem
        by_place: defaultdict[str, list[Record]] = defaultdict(list)
        for record in journal:
            by_place[place_of(record, name)].append(record)
        labels = predictions = 0
        for place, records in sorted(by_place.items()):
            write_part(table(records), self.root / place)
            labels += len(records) if isinstance(records[0], Label) else 0
            predictions += 0 if isinstance(records[0], Label) else len(records)
        return Rolled(predictions, labels, journal.damaged, journal.torn)

    def _parts(self, deployment: str, kind: str, first: str = "") -> list[Path]:
        days = (self.root / folder_name(deployment) / kind).glob("date=*")
        kept = sorted(folder for folder in days if folder.name >= f"date={first}")
        return [part for folder in kept for part in sorted(folder.glob("*.parquet"))]
