"""The options of a gateway: they travel to a worker whole, and what cannot be is refused by name."""

import pytest

from ratchet.errors import ParameterError
from ratchet.serving.options import GatewayOptions


def test_they_arrive_as_they_were_sent():
    options = GatewayOptions(names=("a", "b"), max_body=7, rehearsal=True)
    assert GatewayOptions.from_json(options.to_json()) == options


@pytest.mark.parametrize("given", [{"workers": 0}, {"max_queue": -1}, {"drain_seconds": -1}, {"log_level": "loud"}])
def test_a_value_that_cannot_be_is_refused_by_name(given):
    with pytest.raises(ParameterError, match=next(iter(given))):
        GatewayOptions(**given)


@pytest.mark.parametrize(
    ("text", "says"), [('{"max_bdy": 1}', "max_body"), ("[", "cannot be read"), ('{"workers": "two"}', "cannot be read")]
)
def test_a_text_that_is_none_is_refused(text, says):
    with pytest.raises(ParameterError, match=says):
        GatewayOptions.from_json(text)
