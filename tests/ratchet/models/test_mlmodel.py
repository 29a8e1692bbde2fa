import json

import yaml

from ratchet.features.spec import FeatureSpec
from ratchet.models.mlmodel import write_mlmodel

SPEC = FeatureSpec("multiclass", "y", {"n": "integer", "m": "integer", "s": "string", "at": "datetime"}, ("n",), ("a", "b", "c"))


def test_the_file_names_our_loader_and_the_signature(tmp_path):
    write_mlmodel(tmp_path, SPEC, nullable=["m"])
    values = yaml.safe_load((tmp_path / "MLmodel").read_text())
    assert values["flavors"]["python_function"]["loader_module"] == "ratchet.models.mlflow_flavor"
    types = {column["name"]: column["type"] for column in json.loads(values["signature"]["inputs"])}
    assert types == {"n": "long", "m": "double", "s": "string", "at": "datetime"}
    assert json.loads(values["signature"]["outputs"])[0]["tensor-spec"]["shape"] == [-1, 3]


def test_it_has_no_date_and_no_random_id(tmp_path):
    write_mlmodel(tmp_path, SPEC, ())
    first = (tmp_path / "MLmodel").read_bytes()
    write_mlmodel(tmp_path, SPEC, ())
    assert (tmp_path / "MLmodel").read_bytes() == first
