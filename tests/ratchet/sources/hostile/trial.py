"""Runs sources through `attempt.py`, a process of its own, and judges what came of them by rules that hold for every file."""

import json
import re
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.ratchet.sources.hostile.case import Case

ROOT = Path(__file__).resolve().parents[4]
LONGEST = 1_200  # characters of a message that somebody still reads
JARGON = re.compile(  # words of the libraries underneath: they help nobody who holds a bad file
    r"ComputeError|SchemaError|ShapeError|PolarsError|InvalidOperation|InvalidInput|BinderException|polars|duckdb|arrow|thrift|traceback"
    r"|panicked|errno|os error|`strict|strict=|object at 0x|\bu64\b|\bi64\b|\bstr\b|expected_type|null_padding|strict_mode|ignore_errors",
    re.IGNORECASE,
)


class Trial:
    """A process that meets hostile sources; started anew after one has killed it.

    Args:
        prefix: Words before the command, e.g. to run it in a namespace of its own.
    """

    def __init__(self, prefix: Sequence[str] = ()) -> None:
        self.prefix = list(prefix)
        self.idle = 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 — closed with the trial

    def __enter__(self) -> "Trial":
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.end()
        self._errors.close()

    def ask(self, source: Path | str, home: Path, *, seconds: float = 60.0, **request: Any) -> dict[str, Any]:
        """Return what came of a source; `outcome` is "died" or "hung" where no answer came."""
        self.begin({"source": str(source), "home": str(home), **request})
        return self.answer(seconds)

    def begin(self, request: dict[str, Any]) -> None:
        """Send a request and do not wait for what comes of it."""
        process = self._process or self._started()
        assert process.stdin is not None
        process.stdin.write(json.dumps(request).encode() + b"\n")
        process.stdin.flush()

    def answer(self, seconds: float) -> dict[str, Any]:
        """Return the answer to the last request."""
        process = self._process
        assert process is not None
        line = _line(process, seconds)
        if line is not None and line.endswith(b"\n"):
            return json.loads(line)
        self.end()
        self._errors.seek(0)
        said = self._errors.read()[-2_000:].decode(errors="replace")
        return {"outcome": "hung" if line is None else "died", "message": f"status {process.returncode}: {said}"}

    def end(self) -> None:
        """Kill the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _started(self) -> subprocess.Popen[bytes]:
        command = [*self.prefix, sys.executable, "-m", "tests.ratchet.sources.hostile.attempt"]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors)
        hello = _line(self._process, 120.0)
        if not hello:
            self.end()
            self._errors.seek(0)
            raise RuntimeError(f"the trial did not start: {self._errors.read().decode(errors='replace')}")
        self.idle = json.loads(hello)["idle"]
        return self._process


def _line(process: subprocess.Popen[bytes], seconds: float) -> bytes | None:
    """Return a line of a process, what there was of it where the process ended, or None where time ran out."""
    assert process.stdout is not None
    deadline, text = time.monotonic() + seconds, b""
    while not text.endswith(b"\n"):
        ready, _, _ = select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return None
        some = process.stdout.read1(1 << 16)  # type: ignore[attr-defined]
        if not some:
            return text
        text += some
    return text


def faults(case: Case, report: dict[str, Any], idle: float) -> list[str]:
    """Return every rule that a report breaks; empty where all is well."""
    found = _faults_of_rows(case, report) if case.rows is not None else _faults_of_refusal(case, report)
    if report["outcome"] in ("rows", "refused"):
        found += [f"scratch is left: {report['scratch']}"] if report["scratch"] else []
        found += faults_of_message(report["message"])
        if case.megabytes and report["peak"] - idle > case.megabytes:
            found.append(f"took {report['peak'] - idle:,.0f} MB over the {idle:,.0f} of an idle process; {case.megabytes} allowed")
    return found


def faults_of_message(message: str) -> list[str]:
    """Return why a person could not work from a message."""
    found = [f"a message of {len(message):,} characters"] if len(message) > LONGEST else []
    found += ["characters that a terminal obeys"] if not message.isprintable() else []
    found += [f"jargon {jargon[0]!r}"] if (jargon := JARGON.search(message)) else []
    return found


def _faults_of_refusal(case: Case, report: dict[str, Any]) -> list[str]:
    if report["outcome"] != "refused":
        return [f"should have been refused, was {report['outcome']}"]
    found = [] if re.search(case.says, report["message"]) else [f"says not {case.says!r}"]
    found += [] if ";" in report["message"] else ["names no remedy"]
    if case.late:
        return found + ([] if set(report["out"]) == {"data", "again"} else [f"half-visible: {report['out']}"])
    return found + ([f"half-visible: {report['out']}"] if report["out"] else [])


def _faults_of_rows(case: Case, report: dict[str, Any]) -> list[str]:
    if report["outcome"] != "rows":
        return [f"should have come in, was {report['outcome']} in {report.get('stage', 'ingest')}"]
    found = (
        [] if case.rows == report["rows"] == report["stored"] else [f"{case.rows} rows, {report['rows']} said, {report['stored']} stored"]
    )
    if report["kept"] + report["aside"] != report["rows"] or report["aside"] != case.aside:
        found.append(f"{report['rows']} in, {report['kept']} out, {report['aside']} set aside where {case.aside} should be")
    obeyed = [reason for reason in report["reasons"] if re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e]", reason or "")]
    found += [f"a reason that a terminal obeys: {obeyed}"] if obeyed else []
    found += [f"{report['unreasoned']} rows set aside without a reason"] if report["unreasoned"] else []
    found += [f"digests differ: {report['digests']}"] if len(set(report["digests"])) != 1 else []
    found += [
        f"{name}: {report['values'].get(name)} is not {want}"
        for name, want in case.values.items()
        if not same(report["values"].get(name), want)
    ]
    said = " ".join([report["message"], *report["reasons"]])
    found += [] if re.search(case.says, said) else [f"says not {case.says!r}"]
    wanted = {"data", "clean", "quarantine", "schema", "report"} | (set() if case.once else {"again"})
    found += [f"left behind: {report['out']}"] if set(report["out"]) != wanted else []
    return found + (["the report holds markup of the data"] if "<script>alert" in report["html"] else [])


def same(values: list[Any] | None, wanted: list[Any]) -> bool:
    """Return whether values are those wanted, NaN equal to NaN and 1 not equal to 1.0, true or -0.0."""
    return values is not None and [*map(repr, values)][: len(wanted)] == [*map(repr, wanted)]
