"""A run's part in a rollout: what `advance` answers where there is a live trial, and the short way where there is none."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ratchet.delivery.advance import Advance, advance
from ratchet.delivery.deployment import Deployment
from ratchet.delivery.ledger import Ledger
from ratchet.delivery.rollout import Look
from ratchet.delivery.verification import settle
from ratchet.errors import ParameterError, UnknownDeploymentError, nearest
from ratchet.features.durations import parse_duration

WITHOUT_TRIAL = {"direct": ("promote", "promote"), "held": ("hold", "held"), "unfit": ("abort", "rejected")}


@dataclass(frozen=True)
class TrialRun:
    """What a run's advance came to, with all that its report shows.

    Attributes:
        advance: The answer.
        state: The deployment afterwards.
        looks: Of the rollout that was looked at, the first one first.
    """

    advance: Advance
    state: Deployment
    looks: list[Look] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """ "promote", "abort", "hold", "pending" or "rollback"."""
        return self.advance.verdict

    @property
    def outcome(self) -> str:
        """The same as a run's word."""
        return self.advance.outcome

    @property
    def reason(self) -> str:
        """Why."""
        return self.advance.reason

    @property
    def version(self) -> str:
        """Version on trial; empty when there is none."""
        return self.advance.version

    @property
    def generation(self) -> int:
        """Of the deployment as it was judged."""
        return self.advance.generation

    def write_html(self, path: str | Path) -> None:
        """Write the report of the rollout."""
        from ratchet.delivery.rollout_report import rollout_page

        rollout_page(self.advance, self.state, self.looks).write_html(path)

    def write_markdown(self, path: str | Path) -> None:
        """Write the verdict and what each gate says."""
        from ratchet.delivery.rollout_report import summary_page

        summary_page(self.advance, self.state, self.looks).write_markdown(path)


def advance_in_run(name: str, *, run_id: str, version: str, generation: int, wait: str, as_of: str, ledger: Ledger) -> TrialRun:
    """Advance as a step of a run.

    Args:
        name: Name of the deployment.
        run_id: The run.
        version: Version that this run registered; empty where it only advances what is under way.
        generation: As `begin_rollout` left it.
        wait: Duration, e.g. "10m".
        as_of: ISO 8601, or empty for now.
        ledger: The ledger.

    Raises:
        UnknownDeploymentError: nothing was ever deployed under this name.
        ParameterError: ``as_of`` is no time.
        ExpressionError: ``wait`` is no duration.
    """
    begun = ledger.verdicts(run_id).get("begin")
    if begun is not None and begun.verdict in WITHOUT_TRIAL:
        verdict, word = WITHOUT_TRIAL[begun.verdict]
        said = ledger.record_verdict(run_id, name, "advance", word, begun.reason)
        return TrialRun(Advance(verdict, word, said.reason, version, generation), ledger.deployment(name))
    if not ledger.deployment(name).generation:
        known = [deployment.name for deployment in ledger.deployments()]
        raise UnknownDeploymentError(f"no deployment {name!r} in the ledger; {nearest(name, known)}")
    settle(name, run_id=run_id, ledger=ledger)
    from ratchet.delivery.evidence import TrafficEvidence

    seconds = parse_duration(wait, "wait").total_seconds()
    done = advance(name, run_id=run_id, ledger=ledger, observe=TrafficEvidence(ledger), wait=seconds, as_of=read_time(as_of))
    looks = ledger.looks(name, done.rollout.begun) if done.rollout else []
    return TrialRun(done, ledger.deployment(name), looks)


def read_time(text: str) -> datetime | None:
    """Return a time, in UTC where it names no zone; None for an empty text.

    Raises:
        ParameterError: it is none.

    >>> read_time("2018-08-01").isoformat()
    '2018-08-01T00:00:00+00:00'
    """
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise ParameterError(f"as_of {text!r} is no time; give ISO 8601, e.g. 2018-08-01T12:00:00") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)
