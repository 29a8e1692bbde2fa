from typing import NamedTuple

import pytest
import yaml
from kfp import compiler, dsl
from kfp.dsl import HTML, Dataset, Input, Output

from scripts.component_readme import component_readme


@dsl.component(base_image="registry/python:1", install_kfp_package=False)
def weigh(
    data: Input[Dataset],
    report: Output[HTML],
    limit: float = 0.1,
    columns: list = ["a", "b"],  # noqa: B006 - kfp takes a default as it is
) -> NamedTuple("Outputs", [("verdict", str)]):
    """Weigh a dataset.

    Every row weighs the same.

    Args:
        data: What is weighed.
        report: What it weighs, drawn.
        limit: Kilograms | tonnes,
            over two lines.
        columns: Which columns.

    Returns:
        verdict: "heavy" or "light".
    """
    return ("light",)


@pytest.fixture
def readme(tmp_path) -> str:
    compiler.Compiler().compile(weigh, str(tmp_path / "weigh.yaml"))
    compiled = yaml.safe_load((tmp_path / "weigh.yaml").read_text())
    return component_readme(weigh.python_func, compiled, {"stage": "evaluation", "kind": "effect", "image": "tabular"})


def test_a_reader_learns_what_it_is_and_what_it_does_to_the_world(readme):
    assert "# weigh\n\nWeigh a dataset.\n\nEvery row weighs the same.\n" in readme
    assert "- Stage: evaluation" in readme
    assert "effect: it changes the world" in readme
    assert "`registry/python:1` (family `tabular`)" in readme


@pytest.mark.parametrize(
    "line",
    [
        "| `data` | Dataset | What is weighed. |",
        "| `limit` | float | `0.1` | Kilograms \\| tonnes, over two lines. |",
        '| `columns` | list | `["a", "b"]` | Which columns. |',
        "| `report` | HTML | What it weighs, drawn. |",
        '| `verdict` | str | "heavy" or "light". |',
    ],
)
def test_each_input_parameter_and_output_has_its_line(readme, line):
    assert line in readme.splitlines()


def test_it_says_how_to_load_it_in_three_ways(readme):
    assert 'weigh = catalog.load("weigh")' in readme
    assert 'load_component_from_file("compiled/components/weigh.yaml")' in readme
    assert '/compiled/components/weigh.yaml",' in readme.split("load_component_from_url(")[1]
