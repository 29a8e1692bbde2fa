"""The list of a pipeline's parameters is one that a person can work from."""

from pathlib import Path

from ratchet.catalog import pipeline_path
from ratchet.cli.parameters import describe
from ratchet.submit.parameters import CompiledPipeline, Input


def test_required_parameters_come_first() -> None:
    inputs = {name: Input(name, "STRING", name == "b", f"The {name}.", "x") for name in ("a", "b")}
    listed = describe(CompiledPipeline(Path("p.yaml"), "p", inputs)).splitlines()
    assert listed[2:] == ["  b  text, required. The b.", '  a  text, default "x". The a.']


def test_every_parameter_of_delivery_says_what_it_does() -> None:
    pipeline = CompiledPipeline.read(pipeline_path("delivery"))
    assert [name for name, item in pipeline.inputs.items() if not item.help] == []
