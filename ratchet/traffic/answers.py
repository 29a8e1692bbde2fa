"""What a model answered: for all rows of a request, as it is recorded, and for one of them, as it is read.

To write a record for each of 32 rows took a fifth of a request's time, most of it for what the rows have in common. So what is written is
one record a request, its inputs as columns; who reads a journal still meets a row at a time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, ClassVar

Columns = Mapping[str, Sequence[Any]]
ABSENT: tuple[()] = ()  # where a row did not bring a column that another row did; nothing else in JSON is a tuple; it is written []


@dataclass(frozen=True, slots=True)
class Prediction:
    """What one model answered for one row of a request.

    Attributes:
        request_id: Of the row: the request's id, and "#i" after it for row i of several.
        time: When the request came, in Unix seconds; the same for every role, because pairs are matched by it.
        deployment: E.g. "fraud".
        version: Of the model.
        role: "champion", "challenger" or "previous".
        phase: "stable", "shadow", "canary" or "watch".
        percent: Share of clients that the challenger answers, 0 to 100.
        generation: Of the deployment, when the request came.
        rollout: The generation at which the rollout under way began; 0 for none.
        served: Whether the client got this one.
        unit: The request's sticky key (a card, a user), hashed if its column is personal (`Privacy.unit`); "" for none.
        inputs: Raw input columns; only on the record that was served.
        prediction: One number, or k class probabilities; empty on error.
        latency_ms: Of this model for this request, its queue and features included.
        error: What went wrong; "" when nothing did.
    """

    kind: ClassVar[str] = "p1"
    count: ClassVar[int] = 1

    request_id: str
    time: float
    deployment: str
    version: str
    role: str
    phase: str
    percent: int
    generation: int
    rollout: int
    served: bool
    unit: str
    inputs: Mapping[str, Any] | None
    prediction: tuple[float, ...]
    latency_ms: float
    error: str


SHARED = attrgetter(*(one.name for one in fields(Prediction)[1:10]))  # what the rows of a request have in common


@dataclass(frozen=True, slots=True)
class Answers:
    """What one model answered for the rows of a request.

    Attributes:
        count: Number of rows, n.
        request_id: Of the request; row i of several is ``<request_id>#<i>``.
        unit: As in `Prediction`: one text that all rows share, or n.
        inputs: n values by column; `ABSENT` where a row did not bring the column; None where the client got another answer.
        prediction: n numbers or n lists of k probabilities; None on error.

    What else there is means what it means in `Prediction`.

    >>> whose = ("fraud", "3", "champion", "stable", 0, 1, 0, True)
    >>> made = Answers(2, "a", 1.0, *whose, unit="", inputs={"x": [1, 2]}, prediction=[0.5, 0.25], latency_ms=0.4, error="")
    >>> [(one.request_id, one.inputs, one.prediction) for one in made.rows()]
    [('a#0', {'x': 1}, (0.5,)), ('a#1', {'x': 2}, (0.25,))]
    """

    kind: ClassVar[str] = "a1"

    count: int
    request_id: str
    time: float
    deployment: str
    version: str
    role: str
    phase: str
    percent: int
    generation: int
    rollout: int
    served: bool
    unit: str | Sequence[str]
    inputs: Columns | None
    prediction: Sequence[Any] | None
    latency_ms: float
    error: str

    def rows(self) -> list[Prediction]:
        """Return a prediction for each row."""
        n = self.count
        names = [self.request_id] if n == 1 else [f"{self.request_id}#{place}" for place in range(n)]
        units = [self.unit] * n if isinstance(self.unit, str) else self.unit
        inputs = [None if self.inputs is None else row_of(self.inputs, place) for place in range(n)]
        shared: tuple[Any, ...] = SHARED(self)
        own = ((names[i], *shared, units[i], inputs[i], self._numbers(i), self.latency_ms, self.error) for i in range(n))
        return [Prediction(*values) for values in own]

    def _numbers(self, place: int) -> tuple[float, ...]:
        if self.prediction is None:
            return ()
        made = self.prediction[place]
        return tuple(made) if isinstance(made, list | tuple) else (made,)


def row_of(columns: Columns, place: int) -> dict[str, Any]:
    """Return one row, with the columns that it brought.

    >>> row_of({"amount": [1.5, None], "risk": [0.1, ABSENT]}, 1)
    {'amount': None}
    """
    return {name: values[place] for name, values in columns.items() if values[place] != ABSENT}
