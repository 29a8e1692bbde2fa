"""Our side of the frameworks compiles, of the components of the catalogue."""

import pytest
from kfp import compiler

from ratchet.submit.parameters import CompiledPipeline
from scripts.bench_ours import doing_nothing, small


@pytest.mark.parametrize(("pipeline", "inputs"), [(doing_nothing, set()), (small, {"source"})], ids=["nothing", "small"])
def test_it_compiles_to_what_the_runner_takes(pipeline, inputs, tmp_path):
    compiler.Compiler().compile(pipeline, str(tmp_path / "pipeline.yaml"))
    assert set(CompiledPipeline.read(tmp_path / "pipeline.yaml").inputs) == inputs
