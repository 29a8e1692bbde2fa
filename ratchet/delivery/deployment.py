"""What is deployed under one name, as values: the ledger stores these and nothing else decides them.

A deployment is moved only by replacing it with the next one (`promoted`, `rolled_back`, `trying`, `stepped`, `aborted`, `settled`), so what
a transition does can be read, and tested, without a database.
"""

import json
import re
from dataclasses import asdict, dataclass, replace
from typing import Any

from ratchet.errors import ParameterError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True)
class ModelRef:
    """A registered model package.

    Attributes:
        version: Version in the registry, e.g. "3".
        digest: Digest of the package, ``sha256:<hex>``.
        uri: Where the package lies; its reference and schema lie beside it.
    """

    version: str
    digest: str
    uri: str

    def __str__(self) -> str:
        """Name it as a person reads it.

        >>> str(ModelRef("3", "sha256:0123456789abcdef", "/models/3"))
        'version 3 (sha256:0123456789ab)'
        """
        return f"version {self.version} ({self.digest[:19]})"


@dataclass(frozen=True, slots=True)
class Deployment:
    """The state of one deployment.

    Attributes:
        name: E.g. "fraud".
        champion: The model that is live; None before the first promotion, and after the first one was taken back.
        previous: What a rollback would restore: the champion that stood before the present one was promoted.
        challenger: The model under trial.
        phase: "stable", "shadow", "canary", or "watch" while a promoted challenger is compared with ``previous`` on later labels.
        percent: Share of traffic that the challenger gets, 0 to 100.
        generation: Number of transitions so far; 0 for a name that the ledger does not know.
        since: The generation that the champion's promotion made; 0 without a champion.
        begun: The generation that began the rollout, or the watch, that is under way; with the name, its identity. 0 for none.
    """

    name: str
    champion: ModelRef | None = None
    previous: ModelRef | None = None
    challenger: ModelRef | None = None
    phase: str = "stable"
    percent: int = 0
    generation: int = 0
    since: int = 0
    begun: int = 0

    @property
    def companion(self) -> ModelRef | None:
        """The model that is scored beside the champion: the challenger, or in a watch the former champion."""
        return self.previous if self.phase == "watch" else self.challenger

    def trying(self, challenger: ModelRef, phase: str, percent: int) -> "Deployment":
        """Return the next state with a rollout begun; a watch that was under way ends.

        >>> state = Deployment("fraud").promoted(ModelRef("1", "sha256:aa", "/1")).trying(ModelRef("2", "sha256:bb", "/2"), "shadow", 0)
        >>> state.challenger.version, state.phase, state.generation, state.begun
        ('2', 'shadow', 2, 2)
        """
        after = self.generation + 1
        return replace(self, challenger=challenger, phase=phase, percent=percent, generation=after, begun=after)

    def stepped(self, phase: str, percent: int) -> "Deployment":
        """Return the next state with the challenger one step further."""
        return replace(self, phase=phase, percent=percent, generation=self.generation + 1)

    def aborted(self) -> "Deployment":
        """Return the next state with no challenger; the champion is left alone."""
        return replace(self, challenger=None, phase="stable", percent=0, generation=self.generation + 1, begun=0)

    def settled(self) -> "Deployment":
        """Return the next state with the watch ended."""
        return replace(self, phase="stable", generation=self.generation + 1, begun=0)

    def promoted(self, model: ModelRef, *, watch: bool = False) -> "Deployment":
        """Return the next state with ``model`` as the champion, and no challenger.

        Args:
            model: The model.
            watch: Compare it with the champion that it replaces on what comes next.

        >>> first = Deployment("fraud").promoted(ModelRef("1", "sha256:aa", "/1"))
        >>> second = first.promoted(ModelRef("2", "sha256:bb", "/2"))
        >>> second.champion.version, second.previous.version, second.generation, second.since
        ('2', '1', 2, 2)
        """
        after = self.generation + 1
        watched = watch and self.champion is not None
        phase, begun = ("watch", after) if watched else ("stable", 0)
        return Deployment(self.name, model, self.champion, phase=phase, generation=after, since=after, begun=begun)

    def rolled_back(self, before: "Deployment") -> "Deployment":
        """Return the next state with the champion of an earlier state restored.

        The model that was taken back does not become ``previous``: a second rollback must go further back, not return to it.

        Args:
            before: The state that stood right before the present champion was promoted.

        >>> first = Deployment("fraud").promoted(ModelRef("1", "sha256:aa", "/1"))
        >>> back = first.promoted(ModelRef("2", "sha256:bb", "/2")).rolled_back(first)
        >>> back.champion.version, back.previous, back.generation, back.since
        ('1', None, 3, 1)
        """
        return Deployment(self.name, before.champion, before.previous, generation=self.generation + 1, since=before.since)

    def as_json(self) -> str:
        """Return the state as canonical JSON, for the audit row."""
        return canonical_json(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Deployment":
        """Return the state that `as_json` wrote.

        >>> state = Deployment("fraud").promoted(ModelRef("1", "sha256:aa", "/1"))
        >>> Deployment.from_json(state.as_json()) == state
        True
        """
        values: dict[str, Any] = json.loads(text)
        for role in ("champion", "previous", "challenger"):
            values[role] = ModelRef(**values[role]) if values[role] else None
        return cls(**values)


def check_name(name: str) -> str:
    """Return a deployment's name if it can serve as one: it also names a registered model and a file.

    Raises:
        ParameterError: it is empty, longer than 100 characters, or holds others than letters, digits, ``.``, ``_`` and ``-``.
    """
    if not NAME.fullmatch(name):
        raise ParameterError(
            f"deployment name {name!r} cannot be used; give 1 to 100 letters, digits, '.', '_' or '-', beginning with a letter or digit"
        )
    return name


def canonical_json(value: Any) -> str:
    """Return JSON of which there is one spelling: sorted keys, no spaces, ASCII only, no NaN or infinity.

    Raises:
        ValueError: a number is not finite.
        TypeError: something is not JSON.

    >>> canonical_json({"b": 1.5, "a": "é"})
    '{"a":"\\\\u00e9","b":1.5}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
