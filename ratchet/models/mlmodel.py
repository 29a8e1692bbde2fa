"""The ``MLmodel`` file of a package, by which MLflow's own tools load and serve it. Written without importing MLflow (3.5 s)."""

import json
from collections.abc import Collection
from pathlib import Path

import yaml

from ratchet.features.spec import FeatureSpec

LOADER = "ratchet.models.mlflow_flavor"
TYPES = {"integer": "long", "number": "double", "boolean": "boolean", "string": "string", "datetime": "datetime"}


def write_mlmodel(folder: Path, spec: FeatureSpec, nullable: Collection[str]) -> None:
    """Write the file.

    Args:
        folder: The package.
        spec: Its inputs become the signature.
        nullable: Inputs that may be missing; an integer among them is declared a double, because pandas has no missing integer.
    """
    types = {name: "double" if kind == "integer" and name in nullable else TYPES[kind] for name, kind in spec.inputs.items()}
    inputs = [{"type": kind, "name": name, "required": True} for name, kind in types.items()]
    shape = [-1, len(spec.classes)] if spec.task == "multiclass" else [-1]
    outputs = [{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": shape}}]
    text = yaml.safe_dump(
        {
            "flavors": {"python_function": {"loader_module": LOADER, "data": "."}},
            "signature": {"inputs": json.dumps(inputs, ensure_ascii=False), "outputs": json.dumps(outputs)},
        },
        sort_keys=True,
        allow_unicode=True,
    )
    (folder / "MLmodel").write_text(text, encoding="utf-8")
