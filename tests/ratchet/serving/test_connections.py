"""Connections: one that sends nothing is closed in the given time."""

from ratchet.serving.connections import BoundedProtocol


def test_the_limit_is_a_protocol_s_own():
    # What it does is tested on a real server, in test_server.py.
    assert BoundedProtocol.bounded(3.0).seconds == 3.0
    assert BoundedProtocol.seconds == 10.0
