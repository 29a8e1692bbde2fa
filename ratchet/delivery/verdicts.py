"""What a run decided, step by step, and what it came to.

Each deciding step records one word under the run's id. The outcome is read from these words, never from the colour of a run in
some UI: a run that ends green may have changed nothing, and one that ends red may have promoted.
"""

from collections.abc import Mapping
from dataclasses import dataclass

WORDS = ("promoted", "rejected", "held", "invalid", "rolled back", "pending", "error")
EXIT_STATUS = {"promoted": 0, "rejected": 0, "held": 0, "pending": 0, "invalid": 3, "rolled back": 4, "error": 1}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The word of one step of a run.

    Attributes:
        run_id: The run.
        deployment: Name of the deployment.
        step: E.g. "promote", "verify", "hold".
        verdict: E.g. "promoted", "healthy", "rejected".
        reason: Why, as a person reads it.
        at: ISO 8601, UTC.
    """

    run_id: str
    deployment: str
    step: str
    verdict: str
    reason: str
    at: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to.

    Attributes:
        word: One of `WORDS`.
        reason: Why.
        exit_status: 0 promoted, rejected, held or pending; 3 data invalid; 4 rolled back; 1 error.
    """

    word: str
    reason: str

    @property
    def exit_status(self) -> int:
        """The exit status of a command that waited for the run.

        >>> Outcome("invalid", "").exit_status, Outcome("rolled back", "").exit_status
        (3, 4)
        """
        return EXIT_STATUS[self.word]


@dataclass(frozen=True, slots=True)
class Run:
    """A run that decided something.

    Attributes:
        run_id: The run.
        at: When it said its first word, ISO 8601, UTC.
        outcome: What it came to.
    """

    run_id: str
    at: str
    outcome: Outcome


def outcome_of(run_id: str, verdicts: Mapping[str, Verdict]) -> Outcome:
    """Return what a run came to, from the words of its steps.

    A promotion counts only once it was verified: a run that promoted and then went silent is an error until someone settles it.

    Args:
        run_id: The run, for the message.
        verdicts: By step.

    >>> def said(step, verdict):
    ...     return {step: Verdict("r", "fraud", step, verdict, "because", "")}
    >>> outcome_of("r", said("hold", "rejected")).word
    'rejected'
    >>> outcome_of("r", said("promote", "promoted")).word
    'error'
    >>> outcome_of("r", said("promote", "promoted") | said("verify", "healthy")).word
    'promoted'
    """
    if "rollback" in verdicts:
        return Outcome("rolled back", verdicts["rollback"].reason)
    promote, verify = verdicts.get("promote"), verdicts.get("verify")
    if promote and promote.verdict == "promoted":
        if verify is None:
            return Outcome("error", f"run {run_id!r} promoted a model and did not verify it; see its log")
        if verify.verdict != "healthy":
            return Outcome("error", f"run {run_id!r} promoted a model that failed verification and is not rolled back: {verify.reason}")
        return Outcome("promoted", promote.reason)
    for step in ("promote", "advance", "hold"):
        if step in verdicts and verdicts[step].verdict in WORDS:
            return Outcome(verdicts[step].verdict, verdicts[step].reason)
    return Outcome("error", f"run {run_id!r} recorded no verdict, so a step failed before it could decide; see its log")
