"""Every error that Ratchet raises on purpose, in one tree.

A message names the thing, the value that was met, and the remedy, because the person who reads it sees one line in a log
and has no debugger there.

    RatchetError
    ├── SettingsError            a setting is missing or cannot be used
    ├── ParameterError           a parameter of a pipeline or component is unknown, missing or mistyped
    ├── DataError                the data, not the code, is at fault
    │   ├── SourceError          a file, folder or query cannot be read as a table
    │   ├── SchemaError          a column is missing, doubled or of the wrong type
    │   ├── TargetError          the target is absent, constant or not usable for the task
    │   ├── SplitError           the rows cannot be split as asked
    │   ├── EmptySampleError     a statistic was asked of no rows
    │   └── StoreError           recorded traffic is damaged, or was written by a newer version
    ├── ExpressionError          a feature expression or window is not allowed or does not evaluate
    ├── PackageError             a model package is damaged, unsigned or of an unknown kind
    ├── LedgerError              the ledger refused
    │   ├── UnknownDeploymentError   no such deployment, version or previous champion
    │   ├── ConflictError        somebody else changed the deployment first
    │   ├── NeededError          a live champion needs what would be taken away
    │   └── AuditError           the audit chain does not verify
    ├── JudgeError               evidence that cannot be judged: out of range, of unequal length, or a rule that is none
    ├── EngineError              the gateway's engine cannot answer
    │   ├── NotReadyError        no champion is loaded
    │   ├── OverloadedError      more requests wait than the queue holds
    │   └── UnanswerableError    the champion failed on these rows, or answered what is no number
    ├── RequestError             a request to the gateway is at fault; carries the HTTP status
    ├── RegistryError            the model registry refused or disagrees with the ledger
    └── SubmissionError          a cluster refused a submission, cannot be reached, or did not end a run in time
"""

import difflib
from collections.abc import Iterable


class RatchetError(Exception):
    """Root of all errors that Ratchet raises on purpose."""


class SettingsError(RatchetError):
    """A setting is missing or cannot be used."""


class ParameterError(RatchetError):
    """A parameter of a pipeline or component is unknown, missing or mistyped."""


class DataError(RatchetError):
    """The data, not the code, is at fault."""


class SourceError(DataError):
    """A file, folder or query cannot be read as a table."""


class SchemaError(DataError):
    """A column is missing, doubled or of the wrong type."""


class TargetError(DataError):
    """The target is absent, constant or not usable for the task."""


class SplitError(DataError):
    """The rows cannot be split as asked."""


class EmptySampleError(DataError):
    """A statistic was asked of no rows."""


class StoreError(DataError):
    """Recorded traffic is damaged, or was written by a newer version."""


class ExpressionError(RatchetError):
    """A feature expression or window is not allowed or does not evaluate."""


class PackageError(RatchetError):
    """A model package is damaged, unsigned or of an unknown kind."""


class LedgerError(RatchetError):
    """The ledger refused."""


class UnknownDeploymentError(LedgerError):
    """No such deployment, version or previous champion."""


class ConflictError(LedgerError):
    """Somebody else changed the deployment first."""


class NeededError(LedgerError):
    """A live champion needs what would be taken away."""


class AuditError(LedgerError):
    """The audit chain does not verify."""


class JudgeError(RatchetError):
    """Evidence that cannot be judged: out of range, of unequal length, or a rule that is none."""


class RegistryError(RatchetError):
    """The model registry refused or disagrees with the ledger."""


class SubmissionError(RatchetError):
    """A cluster refused a submission, cannot be reached, or did not end a run in time."""


class EngineError(RatchetError):
    """The gateway's engine cannot answer."""


class NotReadyError(EngineError):
    """No champion is loaded."""


class OverloadedError(EngineError):
    """More requests wait than the queue holds."""


class UnanswerableError(EngineError):
    """The champion failed on these rows, or answered what is no number."""


class RequestError(RatchetError):
    """A request to the gateway is at fault; carries the HTTP status."""

    def __init__(self, message: str, *, status: int = 400) -> None:
        """Say what is wrong, and the HTTP status, 400 to 499, that tells it."""
        super().__init__(message)
        self.status = status


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a clause that suggests the nearest known name, or lists what there is.

    >>> nearest("amuont", ["amount", "hour"])
    "did you mean 'amount'?"
    >>> nearest("zzz", ["b", "a"])
    'known: a, b'
    """
    names = sorted(known)
    match = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if match:
        return f"did you mean {match[0]!r}?"
    shown = ", ".join(names[:20]) + (", …" if len(names) > 20 else "")
    return f"known: {shown or 'none'}"
