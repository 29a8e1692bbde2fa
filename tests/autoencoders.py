"""An autoencoder without TensorFlow: the linear one, whose best weights are known exactly, written as an ONNX graph by hand.

The best linear autoencoder of standardised rows is the projection onto their first principal components. So tests of all that takes a
package of this kind need neither TensorFlow nor training, and know what must come out.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import polars as pl
from onnx import TensorProto, helper, numpy_helper

from ratchet.data.digests import content_digest
from ratchet.features.spec import FeatureSpec
from ratchet.models.autoencoder.native import MODEL, AutoencoderNative, open_session
from ratchet.models.autoencoder.preparation import Preparation
from ratchet.models.package import Description, ModelPackage, write_package

Change = Callable[[onnx.ModelProto], onnx.ModelProto]


def linear_package(
    folder: Path, spec: FeatureSpec, frame: pl.DataFrame, latent: int = 2, threshold: float | None = None, **how: Any
) -> ModelPackage:
    """Return a package whose autoencoder is the linear one of some rows.

    Args:
        folder: To appear.
        spec: Of task "anomaly".
        frame: Rows to learn from, and to record the first 100 of.
        latent: Number of components, at most the number of features.
        threshold: Error from which on a row is an anomaly; None for what one row in a hundred of these reaches.
        how: Further parts of the description, like ``seed``; ``preparation`` in place of the learnt one; ``change`` of the graph.

    Its categories get an error of -log of the value's frequency, whatever the rest of the row is.
    """
    matrix = spec.matrix(frame)
    preparation = how.pop("preparation", None) or Preparation.learn([matrix], spec.features)
    change: Change = how.pop("change", lambda graph: graph)
    graph = change(linear_graph(preparation, matrix, latent))

    def write_native(target: Path) -> None:
        preparation.write(target)
        (target / MODEL).write_bytes(graph.SerializeToString(deterministic=True))

    if threshold is None:
        scratch = folder.with_name(f".{folder.name}.graph")
        scratch.parent.mkdir(parents=True, exist_ok=True)
        scratch.write_bytes(graph.SerializeToString())
        errors = AutoencoderNative(open_session(scratch), preparation).predict(matrix)
        scratch.unlink()
        threshold = float(np.quantile(errors, 0.99))
    nullable = tuple(name for name in spec.inputs if frame[name].null_count())
    given = {"parameters": {"latent": latent}, "seed": 0, "training_digest": content_digest([frame]), "nullable": nullable, **how}
    return write_package(folder, Description("autoencoder", spec, threshold, **given), write_native, frame)


def linear_graph(preparation: Preparation, matrix: pl.DataFrame, latent: int) -> onnx.ModelProto:
    """Return the graph: numbers @ components, back, squared differences; and for each category minus the log of its frequency."""
    rows = preparation.prepare(matrix)
    wide, categories = rows.numbers.shape[1], rows.categories.shape[1]
    nodes: list[onnx.NodeProto] = []
    weights: dict[str, np.ndarray] = {}
    errors = []
    if wide:
        _, _, components = np.linalg.svd(rows.numbers.astype(np.float64), full_matrices=True)
        signs = np.sign(components[np.arange(wide), np.abs(components).argmax(axis=1)])  # a component's sign is anybody's choice
        weights["components"] = (components * signs[:, None])[:latent].T.astype(np.float32)
        weights["back"] = np.ascontiguousarray(weights["components"].T)
        weights["one"] = np.float32([1.0])
        nodes += [
            helper.make_node("MatMul", ["numbers", "components"], ["embedding"]),
            helper.make_node("MatMul", ["embedding", "back"], ["again"]),
            helper.make_node("Sub", ["numbers", "again"], ["difference"]),
            helper.make_node("Mul", ["difference", "difference"], ["squares"]),
            helper.make_node("Sub", ["one", "missing"], ["present"]),
            helper.make_node("Mul", ["squares", "present"], ["numeric_errors"]),
        ]
        errors.append("numeric_errors")
    for place, category in enumerate(preparation.categories):
        counts = np.bincount(rows.categories[:, place], minlength=2 + len(category.values)) + 1.0
        weights[f"surprise_{place}"] = -np.log(counts / counts.sum()).astype(np.float32)
        weights[f"place_{place}"] = np.array([place])
        nodes += [
            helper.make_node("Gather", ["categories", f"place_{place}"], [f"codes_{place}"], axis=1),
            helper.make_node("Gather", [f"surprise_{place}", f"codes_{place}"], [f"errors_{place}"]),
        ]
        errors.append(f"errors_{place}")
    nodes.append(helper.make_node("Concat", errors, ["errors"], axis=1))
    if not wide:
        nodes.append(helper.make_node("Identity", ["errors"], ["embedding"]))
    takes = {"numbers": (TensorProto.FLOAT, wide), "missing": (TensorProto.FLOAT, wide), "categories": (TensorProto.INT32, categories)}
    inputs = [helper.make_tensor_value_info(name, kind, ["n", columns]) for name, (kind, columns) in takes.items() if columns]
    made = {"embedding": min(latent, wide) if wide else categories, "errors": wide + categories}
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", columns]) for name, columns in made.items()]
    constants = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "linear", inputs, outputs, constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9, producer_name="ratchet")
