"""The same network gives the same bytes, whatever its parts were called; and what was exported is what was trained."""

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from ratchet.errors import PackageError
from ratchet.models.autoencoder.export import canonical_graph, check_equal, export
from ratchet.models.autoencoder.networks import build_network, sizes
from ratchet.models.autoencoder.parameters import AutoencoderParameters
from ratchet.models.autoencoder.preparation import Category, Number, Preparation
from ratchet.models.autoencoder.reconstruction import Reconstruction
from ratchet.models.autoencoder.rows import Layout


def graph(names: dict[str, str], order: list[int], *, document: str = "") -> onnx.ModelProto:
    """Return y = relu(x·w + b) if sum(x) > 0 else x·w, and z = x, with nodes in an order and tensors by other names."""
    n = {name: names.get(name, name) for name in ("x", "w", "b", "dot", "sum", "zero", "go", "y", "z", "then", "else", "added")}
    w, b, zero = (
        numpy_helper.from_array(np.array(value, np.float32), n[name])
        for name, value in (("w", [[1, -1], [2, 1]]), ("b", [1, 2]), ("zero", 0))
    )
    ends = {name: helper.make_tensor_value_info(n[name], TensorProto.FLOAT, None) for name in ("then", "else")}
    then = helper.make_graph(
        [helper.make_node("Add", [n["dot"], n["b"]], [n["added"]]), helper.make_node("Relu", [n["added"]], [n["then"]])],
        "t",
        [],
        [ends["then"]],
    )
    other = helper.make_graph([helper.make_node("Identity", [n["dot"]], [n["else"]])], "e", [], [ends["else"]])
    nodes = [
        helper.make_node("MatMul", [n["x"], n["w"]], [n["dot"]], name=f"{document}dot"),
        helper.make_node("ReduceSum", [n["x"]], [n["sum"]], keepdims=0, doc_string=document),
        helper.make_node("Greater", [n["sum"], n["zero"]], [n["go"]]),
        helper.make_node("If", [n["go"]], [n["y"]], then_branch=then, else_branch=other),
        helper.make_node("Identity", [n["x"]], [n["z"]]),
    ]
    ordered = sorted(range(5), key=lambda place: (place == 3, order[place]))  # what is asked for comes last
    takes = [helper.make_tensor_value_info(n["x"], TensorProto.FLOAT, [f"unk{document}", 2])]
    gives = [helper.make_tensor_value_info(n[name], TensorProto.FLOAT, [None, 2]) for name in ("y", "z")]
    made = helper.make_graph([nodes[place] for place in ordered], f"g{document}", takes, gives, [w, b, zero], doc_string=document)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], producer_name=f"p{document}", ir_version=8)


def canonical(model: onnx.ModelProto) -> bytes:
    return canonical_graph(model, inputs=["rows"], outputs=["made", "same"]).SerializeToString(deterministic=True)


@given(st.permutations(range(5)), st.text("abc", min_size=1, max_size=4))
def test_names_order_and_documents_do_not_show(order, prefix):
    names = {name: f"{prefix}_{name}" for name in ("x", "w", "b", "dot", "sum", "zero", "go", "y", "z", "then", "else", "added")}
    assert canonical(graph(names, list(order), document=prefix)) == canonical(graph({}, list(range(5))))


@pytest.mark.parametrize("row", [[1.0, 2.0], [-1.0, -2.0]])
def test_the_canonical_graph_gives_what_the_graph_gives(row):
    plain = graph({}, list(range(5)))
    rows = np.array([row], np.float32)
    before = onnxruntime.InferenceSession(plain.SerializeToString()).run(None, {"x": rows})
    after = onnxruntime.InferenceSession(canonical(plain)).run(["made", "same"], {"rows": rows})
    assert [part.tolist() for part in after] == [part.tolist() for part in before]


def test_nothing_says_who_made_it_or_when():
    made = onnx.load_from_string(canonical(graph({}, list(range(5)), document="secret")))
    assert b"secret" not in made.SerializeToString()
    assert (made.producer_name, made.doc_string, len(made.metadata_props)) == ("", "", 0)
    assert [one.name for one in (*made.graph.input, *made.graph.output)] == ["rows", "made", "same"]


COLUMNS = Preparation((Number("a", 0.0, 1.0), Number("b", 0.0, 1.0)), (Category("k", ("u", "v")),), (1.0,) * 3)


@pytest.mark.slow
def test_two_exports_in_one_process_are_the_same_bytes(tmp_path):
    from ratchet.models.autoencoder.tensorflow import load_tensorflow

    load_tensorflow(2)
    made = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        network = build_network(COLUMNS, AutoencoderParameters(hidden=(4,)), 2, masked=(1,))
        export(network, tmp_path / name, numbers=2, sizes=sizes(COLUMNS))
        made.append((tmp_path / name / "model.onnx").read_bytes())
    assert made[0] == made[1]


@pytest.mark.slow
def test_a_graph_that_is_not_the_network_is_no_package(tmp_path):
    from ratchet.models.autoencoder.tensorflow import load_tensorflow

    load_tensorflow(2)
    network = build_network(COLUMNS, AutoencoderParameters(hidden=(4,)), 2)
    asked = Reconstruction(network, Layout(2, 2, 1), sizes(COLUMNS))
    export(network, tmp_path, numbers=2, sizes=sizes(COLUMNS))
    records = np.column_stack([np.random.default_rng(0).normal(size=(1000, 2)), np.zeros((1000, 2)), np.arange(1000) % 4]).astype(
        np.float32
    )
    assert check_equal(asked, tmp_path, records) < 1e-4
    network.set_weights([part + 0.05 for part in network.get_weights()])
    with pytest.raises(PackageError, match=r"embedding of the exported graph is .* from Keras's"):
        check_equal(asked, tmp_path, records)
