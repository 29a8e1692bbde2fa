import pytest
import yaml

from ratchet import catalog
from ratchet.errors import ParameterError


def test_every_component_is_found_by_name_and_loads():
    assert catalog.names()
    for name in catalog.names():
        assert catalog.load(name).component_spec.name == name.replace("_", "-")


def test_a_pipeline_is_found_by_name_and_is_the_compiled_file():
    path = catalog.pipeline_path("delivery")
    assert yaml.safe_load(path.read_text(encoding="utf-8"))["pipelineInfo"]["name"] == "delivery"


@pytest.mark.parametrize(("find", "kind"), [(catalog.path, "component"), (catalog.load, "component"), (catalog.pipeline_path, "pipeline")])
def test_an_unknown_name_is_refused_with_what_there_is(find, kind):
    with pytest.raises(ParameterError, match=f"no {kind} 'delivry' in the catalogue; (did you mean|known:)"):
        find("delivry")


def test_a_name_cannot_leave_the_catalogue():
    with pytest.raises(ParameterError, match=r"no component '\.\./pipelines/delivery'"):
        catalog.path("../pipelines/delivery")
