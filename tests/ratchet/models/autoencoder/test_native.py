import dataclasses
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import helper, numpy_helper

from ratchet.errors import DataError, PackageError
from ratchet.features.spec import FeatureSpec
from ratchet.models.autoencoder.native import AutoencoderNative, Encoded
from ratchet.models.package import ModelPackage
from tests.autoencoders import linear_package

pytestmark = pytest.mark.slow  # onnx and its graphs

ROWS = 5_000


def table() -> pl.DataFrame:
    rng = np.random.default_rng(0)
    behind = rng.normal(size=(ROWS, 2))
    values = behind @ rng.normal(size=(2, 6)) + rng.normal(0, 0.1, (ROWS, 6))
    made = {f"sensor_{place}": values[:, place] for place in range(6)}
    holes = pl.Series(rng.random(ROWS) < 0.1)
    return pl.DataFrame({**made, "line": rng.choice(["a", "b", "c"], ROWS, p=[0.7, 0.2, 0.1])}).with_columns(
        sensor_1=pl.when(holes).then(None).otherwise("sensor_1")
    )


TABLE = table()
SPEC = FeatureSpec(
    "anomaly", "", {name: "string" if name == "line" else "number" for name in TABLE.columns}, tuple(TABLE.columns), ("normal", "anomaly")
)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> ModelPackage:
    return linear_package(tmp_path_factory.mktemp("linear") / "model", SPEC, TABLE)


def with_output(value: float, name: str = "errors"):
    """Return a change of a graph, after which it adds a value to an output."""

    def change(graph: onnx.ModelProto) -> onnx.ModelProto:
        last = next(node for node in graph.graph.node if name in node.output)
        place = list(last.output).index(name)
        last.output[place] = "before"
        for node in graph.graph.node:
            for position, read in enumerate(node.input):
                if read == name:
                    node.input[position] = "before"
        graph.graph.initializer.append(numpy_helper.from_array(np.float32([value]), "added"))
        graph.graph.node.append(helper.make_node("Add", ["before", "added"], [name]))
        return graph

    return change


def test_errors_and_embeddings_are_those_of_the_components(package: ModelPackage) -> None:
    rows = package.encoder.preparation.prepare(SPEC.matrix(TABLE))
    weights = np.linalg.svd(rows.numbers.astype(np.float64), full_matrices=False)[2][:2].T
    squares = np.square(rows.numbers - rows.numbers @ weights @ weights.T) * (1 - rows.missing)
    counts = np.bincount(rows.categories[:, 0], minlength=5) + 1
    surprise = -np.log(counts / counts.sum())[rows.categories[:, 0]]
    encoded = package.encode(TABLE, shares=True)
    assert encoded.embedding.dtype == np.float32
    assert encoded.embedding.shape == (ROWS, package.encoder.latent) == (ROWS, 2)
    assert np.abs(encoded.embedding) == pytest.approx(np.abs(rows.numbers @ weights), abs=1e-4)
    assert encoded.errors == pytest.approx((squares.sum(axis=1) + surprise) / 7, rel=1e-4, abs=1e-5)
    assert np.array_equal(package.predict(TABLE), encoded.errors)
    assert package.encode(TABLE).shares is None


def test_shares_sum_to_1_and_name_the_column_that_is_off(package: ModelPackage) -> None:
    off = TABLE.head(20).with_columns(sensor_3=pl.lit(50.0))
    encoded = package.encode(off, shares=True)
    assert encoded.shares is not None
    assert encoded.shares.sum(axis=1) == pytest.approx(np.ones(20))
    names = package.encoder.preparation.columns
    assert [names[place] for place in encoded.shares.argmax(axis=1)] == ["sensor_3"] * 20
    assert (encoded.errors > package.threshold).all()
    assert package.decide(encoded.errors).tolist() == ["anomaly"] * 20


