"""The recorder: what a gateway holds to have its traffic recorded. It writes journals and has them rolled each minute.

It makes what is personal unrecognisable before anything is written, decides what is sampled, and sees to it that all else happens off
the path of a request: a thread syncs, another seals, and a child process rolls.
"""

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import orjson

from ratchet.settings import Settings
from ratchet.traffic.journal import Journal, rows_in
from ratchet.traffic.privacy import Privacy
from ratchet.traffic.records import Answers, Label, Prediction
from ratchet.traffic.rolling import Round, roll_folder
from ratchet.traffic.sampling import sampled
from ratchet.traffic.store import DAY, Rolled, TrafficStore

ROLL_BYTES = 128 * 2**20  # seal earlier than each minute: a journal is read into memory as a whole
_NO_PRIVACY = Privacy({})
_log = logging.getLogger(__name__)


class Recorder:
    """Records predictions and labels, and rolls them into a store.

    Args:
        journal: Folder of journals, on a disk of this machine; several processes may share it.
        traffic: Folder of the store, which all replicas share.
        writer: A part of the files' names; empty for host, process and a random part. Two of one name never collide.
        privacy: What becomes of personal columns.
        sample: Share of requests that is recorded outside a rollout, 0 to 1; during one every request is.
        retention_days: Recorded traffic older than this is deleted, once a day.
        roll_seconds: Time between rolls; what the judge reads is at most this old, and the time that rolling takes.
        sync_seconds: What a loss of power may cost.
        clock: Tells Unix seconds.
    """

    def __init__(
        self,
        journal: str | Path,
        traffic: str | Path,
        *,
        writer: str = "",
        privacy: Privacy = _NO_PRIVACY,
        sample: float = 1.0,
        retention_days: int = 90,
        roll_seconds: float = 60.0,
        sync_seconds: float = 1.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.store = TrafficStore(traffic)
        self.privacy = privacy
        self._sample = sample
        self._days = retention_days
        self._clock = clock
        self._journal = Journal(journal, writer=writer, clock=clock, sync_seconds=sync_seconds)
        self._rolling = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._stop = threading.Event()
        self._rolled = Rolled()
        self._roll_errors: list[str] = []
        self._rolled_at, self._retained_at = clock(), float("-inf")
        self._roll_seconds = roll_seconds
        self._thread = threading.Thread(target=self._roll_forever, name="traffic-roll", daemon=True)
        self._thread.start()

    @classmethod
    def from_settings(cls, settings: Settings, *, writer: str = "", roll_seconds: float = 60.0) -> "Recorder":
        """Return the recorder of an installation.

        Raises:
            SettingsError: the folder of traffic is not set in a pod, or a column is to be hashed without a salt.
        """
        return cls(
            settings.journal_folder(),
            settings.traffic_folder(),
            writer=writer,
            privacy=Privacy(settings.personal_columns, settings.salt()),
            sample=settings.traffic_sample,
            retention_days=settings.traffic_retention_days,
            roll_seconds=roll_seconds,
        )

    def record(self, predictions: Sequence[Prediction | Answers]) -> None:
        """Record predictions; never raises, and takes some microseconds each.

        Personal columns of the inputs are hashed or dropped here, and what of them an error quotes is taken out. The unit is written as
        it is given: `Privacy.unit` (`recorder.privacy`) makes it of the sticky key. Records of one call are written together.
        """
        try:
            if self._sample < 1:
                predictions = [one for one in predictions if one.rollout or sampled(one.request_id, self._sample)]
            if self.privacy.columns:
                predictions = [self._private(one) for one in predictions]
        except Exception as error:  # a value that cannot even be shown; it was served already, and must not be written as it is
            self._journal.drop(rows_in(predictions), f"a record cannot be made private: {type(error).__name__}: {error}")
            return
        self._journal.append(predictions)

    def record_labels(self, labels: Sequence[Label]) -> None:
        """Record labels, whether or not their requests are known here; never raises."""
        self._journal.append(labels)

    def roll(self) -> None:
        """Seal the journal and roll what there is, now and in this process; the thread has a child process do so each minute."""
        with self._rolling:
            self._journal.seal()
            self._note(roll_folder(self._journal.folder, self.store, now=self._retain_now(), days=self._days))

    def health(self) -> dict[str, Any]:
        """Return how recording goes: what `Journal.health` says, and how rolling goes.

        Returns:
            rolled: numbers of predictions, labels, damaged places and torn bytes since the start; roll_age_s: seconds since the last
            round that went well; roll_errors: why the last did not. ok is whether both go well.
        """
        told = self._journal.health()
        return told | {
            "ok": told["ok"] and not self._roll_errors,
            "rolled": asdict(self._rolled),
            "roll_age_s": max(0.0, self._clock() - self._rolled_at),
            "roll_errors": list(self._roll_errors),
        }

    def close(self) -> None:
        """Stop, and roll the rest; what cannot be rolled now is rolled by the next gateway that starts."""
        self._stop.set()
        while self._thread.is_alive():
            if child := self._child:
                child.kill()  # costs nothing, and a pod that is told to go has not much time
            self._thread.join(0.05)
        self._journal.close()
        with self._rolling:
            self._note(roll_folder(self._journal.folder, self.store))

    def _private(self, made: Prediction | Answers) -> Prediction | Answers:
        if made.inputs is None or self.privacy.columns.keys().isdisjoint(made.inputs):
            return made
        error = made.error
        for row in (made.rows() if isinstance(made, Answers) else [made]) if error else ():
            error = self.privacy.scrub(error, row.inputs or {})
        if isinstance(made, Answers):
            return replace(made, inputs=self.privacy.apply_to_columns(made.inputs), error=error)
        return replace(made, inputs=self.privacy.apply(made.inputs), error=error)

    def _roll_forever(self) -> None:
        due = 0.0  # at once: another process may have been killed, and left a journal
        while not self._stop.wait(min(1.0, self._roll_seconds)):
            if time.monotonic() < due and self._journal.size < ROLL_BYTES:
                continue
            due = time.monotonic() + self._roll_seconds
            with self._rolling:
                self._journal.seal()
                self._note(self._round_of_child())

    def _round_of_child(self) -> Round:
        """Roll in a child process; what goes wrong there is an error of the round."""
        now = self._retain_now()
        command = [sys.executable, "-m", "ratchet.traffic.rolling", str(self._journal.folder), str(self.store.root)]
        command += [] if now is None else ["--now", repr(now), "--days", str(self._days)]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        try:
            with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:  # noqa: S603
                self._child = child
                told, complaint = child.communicate()
                self._child = None
            if child.returncode < 0 and self._stop.is_set():
                return Round()  # killed by `close`, which rolls the rest itself
            if child.returncode == 0:
                done = orjson.loads(told)
                return Round(Rolled(**done["rolled"]), done["errors"], done["retired"])
            why = complaint.decode(errors="replace").strip()[-500:] or f"exit status {child.returncode}"
        except (OSError, orjson.JSONDecodeError) as error:
            why = str(error)
        return Round(errors=[f"rolling failed: {why}"])

    def _retain_now(self) -> float | None:
        """Return the time when a day has passed since what is old was last deleted, else None."""
        now = self._clock()
        if now - self._retained_at < DAY:
            return None
        self._retained_at = now
        return now

    def _note(self, done: Round) -> None:
        self._rolled += done.rolled
        if done.errors and done.errors != self._roll_errors:
            _log.error("recorded traffic: %s", "; ".join(done.errors))
        self._roll_errors = done.errors
        if not done.errors:
            self._rolled_at = self._clock()
