"""The process in which hostile sources are met. It ingests and validates as the pipeline's steps do, and says what a user would find.

Run as a module. It reads one request a line on standard input and answers one line each, so that what kills it, fills its memory or
hangs it does so here and not in the tests.
"""

import json
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

MEMORY = 8 << 30  # bytes of data; a runaway must not take the machine with it
WRITES = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.chmod", "shutil.move", "shutil.rmtree", "tempfile.mkdtemp")


def attempt(request: dict[str, Any]) -> dict[str, Any]:
    """Ingest one source, and validate it where it came in.

    Args:
        request: `source`; `home`, a folder to write in; `options` of ingest; `judge`, options of validate; `once`, not to read it a second
            time; `door`, not to validate; `show`, columns whose first values are wanted (all where it is left out); `look`, to read
            every Dataset that can be seen at the end; `kill_at`, the number of the write at which to die.

    Returns:
        `outcome` ("rows", "refused" or "broken") and what it needs to be judged.
    """
    from ratchet.errors import RatchetError

    home = Path(request["home"])
    for room in ("out", "scratch"):
        (home / room).mkdir(exist_ok=True)
    tempfile.tempdir = os.environ["TMPDIR"] = str(home / "scratch")
    if request.get("kill_at"):
        _die_at(request["kill_at"], str(home))
    start = time.process_time()
    report: dict[str, Any] = {"outcome": "rows", "message": ""}
    try:
        _come_in(request, home / "out", report)
        if not request.get("door"):
            _be_judged(request, home / "out", report)
    except RatchetError as error:
        report |= {"outcome": "refused", "error": type(error).__name__, "message": str(error)}
    except BaseException:  # a panic of a library in Rust is no Exception
        report |= {"outcome": "broken", "message": traceback.format_exc(limit=-6)}
    report["out"] = sorted(entry.name for entry in (home / "out").iterdir())
    report["scratch"] = sorted(entry.name for entry in (home / "scratch").iterdir())
    if request.get("look"):
        report["seen"] = {name: digest_of(home / "out" / name) for name in report["out"] if (home / "out" / name).is_dir()}
    report |= {"seconds": time.process_time() - start, "peak": peak()}
    return report


def peak() -> float:
    """Return the most memory that this process has held, in MB; unlike `ru_maxrss` it does not know the parent's."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def rows_in(folder: Path) -> int:
    """Return the rows of a Dataset as another reader counts them."""
    import polars as pl

    return sum(pl.scan_parquet(part, glob=False).select(pl.len()).collect().item() for part in folder.glob("*.parquet"))


def digest_of(folder: Path) -> str:
    """Return the digest of a Dataset, or why it is none."""
    from ratchet.data.tables import dataset_info
    from ratchet.errors import RatchetError

    try:
        return dataset_info(folder).content_digest
    except RatchetError as error:
        return f"half-visible: {error}"


def _come_in(request: dict[str, Any], out: Path, report: dict[str, Any]) -> None:
    from ratchet.data.tables import dataset_info, scan_dataset
    from ratchet.sources.ingestion import ingest

    info = ingest(request["source"], out / "data", **request.get("options", {}))
    report |= {
        "stage": "ingest",
        "rows": info.rows,
        "stored": rows_in(out / "data"),
        "columns": list(info.columns),
        "digests": [info.content_digest],
    }
    if not request.get("once"):
        report["digests"].append(dataset_info(out / "data").content_digest)
        report["digests"].append(ingest(request["source"], out / "again", **request.get("options", {})).content_digest)
    head = scan_dataset(out / "data").head(20).collect()
    head = head.select(head.columns if request.get("show") is None else [head[name] for name in request["show"] if name in head.columns])
    report["values"] = {column.name: [_plain(value) for value in column] for column in head.iter_columns()}


def _be_judged(request: dict[str, Any], out: Path, report: dict[str, Any]) -> None:
    from ratchet.data.findings import Limits
    from ratchet.data.quality import validate
    from ratchet.data.tables import scan_dataset

    report["stage"] = "validate"
    outputs = {f"{name}_path": out / name for name in ("clean", "quarantine", "schema", "report")}
    limits = Limits(max_quarantined_share=1.0, min_rows=1)
    result = validate(out / "data", limits=limits, source=request["source"], **outputs, **request.get("judge", {}))
    reasons = scan_dataset(out / "quarantine").select("quarantine_reason").collect().to_series()
    report |= {
        "verdict": result.verdict,
        "message": result.reason,
        "kept": rows_in(out / "clean"),
        "aside": rows_in(out / "quarantine"),
        "unreasoned": int((reasons.fill_null("").str.len_chars() == 0).sum()),
        "reasons": reasons.head(3).to_list(),
        "html": (out / "report").read_text(encoding="utf-8")[:200_000],
        "stage": "done",
    }


def _plain(value: object) -> object:
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _die_at(number: int, home: str) -> None:
    seen = 0

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal seen
        reading = event == "open" and isinstance(arguments[1], str) and not set(arguments[1]) & set("wxa+")
        if event in WRITES and not reading and any(str(argument).startswith(home) for argument in arguments):
            seen += 1
            if seen == number:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def main() -> None:
    """Answer requests until the input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints is no answer
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import duckdb  # noqa: F401
    import polars  # noqa: F401

    import ratchet.data.quality
    import ratchet.sources.ingestion  # noqa: F401

    print(json.dumps({"idle": peak()}), file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(attempt(json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
