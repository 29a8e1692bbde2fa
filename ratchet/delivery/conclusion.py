"""The exit task: abort what the run began and did not finish, then tell what came of it.

It runs after everything else, whatever happened, and nothing it meets may fail the run, because a failing exit task would hide
how the run ended. What it meets it logs and writes into its summary.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ratchet.delivery.ledger import Ledger
from ratchet.delivery.promotion import rollback_in_run
from ratchet.delivery.verdicts import Outcome, Verdict
from ratchet.delivery.webhook import post_json
from ratchet.errors import ConflictError
from ratchet.report.page import Cell, Page, Table, above
from ratchet.settings import load_settings, resolve_secret

log = logging.getLogger(__name__)
TONES = {"promoted": "good", "rejected": "neutral", "held": "neutral", "pending": "neutral"}


@dataclass(frozen=True, slots=True)
class Conclusion:
    """How a run ended.

    Attributes:
        outcome: Its word, reason and exit status.
        aborted: What was taken back here; empty for nothing.
        notified: Where the outcome went, or why not.
        steps: Verdict and reason by step.
    """

    outcome: Outcome
    aborted: str
    notified: str
    steps: dict[str, tuple[str, str]]

    def page(self) -> Page:
        """Return the summary that a person reads."""
        told = above([reason for _, reason in self.steps.values()], self.outcome.reason)
        rows = [{"step": step, "verdict": verdict, "why": why} for (step, (verdict, _)), why in zip(self.steps.items(), told, strict=True)]
        facts: dict[str, Cell] = {
            "exit status": self.outcome.exit_status,
            "taken back": self.aborted or "nothing",
            "notified": self.notified,
        }
        return Page("Run", self.outcome.word, self.outcome.reason, TONES.get(self.outcome.word, "bad"), facts, [Table("Verdicts", rows)])

    def write(self, path: str | Path) -> None:
        """Write the summary as Markdown. Never raises: a full disk must not fail the exit task."""
        try:
            self.page().write_markdown(path)
        except OSError as error:
            log.error("the summary of the run was not written to %s: %s", path, error)


def conclude(name: str, *, run_id: str, settings_uri: str = "", open_ledger: Callable[[str], Ledger] | None = None) -> Conclusion:
    """Conclude a run. Never raises.

    Args:
        name: Name of the deployment.
        run_id: The run.
        settings_uri: URI of a settings file; empty for the environment's.
        open_ledger: How to open the ledger from that URI; for a test that needs its own clock.
    """
    try:
        ledger = (open_ledger or _open)(settings_uri)
        aborted = _abort(name, run_id, ledger)
        outcome = ledger.outcome(run_id)
        ledger.record_verdict(run_id, name, "conclude", outcome.word, outcome.reason)
        steps = {step: (said.verdict, said.reason) for step, said in ledger.verdicts(run_id).items()}
        return Conclusion(outcome, aborted, _notify(name, run_id, outcome, ledger), steps)
    except Exception as error:  # whatever it is, the exit task must end well
        log.exception("run %s of %r could not be concluded", run_id, name)
        return Conclusion(Outcome("error", f"the run could not be concluded: {error}"), "", "log only", {})


def _open(settings_uri: str) -> Ledger:
    return Ledger.open(load_settings(settings_uri))


def _abort(name: str, run_id: str, ledger: Ledger) -> str:
    """Take back a promotion that was not verified as healthy, and a rollout that was left without a word. Never what others did since."""
    said = ledger.verdicts(run_id)
    taken = _abort_rollout(name, run_id, said, ledger)
    if taken:
        return taken
    promotion = ledger.promotion_of(run_id, name)
    if promotion is None or "rollback" in said or ("verify" in said and said["verify"].verdict == "healthy"):
        return ""
    why = said["verify"].reason if "verify" in said else "the run ended before what it had promoted was verified"
    change = rollback_in_run(name, run_id=run_id, why=why, ledger=ledger)
    encoder = f"; its encoder: {change.encoder}" if change.encoder else ""
    return f"{promotion.after.champion}; champion now: {change.deployment.champion or 'none'}{encoder}"


def _abort_rollout(name: str, run_id: str, said: Mapping[str, Verdict], ledger: Ledger) -> str:
    """Take to 0% the challenger that this run began to try, unless the run left it pending for a later one."""
    if "advance" in said and said["advance"].verdict == "pending":
        return ""
    while True:
        rollout = ledger.rollout(name)
        if rollout is None or rollout.deployment.challenger is None or rollout.run_id != run_id:
            return ""
        state, why = rollout.deployment, f"run {run_id} ended before its rollout came to a word"
        try:
            ledger.abort(name, generation=state.generation, who=f"run {run_id}", why=why, evidence={"run_id": run_id}, run_id=run_id)
        except ConflictError:
            continue  # the gateway, or a hand, was faster: look again
        return f"{state.challenger}, which was on trial"


def _notify(name: str, run_id: str, outcome: Outcome, ledger: Ledger) -> str:
    level = logging.WARNING if outcome.exit_status else logging.INFO
    log.log(level, "run %s of %r: %s: %s", run_id, name, outcome.word, outcome.reason)
    if not ledger.settings.webhook_url:
        return "log only"
    champion = ledger.deployment(name).champion
    body = {
        "deployment": name,
        "run_id": run_id,
        "outcome": outcome.word,
        "reason": outcome.reason,
        "exit_status": outcome.exit_status,
        "champion": champion.version if champion else "",
    }
    try:
        return f"webhook, status {post_json(resolve_secret(ledger.settings.webhook_url), body)}"
    except Exception as error:  # a receiver that is away must not undo a concluded run
        log.error("run %s of %r was not notified: %s", run_id, name, error)
        return f"webhook failed: {error}"
