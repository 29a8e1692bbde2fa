"""A configuration file: a pipeline's parameters, and where to submit."""

from pathlib import Path

import pytest

from ratchet import catalog
from ratchet.errors import ParameterError
from ratchet.submit.configuration import PLACES, Configuration
from ratchet.submit.parameters import CompiledPipeline

ROOT = Path(__file__).resolve().parents[3]
CONFIGS = sorted((ROOT / "pipelines").glob("*/configs/*.yaml"))


def test_parameters_and_places_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("model: fraud\nseed: 7\nkubeflow:\n  host: https://kubeflow.example.org\nvertex:\n")
    found = Configuration.read(path)
    assert found.parameters == {"model": "fraud", "seed": 7}
    assert found.kubeflow == {"host": "https://kubeflow.example.org"}
    assert found.vertex == {}


@pytest.mark.parametrize("name", catalog.pipeline_names())
@pytest.mark.parametrize("kubeflow", [True, False])
def test_no_pipeline_has_a_parameter_named_like_a_place(name: str, kubeflow: bool) -> None:
    assert not set(PLACES) & set(CompiledPipeline.read(catalog.pipeline_path(name, kubeflow=kubeflow)).inputs)


@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: file.stem)
def test_the_configurations_of_the_house_are_read(file: Path) -> None:
    pipeline = CompiledPipeline.read(catalog.pipeline_path(file.parents[1].name))
    assert set(Configuration.read(file).parameters) <= set(pipeline.inputs)


@pytest.mark.parametrize("content", [b"", b"- a\n- b\n", b"a: [", b"\xff\xfe\x00"])
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "c.yaml"
    path.write_bytes(content)
    with pytest.raises(ParameterError, match=r"c\.yaml"):
        Configuration.read(path)


@pytest.mark.parametrize("place", PLACES)
def test_a_place_that_is_no_mapping_is_refused(tmp_path: Path, place: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(f"{place}: https://example.org\n")
    with pytest.raises(ParameterError, match=rf"says {place}: 'https://example\.org'; it must be a mapping"):
        Configuration.read(path)