def test_a_row_without_any_error_has_even_shares(tmp_path: Path) -> None:
    spec = FeatureSpec("anomaly", "", {"a": "number", "b": "number"}, ("a", "b"), ("normal", "anomaly"))
    package = linear_package(tmp_path / "model", spec, pl.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]}))
    encoded = package.encode(pl.DataFrame({"a": [None], "b": [None]}, schema={"a": pl.Float64, "b": pl.Float64}), shares=True)
    assert (encoded.errors.tolist(), encoded.shares.tolist()) == ([0.0], [[0.5, 0.5]])


def test_a_column_s_scale_divides_its_error(package: ModelPackage, tmp_path: Path) -> None:
    scales = (2.0, 1.0, 1.0, 1.0, 1.0, 4.0, 0.5)
    preparation = dataclasses.replace(package.encoder.preparation, scales=scales)
    scaled = linear_package(tmp_path / "scaled", SPEC, TABLE, preparation=preparation)
    before, after = package.encode(TABLE.head(50), shares=True), scaled.encode(TABLE.head(50), shares=True)
    columns = before.shares * before.errors[:, None] * 7 / np.array(scales)
    assert after.errors == pytest.approx(columns.mean(axis=1))
    assert after.shares == pytest.approx(columns / columns.sum(axis=1, keepdims=True))


@pytest.fixture(scope="module")
def whole(package: ModelPackage) -> Encoded:
    return package.encode(TABLE, shares=True)


@given(st.integers(0, ROWS), st.integers(0, 300))
def test_a_row_is_told_the_same_to_the_last_bit_whatever_rows_are_beside_it(
    package: ModelPackage, whole: Encoded, start: int, height: int
) -> None:
    part = package.encode(TABLE[start : start + height], shares=True)
    assert np.array_equal(part.errors, whole.errors[start : start + height])
    assert np.array_equal(part.embedding, whole.embedding[start : start + height])
    assert np.array_equal(part.shares, whole.shares[start : start + height])


def test_so_it_is_with_many_columns(tmp_path: Path) -> None:
    wide = pl.DataFrame(np.random.default_rng(1).normal(size=(600, 131)), schema=[f"c{place}" for place in range(131)])
    spec = FeatureSpec("anomaly", "", dict.fromkeys(wide.columns, "number"), tuple(wide.columns), ("normal", "anomaly"))
    package = linear_package(tmp_path / "model", spec, wide, latent=19)
    whole = package.encode(wide)
    for height in (1, 2, 3, 15, 16, 17, 33, 100, 599):
        part = package.encode(wide[7 : 7 + height])
        assert np.array_equal(part.errors, whole.errors[7 : 7 + height])
        assert np.array_equal(part.embedding, whole.embedding[7 : 7 + height])


