"""The two ways to ask for a prediction, as rows and back: the Open Inference Protocol v2, and plain named columns for people with curl.

Only the documents are handled here, no HTTP. v2 is columns (a tensor a column), the plain form is rows. Both end in the same checked rows,
so a refusal reads the same whichever way a client came.

Source:
    Open Inference Protocol, REST, version 2 (kserve/open-inference-protocol, specification/protocol/inference_rest.md).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ratchet.errors import RequestError, nearest
from ratchet.features.spec import FeatureSpec
from ratchet.serving.details import NOTHING
from ratchet.serving.outputs import Outputs
from ratchet.serving.rows import RowChecker, shown
from ratchet.serving.served import Answer
from ratchet.traffic.answers import Columns

_INTEGERS = tuple(f"{sign}INT{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64))
_NUMBERS = ("FP64", "FP32", "FP16", "BF16", *_INTEGERS)
DATATYPES: Mapping[str, tuple[str, ...]] = {  # the first one is what the metadata says, and what a refusal advises
    "integer": ("INT64", *_INTEGERS, "FP64", "FP32"),
    "number": _NUMBERS,
    "boolean": ("BOOL",),
    "string": ("BYTES",),
    "datetime": ("BYTES",),
}
KNOWN_DATATYPES = frozenset(name for names in DATATYPES.values() for name in names)
TOP = frozenset(("id", "parameters", "inputs", "outputs"))
PLAIN_TOP = frozenset(("id", "key", "time", "rows", "outputs"))
IDENTIFIER = re.compile(r"[!-~]{1,128}")
MAX_KEY = 256


@dataclass(frozen=True, slots=True)
class Asked:
    """What a document asks for.

    Attributes:
        inputs: The checked rows, as columns.
        request_id: As the document gives it; empty for none.
        key: Sticky key; empty for none.
        time: Unix seconds that the document claims; None for none.
        outputs: Names of the wanted outputs; empty for the usual ones.
        wants: The details that those need beside the predictions.
    """

    inputs: Columns
    request_id: str = ""
    key: str = ""
    time: float | None = None
    outputs: tuple[str, ...] = ()
    wants: frozenset[str] = NOTHING


class ModelInterface:
    """One model as clients see it: reads their documents and writes their answers.

    Attributes:
        name: Of the deployment.
        spec: What the model reads and predicts.
        checker: Of its rows.
        outputs: What it answers with.
    """

    def __init__(
        self,
        name: str,
        spec: FeatureSpec,
        *,
        extra: Mapping[str, str] | None = None,
        max_rows: int = 4096,
        latent: int = -1,
        columns: Sequence[str] = (),
    ) -> None:
        """Prepare what does not change from request to request.

        Args:
            name: Of the deployment.
            spec: Of the champion.
            extra: Kind of each column that only the companion reads; a request may have them.
            max_rows: Most rows of one request.
            latent: Numbers of an autoencoder's embedding; -1 where that is not known.
            columns: Those that the shares of an autoencoder's error are of.
        """
        self.name = name
        self.spec = spec
        self.checker = RowChecker(spec.inputs, extra, max_rows=max_rows)
        self.outputs = Outputs(spec, latent=latent, columns=columns)

    def read_infer(self, document: Any) -> Asked:
        """Return what a v2 inference request asks for.

        Raises:
            RequestError: it is no such request, or a column is not what the model takes.
        """
        if type(document) is not dict:
            raise RequestError(f'the body is {shown(document)}; send an object with "inputs", a list of named tensors')
        for name in document:
            if name not in TOP:
                raise RequestError(f"unknown member {shown(name)} of the request; {nearest(name[:200], TOP)}")
        tensors = document.get("inputs")
        if type(tensors) is not list:
            raise RequestError(f'"inputs" is {shown(tensors)}; send a list of tensors with name, shape, datatype and data')
        parameters = document.get("parameters")
        if parameters is not None and type(parameters) is not dict:
            raise RequestError(f'"parameters" is {shown(parameters)}; send an object')
        columns, count = self._columns(tensors)
        outputs = self._chosen(document.get("outputs"))
        key, time = (_key(parameters.get("key")), _time(parameters.get("time"))) if parameters else ("", None)
        checked = self.checker.check_columns(columns, count)
        return Asked(checked, _identifier(document.get("id")), key, time, outputs, self.outputs.wants(outputs, count))

    def read_plain(self, document: Any, named: Sequence[str] | None = None) -> Asked:
        """Return what a request of named columns asks for: one row, or ``{"rows": [...]}`` beside which id, key, time and outputs may be.

        Args:
            document: Parsed JSON.
            named: Outputs that the URL names; None for none.

        Raises:
            RequestError: it is no such request, or a column is not what the model takes.
        """
        if type(document) is not dict:
            raise RequestError(f'the body is {shown(document)}; send an object of named columns, or {{"rows": [...]}} of such')
        if "rows" not in document or "rows" in self.spec.inputs:
            outputs = self._chosen(named)
            return Asked(self.checker.check([document]), outputs=outputs, wants=self.outputs.wants(outputs, 1, plain=True))
        for name in document:
            if name not in PLAIN_TOP:
                raise RequestError(f'unknown member {shown(name)} beside "rows"; {nearest(name[:200], PLAIN_TOP)}')
        rows = document["rows"]
        if type(rows) is not list:
            raise RequestError(f'"rows" is {shown(rows)}; send a list of objects of named columns')
        if "outputs" in document and named is not None:
            raise RequestError('outputs are named in the URL and beside "rows"; name them in one place')
        outputs = self._chosen(document.get("outputs", named))
        checked = self.checker.check(rows)
        wants = self.outputs.wants(outputs, len(rows), plain=True)
        return Asked(checked, _identifier(document.get("id")), _key(document.get("key")), _time(document.get("time")), outputs, wants)

    def infer_answer(self, request_id: str, answer: Answer, wanted: Sequence[str]) -> Any:
        """Return a v2 inference response, to be written as JSON.

        Args:
            request_id: The request's id.
            answer: What the model said.
            wanted: Names of outputs; none for the usual ones.
        """
        outputs = self.outputs.tensors(wanted, answer)
        return {"model_name": self.name, "model_version": answer.version, "id": request_id, "outputs": outputs}

    def plain_answer(self, request_id: str, answer: Answer, wanted: Sequence[str]) -> Any:
        """Return the answer to named columns: one object a row; probabilities by class name where there are several classes."""
        made = self.outputs.rows(wanted, answer)
        return {"request_id": request_id, "model": self.name, "version": answer.version, "predictions": made}

    def metadata(self, versions: Sequence[str]) -> dict[str, Any]:
        """Return v2 model metadata; ``optional_inputs``, an extension, are columns that only a challenger reads."""
        inputs, optional = (
            [{"name": name, "datatype": DATATYPES[kind][0], "shape": [-1]} for name, kind in kinds.items()]
            for kinds in (self.spec.inputs, self.checker.extra)
        )
        told = {"name": self.name, "versions": list(versions), "platform": "ratchet", "inputs": inputs, "outputs": self.outputs.metadata()}
        return {**told, "optional_inputs": optional} if optional else told

    def _columns(self, tensors: Sequence[Any]) -> tuple[dict[str, list[Any]], int]:
        columns: dict[str, list[Any]] = {}
        count = -1
        for place, tensor in enumerate(tensors):
            if type(tensor) is not dict or type(tensor.get("name")) is not str:
                raise RequestError(f"input {place} is {shown(tensor)}; send an object with name, shape, datatype and data")
            name = tensor["name"]
            if name in columns:
                raise RequestError(f"input {shown(name)} comes twice; send it once")
            data = self._data(name, tensor)
            if count not in (-1, len(data)):
                raise RequestError(f"input {shown(name)} has {len(data)} rows, those before it {count}; send equally many", status=422)
            count = len(data)
            columns[name] = data
        return columns, max(count, 0)

    def _data(self, name: str, tensor: Mapping[str, Any]) -> list[Any]:
        datatype, shape, data = tensor.get("datatype"), tensor.get("shape"), tensor.get("data")
        kind = self.checker.inputs.get(name) or self.checker.extra.get(name)
        if kind is None:
            raise RequestError(f"no column {shown(name)} in this model; {nearest(name[:200], self.checker.inputs)}", status=422)
        if type(datatype) is not str or datatype not in DATATYPES[kind]:
            known = (
                "" if type(datatype) is str and datatype in KNOWN_DATATYPES else ", which is no datatype of the protocol that is taken here"
            )
            advice = f"a {kind} column is sent as {DATATYPES[kind][0]}"
            raise RequestError(f"input {name!r} has datatype {shown(datatype)}{known}; {advice}", status=422)
        if type(data) is not list:
            raise RequestError(f"input {name!r} has data {shown(data)}; send a JSON list (binary tensors are not taken)")
        if type(shape) is list and len(shape) == 2 and data and all(type(item) is list and len(item) == 1 for item in data):
            data = [item[0] for item in data]
        whole = type(shape) is list and all(type(size) is int and size >= 0 for size in shape)
        if not whole or shape not in ([len(data)], [len(data), 1]):
            raise RequestError(f"input {name!r} has shape {shown(shape)} and {len(data)} values; send [{len(data)}] or [{len(data)}, 1]")
        return data

    def _chosen(self, outputs: Any) -> tuple[str, ...]:
        if outputs is None:
            return ()
        if type(outputs) is not list:
            raise RequestError(
                f'"outputs" is {shown(outputs)}; send a list of names or objects with a name; leave it out for the usual ones'
            )
        return self.outputs.named([output.get("name", output) if type(output) is dict else output for output in outputs])


def check_identifier(value: str, where: str) -> str:
    """Return a request id that can go into a header and a log line as it is.

    Raises:
        RequestError: it is empty, longer than 128 characters, or holds anything but visible ASCII.
    """
    if not IDENTIFIER.fullmatch(value):
        raise RequestError(f"{where} is {shown(value)}; send 1 to 128 visible ASCII characters, or leave it out")
    return value


def unix_time(value: Any, where: str) -> float:
    """Return a time as unix seconds.

    Args:
        value: Unix seconds, or an ISO 8601 text (UTC where it names no zone).
        where: What is read, for the message.

    Raises:
        RequestError: it is no time.

    >>> unix_time("1970-01-01T00:01:00+00:00", "time")
    60.0
    """
    if type(value) in (int, float) and 0 <= value < 1e11:
        return float(value)
    if type(value) is str and 10 <= len(value) <= 40:
        try:
            time = datetime.fromisoformat(value)
            return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            pass
    raise RequestError(f"{where} is {shown(value)}; send unix seconds, or ISO 8601 like 2026-11-20T08:15:00Z", status=422)


def _identifier(value: Any) -> str:
    if value is None or value == "":
        return ""
    if type(value) is not str:
        raise RequestError(f'"id" is {shown(value)}; send a text, or leave it out')
    return check_identifier(value, '"id"')


def _key(value: Any) -> str:
    if value is None:
        return ""
    if type(value) not in (str, int) or len(text := str(value)) > MAX_KEY:
        raise RequestError(f'"key" is {shown(value)}; send a text of at most {MAX_KEY} characters, or a whole number')
    return text


def _time(value: Any) -> float | None:
    return None if value is None else unix_time(value, '"time"')
