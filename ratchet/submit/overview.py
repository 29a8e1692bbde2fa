"""The page of one local run: its outcome, its steps, and links to what each step had to say.

KFP writes a step's HTML without a suffix, which a browser will not show, so the reports are copied beside the page under names
that a person can open.
"""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from ratchet.report.page import Links, Page, Table, above, show
from ratchet.sources.credentials import shown

TONES = {"promoted": "good", "rejected": "neutral", "held": "neutral", "pending": "neutral"}


class StepLike(Protocol):
    """What the page needs to know of a step."""

    @property
    def name(self) -> str: ...
    @property
    def seconds(self) -> float: ...
    @property
    def succeeded(self) -> bool: ...
    @property
    def word(self) -> str: ...
    @property
    def outputs(self) -> Mapping[str, Any]: ...


def write_overview(
    folder: Path, outcome: str, reason: str, steps: Sequence[StepLike], *, run_id: str = "", arguments: Mapping[str, Any] | None = None
) -> Path:
    """Write ``report.html`` of a run, and the steps' own reports under ``reports/``.

    Args:
        folder: The run's folder, with KFP's artifacts in it.
        outcome: The run's outcome in the ledger.
        reason: Why.
        steps: In the order they ran.
        run_id: The run's id in the ledger.
        arguments: What it was started with.

    Returns:
        The path of the page.
    """
    reports = collect_reports(folder, [step.name for step in steps])
    reasons = above([str(step.outputs.get("reason", "")) for step in steps], reason)
    table = Table(
        "Steps",
        [
            {
                "step": step.name.replace("-", " "),
                "verdict": step.word or ("done" if step.succeeded else "failed"),
                "said": told({**step.outputs, "reason": why}),
                "seconds": round(step.seconds, 1),
                "failed": not step.succeeded,
            }
            for step, why in zip(steps, reasons, strict=True)
        ],
        flag="failed",
    )
    given = {name: shown(value) if isinstance(value, str) else value for name, value in (arguments or {}).items()}
    facts = {name: str(given[name]) for name in ("model", "source", "target") if given.get(name)} | ({"run": run_id} if run_id else {})
    parameters = Table("Set for this run", [{"parameter": name, "value": show(str(value))} for name, value in sorted(given.items())])
    page = Page(
        title=f"Run for {given['model']}" if given.get("model") else "Run",
        verdict=outcome,
        reason=reason,
        tone=TONES.get(outcome, "bad"),
        facts={**facts, "steps": len(steps), "seconds": round(sum(step.seconds for step in steps), 1), "log": "run.log"},
        parts=[*([Links("Reports of the steps", reports)] if reports else []), table, *([parameters] if given else [])],
    )
    path = folder / "report.html"
    page.write_html(path)
    return path


def told(outputs: Mapping[str, Any]) -> str:
    """Return a step's output parameters as a person reads them; its verdict has a column of its own.

    >>> told({"verdict": "valid", "rows_valid": 50043, "reason": "", "run_id": "r1"})
    'rows valid 50,043'
    >>> told({"loss_challenger": 0.25, "reason": "Lower by half."})
    'Lower by half. (loss challenger 0.25)'
    """
    apart = ("verdict", "found", "outcome", "reason", "run_id", "content_digest", "digest")
    numbers = "; ".join(f"{name.replace('_', ' ')} {show(value)}" for name, value in outputs.items() if name not in apart and value != "")
    reason = str(outputs.get("reason", ""))
    return f"{reason} ({numbers})" if reason and numbers else reason or numbers


def collect_reports(folder: Path, steps: Sequence[str]) -> dict[str, str]:
    """Copy each step's HTML and return link text to relative path, in the order of the steps."""
    target = folder / "reports"
    found: dict[str, str] = {}
    for step in steps:
        for path in sorted(folder.glob(f"*/{step}/*")):
            if path.is_file() and is_html(path):
                target.mkdir(exist_ok=True)
                copy = target / f"{step}-{path.name}.html"
                shutil.copyfile(path, copy)
                title = step.replace("-", " ").replace("_", " ")
                found[title if path.name == "report" else f"{title}: {path.name}"] = f"reports/{copy.name}"
    return found


def is_html(path: Path) -> bool:
    """Return whether a file begins as an HTML page does."""
    with path.open("rb") as file:
        head = file.read(64).lstrip().lower()
    return head.startswith((b"<!doctype html", b"<html"))
