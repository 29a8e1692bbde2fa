"""Writes a trained network as an ONNX graph, so that whoever asks it needs onnxruntime and never TensorFlow.

The graph gives the embedding and the error of each column. It is written in a canonical form: nodes in an order that follows from the graph
alone, plain names, no producer, no documentation. So the same weights give the same bytes, whatever tf2onnx calls things.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ratchet.errors import PackageError
from ratchet.models.autoencoder.native import MODEL, open_session
from ratchet.models.autoencoder.reconstruction import BLOCK, Reconstruction, column_errors
from ratchet.models.autoencoder.rows import Layout

OPSET = 17
INTERMEDIATE = 10  # version of the file format, which older runtimes read
OUTPUTS = ("embedding", "errors")
RELATIVE, ABSOLUTE = 1e-3, 1e-4  # float32, summed in another order


def export(network: Any, folder: Path, *, numbers: int, sizes: Sequence[int]) -> None:
    """Write ``model.onnx`` into a folder.

    Args:
        network: As `networks.build_network` makes it, trained.
        folder: Where to.
        numbers: Numeric columns.
        sizes: Codes of each category.

    Raises:
        PackageError: what was made is no ONNX graph.
    """
    import onnx
    import tensorflow as tf
    import tf2onnx

    widths = {**({"numbers": numbers, "missing": numbers} if numbers else {}), **({"categories": len(sizes)} if sizes else {})}
    kinds = {"categories": tf.int32}
    signature = [tf.TensorSpec((None, width), kinds.get(name, tf.float32), name=name) for name, width in widths.items()]

    def ask(*given: Any) -> tuple[Any, Any]:
        rows = dict(zip(widths, given, strict=True))
        outputs = network({name: rows[name] for name in network.input}, training=False)
        return tf.identity(outputs["embedding"]), column_errors(outputs, rows, sizes)

    traced = tf.function(ask, input_signature=signature, autograph=False)
    made, _ = tf2onnx.convert.from_function(traced, input_signature=signature, opset=OPSET)
    canonical = canonical_graph(made, inputs=tuple(widths), outputs=OUTPUTS)
    onnx.checker.check_model(canonical)
    (folder / MODEL).write_bytes(canonical.SerializeToString(deterministic=True))


def check_equal(asked: Reconstruction, folder: Path, records: np.ndarray) -> float:
    """Compare the exported graph with Keras.

    Args:
        asked: The network in Keras.
        folder: Where ``model.onnx`` is.
        records: float32, shape (n, width): rows to compare on.

    Returns:
        The largest difference of an embedding or an error.

    Raises:
        PackageError: they differ by more than rounding.
    """
    farthest = 0.0
    session = open_session(folder / MODEL)
    for start in range(0, len(records), BLOCK):
        block = records[start : start + BLOCK]
        for name, theirs, ours in zip(OUTPUTS, asked.ask(block), session.run(OUTPUTS, _inputs(block, asked.layout)), strict=True):
            apart = np.abs(theirs - ours)
            if not (apart <= ABSOLUTE + RELATIVE * np.abs(theirs)).all():
                raise PackageError(
                    f"{name} of the exported graph is {apart.max():.3g} from Keras's; the network cannot be exported with these versions "
                    "of tf2onnx and onnxruntime: install the ones in the lock"
                )
            farthest = max(farthest, float(apart.max()))
    return farthest


def _inputs(records: np.ndarray, layout: Layout) -> dict[str, np.ndarray]:
    masks, codes = layout.numbers, layout.numbers + layout.masks
    fed: dict[str, np.ndarray] = {}
    if layout.numbers:
        fed["numbers"] = np.ascontiguousarray(records[:, :masks])
        fed["missing"] = np.ascontiguousarray(records[:, masks:codes]) if layout.masks else np.zeros_like(fed["numbers"])
    return {**fed, "categories": records[:, codes:].astype(np.int32)} if layout.categories else fed


def canonical_graph(model: Any, *, inputs: Sequence[str], outputs: Sequence[str]) -> Any:
    """Return the same graph in its canonical form.

    Args:
        model: An ONNX model.
        inputs: Names for its inputs, in their order.
        outputs: Names for its outputs, likewise.
    """
    from onnx import helper

    graph = _Naming({}).graph(model.graph, inputs, outputs, "graph")
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=INTERMEDIATE, producer_name="", doc_string=""
    )


class _Naming:
    """Names for the tensors of a graph, numbered as they are met on the way from its outputs to its inputs; graphs inside share them."""

    def __init__(self, known: Mapping[str, str], level: str = "") -> None:
        self._names = dict(known)
        self._level = level

    def graph(self, graph: Any, inputs: Sequence[str], outputs: Sequence[str], name: str) -> Any:
        from onnx import helper

        self._names |= dict(zip((one.name for one in graph.input), inputs, strict=True))
        makers = {made: node for node in graph.node for made in node.output if made}
        constants = {one.name: one for one in graph.initializer}
        ordered = _in_order([one.name for one in graph.output], makers)
        kept: list[Any] = []
        for used in (given for node in ordered for given in (*node.input, *_captured(node))):
            if used in constants and used not in self._names:
                self._names[used] = f"{self._level}constant_{len(kept)}"
                kept.append(_renamed(constants[used], self._names[used]))
        for place, node in enumerate(ordered):
            for output, made in enumerate(node.output):
                self._names[made] = f"{self._level}value_{place}_{output}" if made else ""
        ends = [one.name for one in graph.output]
        direct = {made: wanted for made, wanted in zip(ends, outputs, strict=True) if made in makers and ends.count(made) == 1}
        self._names |= direct
        nodes = [self._node(node, place) for place, node in enumerate(ordered)]
        for made, wanted in zip(ends, outputs, strict=True):
            if made not in direct:  # an input, a constant or a value that is given twice
                nodes.append(helper.make_node("Identity", [self._names[made]], [wanted], name=f"{self._level}{wanted}"))
        return helper.make_graph(
            nodes,
            name,
            [_renamed(one, wanted) for one, wanted in zip(graph.input, inputs, strict=True)],
            [_renamed(one, wanted) for one, wanted in zip(graph.output, outputs, strict=True)],
            kept,
        )

    def _node(self, node: Any, place: int) -> Any:
        made = type(node)()
        made.CopyFrom(node)
        made.name, made.doc_string = f"{self._level}node_{place}", ""
        del made.input[:], made.output[:], made.attribute[:]
        made.input.extend(self._names.get(name, name) if name else "" for name in node.input)
        made.output.extend(self._names[name] if name else "" for name in node.output)
        for attribute in sorted(node.attribute, key=lambda one: one.name):
            copied = made.attribute.add()
            copied.CopyFrom(attribute)
            copied.doc_string = ""
            if attribute.HasField("g"):
                level = f"{self._level}{place}_{attribute.name}_"
                takes, gives = ([f"{level}{what}_{at}" for at in range(len(ends))] for what, ends in _ends(attribute.g))
                copied.g.CopyFrom(_Naming(self._names, level).graph(attribute.g, takes, gives, f"{level}graph"))
        return made


def _ends(graph: Any) -> list[tuple[str, Any]]:
    return [("input", graph.input), ("output", graph.output)]


def _renamed(one: Any, name: str) -> Any:
    copied = type(one)()
    copied.CopyFrom(one)
    copied.name, copied.doc_string = name, ""
    if hasattr(copied, "type"):  # tf2onnx numbers the dimensions that it does not know by a counter of the process
        for dimension in copied.type.tensor_type.shape.dim:
            if dimension.dim_param:
                dimension.dim_param = "n"
    return copied


def _in_order(ends: Sequence[str], makers: Mapping[str, Any]) -> list[Any]:
    """Return the nodes behind some values, each after what it needs, in the order in which a walk from the ends meets them."""
    ordered: list[Any] = []
    done: set[int] = set()
    waiting = [makers[name] for name in reversed(ends) if name in makers]
    while waiting:
        node = waiting[-1]
        needs = [makers[name] for name in (*node.input, *_captured(node)) if name in makers and id(makers[name]) not in done]
        if id(node) in done or not needs:
            waiting.pop()
            if id(node) not in done:
                done.add(id(node))
                ordered.append(node)
        else:
            waiting.extend(reversed(needs))
    return ordered


def _captured(node: Any) -> list[str]:
    """Return the values of the graph around it that the graphs inside a node use, in the order in which they do."""
    found: list[str] = []
    for attribute in sorted(node.attribute, key=lambda one: one.name):
        if attribute.HasField("g"):
            own = {made for inside in attribute.g.node for made in inside.output} | {
                one.name for one in (*attribute.g.input, *attribute.g.initializer)
            }
            makers = {made: inside for inside in attribute.g.node for made in inside.output if made}
            ends = [one.name for one in attribute.g.output]
            uses = [name for inside in _in_order(ends, makers) for name in (*inside.input, *_captured(inside))]
            found += [name for name in (*uses, *ends) if name and name not in own]
    return list(dict.fromkeys(found))
