"""What an operator may turn reaches the engine of each deployment."""

from ratchet.serving.options import GatewayOptions
from ratchet.serving.server import build_gateway
from ratchet.settings import Settings


def test_the_bounds_of_a_gateway_are_those_of_its_engines(tmp_path):
    options = GatewayOptions(max_batch=7, max_wait=0.5, max_queue=90, cache_entries=11)
    app = build_gateway(Settings(home=tmp_path), options)
    tuned = app.deployments._make("fraud").options
    app.recorder.close()
    assert (tuned.max_rows, tuned.max_wait, tuned.max_queue, tuned.cache_entries) == (7, 0.5, 90, 11)
