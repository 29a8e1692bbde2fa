"""What a model package says about itself in ``ratchet.json``: enough to use the model without the code that trained it.

Nothing in it changes from run to run (no date, no path, no host), because it is half of what the package's digest is taken of.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ratchet.errors import PackageError, SchemaError
from ratchet.features.spec import FeatureSpec

FORMAT = 1
DESCRIPTION = "ratchet.json"
OUTPUTS = {"binary": "probability", "multiclass": "probability", "regression": "value", "anomaly": "error"}
ENCODED = ("embedding", "error")  # what a stacked model can read of its encoder
NATIVE = {"catboost": ("model.cbm",), "autoencoder": ("model.onnx", "preparation.json")}  # its digest is of these and of itself


@dataclass(frozen=True, slots=True)
class NeededEncoder:
    """The autoencoder that a stacked model was trained on, and holds a copy of.

    Attributes:
        model: Deployment that it is registered for, e.g. "fraud-encoder"; empty where it is not registered.
        version: Its version in the registry; empty likewise.
        digest: Of its package.
        outputs: What the model reads of it, of ``ENCODED`` and in that order; all of it is not written, so that earlier digests stand.
    """

    model: str
    version: str
    digest: str
    outputs: tuple[str, ...] = ENCODED

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        named = {"model": self.model, "version": self.version, "digest": self.digest}
        return named if self.outputs == ENCODED else {**named, "outputs": list(self.outputs)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "NeededEncoder":
        """Return what `to_dict` gave.

        Raises:
            ValueError: an output is none that this version knows.
        """
        outputs = tuple(values.get("outputs", ENCODED))
        if not outputs or outputs != tuple(name for name in ENCODED if name in outputs):
            raise ValueError(f"outputs {outputs!r} of the encoder are not of {ENCODED!r}")
        return cls(**{**values, "outputs": outputs})


@dataclass(frozen=True)
class Description:
    """What ``ratchet.json`` says.

    Attributes:
        kind: What trained it, a key of ``NATIVE``.
        spec: What it reads and predicts.
        threshold: At or above it a row is called positive; None unless the task is "binary" or "anomaly".
        parameters: Of the training, costs included.
        seed: Of the training.
        training_digest: Content digest of the rows that trained it.
        nullable: Inputs that had missing values in training.
        encoder: What a stacked model was trained on; None for any other, and then not written, so that their digests stand.
    """

    kind: str
    spec: FeatureSpec
    threshold: float | None
    parameters: Mapping[str, Any]
    seed: int
    training_digest: str
    nullable: tuple[str, ...] = ()
    encoder: NeededEncoder | None = None

    def to_json(self) -> str:
        """Return it as JSON of which there is one form only."""
        values = {
            "format": FORMAT,
            "kind": self.kind,
            "spec": self.spec.to_dict(),
            "input_schema": self.input_schema(),
            "output": OUTPUTS[self.spec.task],
            "threshold": self.threshold,
            "parameters": dict(sorted(self.parameters.items())),
            "seed": self.seed,
            "training_digest": self.training_digest,
            **({"encoder": self.encoder.to_dict()} if self.encoder else {}),
        }
        return json.dumps(values, ensure_ascii=False, indent=1) + "\n"

    def input_schema(self) -> dict[str, dict[str, Any]]:
        """Return kind, nullability and category policy of each input: a text that training has not seen is one more category."""
        policy = {"string": {"categories": "open"}}
        return {name: {"kind": kind, "nullable": name in self.nullable, **policy.get(kind, {})} for name, kind in self.spec.inputs.items()}

    @classmethod
    def from_json(cls, text: str, where: str) -> "Description":
        """Return what `to_json` gave.

        Raises:
            PackageError: it is of another format or kind, or lacks a part.
        """
        try:
            values = json.loads(text)
            if values["format"] != FORMAT or values["kind"] not in NATIVE:
                raise PackageError(
                    f"package {where!r} is of format {values['format']!r} and kind {values['kind']!r}; this version reads format {FORMAT} "
                    f"and {', '.join(NATIVE)}: upgrade kfp-ratchet"
                )
            parts = {name: values[name] for name in ("kind", "threshold", "parameters", "seed", "training_digest")}
            nullable = tuple(name for name, schema in values["input_schema"].items() if schema["nullable"])
            encoder = NeededEncoder.from_dict(values["encoder"]) if "encoder" in values else None
            return cls(spec=FeatureSpec.from_dict(values["spec"]), nullable=nullable, encoder=encoder, **parts)
        except (ValueError, KeyError, TypeError, AttributeError, SchemaError) as error:
            raise PackageError(f"package {where!r}: {DESCRIPTION} is not readable ({error!r}); fetch the package again") from error
