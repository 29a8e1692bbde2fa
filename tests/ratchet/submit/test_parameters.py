"""A wrong parameter is refused before anything runs, with the nearest right name."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ratchet.errors import ParameterError
from ratchet.submit.parameters import CompiledPipeline, Input, pairs, typed


@pytest.fixture
def compiled(tmp_path: Path) -> CompiledPipeline:
    parameters = {
        "source": {"parameterType": "STRING"},
        "windows": {"parameterType": "LIST", "defaultValue": [], "isOptional": True},
        "expressions": {"parameterType": "STRUCT", "defaultValue": {}, "isOptional": True},
        "holdout_share": {"parameterType": "NUMBER_DOUBLE", "defaultValue": 0.2, "isOptional": True},
        "seed": {"parameterType": "NUMBER_INTEGER", "defaultValue": 0.0, "isOptional": True},
        "refit": {"parameterType": "BOOLEAN", "defaultValue": True, "isOptional": True},
    }
    path = tmp_path / "p.yaml"
    path.write_text(yaml.safe_dump({"pipelineInfo": {"name": "p"}, "root": {"inputDefinitions": {"parameters": parameters}}}))
    return CompiledPipeline.read(path)


def test_texts_from_the_command_line_become_the_declared_types(compiled: CompiledPipeline) -> None:
    texts = {
        "source": "a.csv",
        "windows": "[1]",
        "expressions": '{"a": "b + 1"}',
        "holdout_share": "1e-1",
        "seed": "3",
        "refit": "False",
    }
    assert compiled.arguments(texts) == {
        "source": "a.csv",
        "windows": [1],
        "expressions": {"a": "b + 1"},
        "holdout_share": 0.1,
        "seed": 3,
        "refit": False,
    }


def test_an_unknown_name_is_refused_with_the_nearest(compiled: CompiledPipeline) -> None:
    with pytest.raises(ParameterError, match=r"no parameter 'sorce'; did you mean 'source'\?"):
        compiled.arguments({"sorce": "a.csv"})


def test_a_missing_parameter_is_named_with_how_to_give_it(compiled: CompiledPipeline) -> None:
    with pytest.raises(ParameterError, match=r"needs 'source'; give -p source=…"):
        compiled.arguments({"seed": "1"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seed", "1.5"),
        ("seed", "true"),
        ("seed", "one"),
        ("seed", None),
        ("holdout_share", "a fifth"),
        ("holdout_share", True),
        ("refit", "yes"),
        ("refit", 1),
        ("windows", "{}"),
        ("windows", "[a, b]"),
        ("expressions", "[]"),
        ("source", ["a.csv"]),
        ("source", None),
    ],
)
def test_a_mistyped_value_is_refused_naming_it(compiled: CompiledPipeline, name: str, value: object) -> None:
    with pytest.raises(ParameterError, match=f"parameter {name!r} is "):
        compiled.arguments({"source": "a.csv", name: value})


@given(st.text(), st.sampled_from(["STRING", "NUMBER_INTEGER", "NUMBER_DOUBLE", "BOOLEAN", "LIST", "STRUCT"]))
def test_any_text_is_typed_or_refused(text: str, kind: str) -> None:
    types = {"STRING": str, "NUMBER_INTEGER": int, "NUMBER_DOUBLE": float, "BOOLEAN": bool, "LIST": list, "STRUCT": dict}
    try:
        value = typed(Input("x", kind, True, ""), text)
    except ParameterError:
        return
    assert type(value) is types[kind]


def test_pairs_need_a_name_and_come_once() -> None:
    assert pairs(["a=1", "b=x=y", "c="]) == {"a": "1", "b": "x=y", "c": ""}
    for wrong in (["a"], ["=1"], ["a=1", "a=2"]):
        with pytest.raises(ParameterError, match=r"name=value|given twice"):
            pairs(wrong)


@pytest.mark.parametrize("content", [b"", b"- a\n- b\n", b"a: [", b"\xff\xfe\x00"])
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "c.yaml"
    path.write_bytes(content)
    with pytest.raises(ParameterError, match=r"c\.yaml"):
        CompiledPipeline.read(path)


def test_a_rollout_policy_is_refused_before_anything_runs():
    from ratchet.catalog import pipeline_path

    pipeline = CompiledPipeline.read(pipeline_path("delivery"))
    needed = {"source": "x.csv", "target": "y", "model": "m"}
    with pytest.raises(ParameterError, match=r"'stepz'.*did you mean"):
        pipeline.arguments({**needed, "policy": '{"stepz": [50]}'})
    with pytest.raises(ParameterError, match=r"'canari'.*canary"):
        pipeline.arguments({**needed, "strategy": "canari"})
