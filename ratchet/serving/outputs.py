"""What a model answers with: the outputs of its task by name, those of an answer that nobody chose, and how each is written.

An autoencoder's `anomaly` is a truth value and not a class name, because many have no labels and hence no names of their own. Its embedding
and shares are written only when asked for: they are what an answer's size and most of its time would consist of.
"""

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qsl

import numpy as np

from ratchet.errors import RequestError, nearest
from ratchet.features.spec import FeatureSpec
from ratchet.serving.details import DTYPES, EMBEDDING, NOTHING, SHARES
from ratchet.serving.rows import shown
from ratchet.serving.served import Answer

REASONS = 3  # columns that an alarm is explained by where nobody asks for all
MAX_NUMBERS = 1 << 18  # of one answer: 64 for each of 4,096 rows, some MB as JSON


class Outputs:
    """The outputs of one model.

    Attributes:
        names: All of them.
        usual: Those of an answer where the request names none.
    """

    def __init__(self, spec: FeatureSpec, *, latent: int = -1, columns: Sequence[str] = ()) -> None:
        """Prepare what does not change from request to request.

        Args:
            spec: Of the champion.
            latent: Numbers of its embedding; -1 where that is not known.
            columns: Those that the shares of a row's error are of.
        """
        self.spec = spec
        self.columns = tuple(columns)
        self.anomalies = spec.task == "anomaly"
        usual = {"regression": ("value",), "anomaly": ("error", "anomaly")}
        self.usual: tuple[str, ...] = usual.get(spec.task, ("probability", "decision"))
        self.names = (*self.usual, EMBEDDING, SHARES) if self.anomalies else self.usual
        self._width = {EMBEDDING: latent, SHARES: len(self.columns)}
        self._reasons = frozenset((SHARES,)) if self.anomalies else NOTHING

    def named(self, names: Sequence[Any]) -> tuple[str, ...]:
        """Return the outputs that a request names.

        Raises:
            RequestError: one is unknown (422) or comes twice.
        """
        for place, name in enumerate(names):
            if type(name) is not str or name not in self.names:
                raise RequestError(f"no output {shown(name)} of this model; {nearest(str(name)[:200], self.names)}", status=422)
            if name in names[:place]:
                raise RequestError(f"output {name!r} is asked for twice; name it once")
        return tuple(names)

    def wants(self, names: Sequence[str], rows: int, *, plain: bool = False) -> frozenset[str]:
        """Return the details that an answer of these outputs needs.

        Args:
            names: As `named` returned them; none for the usual ones.
            rows: Number of rows of the request.
            plain: Whether the answer is of named columns, in which an alarm is explained.

        Raises:
            RequestError: the answer would be too large (422).
        """
        if not names:
            return self._reasons if plain else NOTHING
        wanted = DTYPES.keys() & names
        numbers = rows * sum(abs(self._width[name]) for name in wanted)
        if numbers > MAX_NUMBERS:
            most = MAX_NUMBERS * rows // numbers
            raise RequestError(f"{' and '.join(sorted(wanted))} of {rows} rows are {numbers} numbers; send at most {most} rows", status=422)
        return frozenset(wanted)

    def tensors(self, names: Sequence[str], answer: Answer) -> list[dict[str, Any]]:
        """Return an answer's outputs as v2 tensors, to be written as JSON; the usual ones where no name is given."""
        return [self._tensor(name, answer) for name in names or self.usual]

    def rows(self, names: Sequence[str], answer: Answer) -> list[dict[str, Any]]:
        """Return an answer as an object a row.

        Args:
            names: Of the outputs; none for the usual ones, and with them, of an alarm, the columns of which most of its error is.
            answer: What the model said.
        """
        values = [self._values(name, answer) for name in names or self.usual]
        made = [dict(zip(names or self.usual, row, strict=True)) for row in zip(*values, strict=True)]
        if self.anomalies and not names:
            for place, row in enumerate(made):
                if row["anomaly"]:
                    row["columns"] = _largest(answer.columns, answer.details[SHARES][place])
        return made

    def metadata(self) -> list[dict[str, Any]]:
        """Return the outputs as v2 metadata; which column each share is of is in the parameters, an extension."""
        return [self._described(name) for name in self.names]

    def _described(self, name: str) -> dict[str, Any]:
        shape = [-1, self._width[name]] if name in self._width else [-1]
        if name == "probability" and self.spec.task == "multiclass":
            shape = [-1, len(self.spec.classes)]
        datatype = {"decision": "BYTES", "anomaly": "BOOL", EMBEDDING: "FP32"}.get(name, "FP64")
        return {"name": name, "datatype": datatype, "shape": shape, **_of(self.columns if name == SHARES else ())}

    def _tensor(self, name: str, answer: Answer) -> dict[str, Any]:
        count = len(answer.decided)
        if name == "decision":
            return {"name": name, "datatype": "BYTES", "shape": [count], "data": list(answer.decided)}
        if name == "anomaly":
            return {"name": name, "datatype": "BOOL", "shape": [count], "data": self._alarms(answer)}
        if name in DTYPES:
            values, columns = answer.details[name], answer.columns if name == SHARES else ()
            datatype = "FP32" if name == EMBEDDING else "FP64"
            return {"name": name, "datatype": datatype, "shape": list(values.shape), "data": values.ravel(), **_of(columns)}
        data = answer.predictions.ravel().tolist()
        return {"name": name, "datatype": "FP64", "shape": list(answer.predictions.shape), "data": data}

    def _values(self, name: str, answer: Answer) -> Sequence[Any]:
        how: dict[str, Callable[[], Sequence[Any]]] = {
            "decision": lambda: answer.decided,
            "anomaly": lambda: self._alarms(answer),
            EMBEDDING: lambda: list(np.ascontiguousarray(answer.details[EMBEDDING])),
            SHARES: lambda: [dict(zip(answer.columns, row, strict=True)) for row in answer.details[SHARES].tolist()],
        }
        return how[name]() if name in how else self._numbers(answer)

    def _numbers(self, answer: Answer) -> list[Any]:
        values: list[Any] = answer.predictions.tolist()
        return [dict(zip(self.spec.classes, row, strict=True)) for row in values] if answer.predictions.ndim == 2 else values

    def _alarms(self, answer: Answer) -> list[bool]:
        return [word == self.spec.classes[1] for word in answer.decided]


def outputs_in(query: bytes) -> list[str] | None:
    """Return the outputs that a URL's query names, with commas between them; None for no query.

    Raises:
        RequestError: it has another parameter, or this one twice.

    >>> outputs_in(b"outputs=embedding,error")
    ['embedding', 'error']
    """
    if not query:
        return None
    try:
        found = parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=8)
    except ValueError:
        raise RequestError("the URL has more than 8 parameters; outputs is the only one") from None
    names = [name for name, _ in found]
    unknown = [name for name in names if name != "outputs"]
    if unknown:
        raise RequestError(f"unknown parameter {shown(unknown[0])} of the URL; {nearest(unknown[0][:200], ('outputs',))}")
    if len(names) > 1:
        raise RequestError("parameter 'outputs' comes twice in the URL; send it once, with commas between the names")
    return found[0][1].split(",") if found else None


def _of(columns: Sequence[str]) -> dict[str, Any]:
    return {"parameters": {"columns": list(columns)}} if columns else {}


def _largest(columns: Sequence[str], shares: np.ndarray) -> dict[str, float]:
    places = np.argsort(-shares, kind="stable")[:REASONS].tolist()
    return {columns[place]: float(shares[place]) for place in places}