def test_a_fresh_process_says_the_same(package: ModelPackage) -> None:
    frame, recorded = package.examples()
    assert frame.height == 100
    assert np.array_equal(package.predict(frame), recorded)
    code = (
        "import sys, numpy; from ratchet.models.package import ModelPackage; package = ModelPackage.load(sys.argv[1])\n"
        "frame, recorded = package.examples(); print(float(numpy.abs(package.predict(frame) - recorded).max()))\n"
        "assert not {'tensorflow', 'onnx', 'catboost', 'pandas'} & set(sys.modules), sorted(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(package.path)], capture_output=True, text=True, env=os.environ, check=False)
    assert (done.stdout.strip(), done.stderr) == ("0.0", "")


def test_threads_change_nothing(package: ModelPackage) -> None:
    alone = AutoencoderNative.load(package.path, threads=1)
    several = AutoencoderNative.load(package.path, threads=3)
    matrix = SPEC.matrix(pl.concat([TABLE, TABLE, TABLE]))
    assert np.array_equal(alone.predict(matrix), several.predict(matrix))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("row", [3, 4_500])
def test_what_is_no_number_never_reaches_the_network(package: ModelPackage, value: float, row: int) -> None:
    column = TABLE["sensor_2"].to_list()
    column[row] = value
    with pytest.raises(DataError, match=f"column 'sensor_2' is {value} in row {row}"):
        package.encoder.predict(TABLE.with_columns(sensor_2=pl.Series(column)))


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("output", ["errors", "embedding"])
def test_what_comes_out_and_is_no_number_is_never_called_usual(value: float, output: str, tmp_path: Path) -> None:
    with pytest.raises(PackageError, match=r"for row 0; train it again"):
        linear_package(tmp_path / "model", SPEC, TABLE, threshold=1.0, change=with_output(value, output))
    assert not list(tmp_path.iterdir())


def test_the_row_and_column_of_an_output_that_is_no_number_are_named(package: ModelPackage) -> None:
    far = TABLE.with_columns(sensor_4=pl.when(pl.int_range(ROWS) == 4_321).then(1e300).otherwise("sensor_4"))
    assert np.isfinite(package.predict(far)).all()
    graph = onnx.load(str(package.path / "model.onnx"))
    squares = next(node for node in graph.graph.node if "squares" in node.output)
    squares.op_type = "Exp"  # of 7,000 deviations: infinite
    del squares.input[1:]
    native = AutoencoderNative(onnxruntime.InferenceSession(graph.SerializeToString()), package.encoder.preparation)
    with pytest.raises(PackageError, match=r"gives an error of (inf|nan) in column 'sensor_\d' for row 4321; train it again"):
        native.predict(SPEC.matrix(far))


def test_any_finite_number_is_answered_with_one(package: ModelPackage) -> None:
    for value in (1e308, -1e308, 5e-324, 1e39):
        encoded = package.encode(TABLE.head(3).with_columns(sensor_0=pl.lit(value)), shares=True)
        assert np.isfinite(encoded.errors).all()
        assert np.isfinite(encoded.shares).all()


def test_no_rows_are_encoded_to_none(package: ModelPackage) -> None:
    encoded = package.encode(TABLE.head(0), shares=True)
    assert (encoded.embedding.shape, encoded.errors.shape, encoded.shares.shape) == ((0, 2), (0,), (0, 7))


@pytest.mark.parametrize("columns", [["line"], [name for name in TABLE.columns if name != "line"]])
def test_there_may_be_numbers_only_or_categories_only(columns: list[str], tmp_path: Path) -> None:
    spec = FeatureSpec("anomaly", "", {name: SPEC.inputs[name] for name in columns}, tuple(columns), SPEC.classes)
    package = linear_package(tmp_path / "model", spec, TABLE, latent=1)
    assert package.predict(TABLE).shape == (ROWS,)
    assert package.encode(TABLE.head(5), shares=True).shares.shape == (5, len(columns))


@pytest.mark.parametrize("content", [b"", b"no graph", "half"])
def test_a_graph_that_is_damaged_is_refused(package: ModelPackage, tmp_path: Path, content: bytes | str) -> None:
    whole = (package.path / "model.onnx").read_bytes()
    (tmp_path / "preparation.json").write_bytes((package.path / "preparation.json").read_bytes())
    (tmp_path / "model.onnx").write_bytes(whole[: len(whole) // 2] if isinstance(content, str) else content)
    with pytest.raises(PackageError, match=r"model.onnx' .*fetch the package again"):
        AutoencoderNative.load(tmp_path)
    (tmp_path / "model.onnx").unlink()
    with pytest.raises(PackageError, match="fetch the package again"):
        AutoencoderNative.load(tmp_path)


def test_a_graph_of_other_columns_is_refused(package: ModelPackage, tmp_path: Path) -> None:
    fewer = TABLE.drop("sensor_5")
    spec = FeatureSpec("anomaly", "", {name: SPEC.inputs[name] for name in fewer.columns}, tuple(fewer.columns), SPEC.classes)
    other = linear_package(tmp_path / "other", spec, fewer)
    with pytest.raises(PackageError, match=r"has inputs .*'numbers': 6.* its preparation needs .*'numbers': 5.*train it again"):
        AutoencoderNative(package.encoder.session, other.encoder.preparation)
