"""One POST, to where the operator said and nowhere else."""

import socket

import pytest

from ratchet.delivery.webhook import post_json
from ratchet.errors import SettingsError


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://host/x", "hooks.example.org/token", ""])
def test_only_http_and_https_are_posted_to_and_the_url_is_not_repeated(url):
    with pytest.raises(SettingsError, match="RATCHET_WEBHOOK_URL") as refusal:
        post_json(url, {})
    assert "passwd" not in str(refusal.value)
    assert "token" not in str(refusal.value)


def test_a_receiver_that_never_answers_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/secret-token"
        with pytest.raises(SettingsError, match="did not accept") as refusal:
            post_json(url, {}, timeout=0.05)
    assert "secret-token" not in str(refusal.value)
