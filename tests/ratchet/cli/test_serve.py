"""``ratchet serve``: what it cannot do is one line, before anything is started. Serving is tested in tests/ratchet/serving."""

from pathlib import Path

import pytest

from ratchet.serving.supervisor import bind
from tests.ratchet.cli.test_main import ratchet


@pytest.mark.parametrize(("arguments", "says"), [(["--workers", "0"], "workers is 0"), (["--log-level", "loud"], "loud")])
def test_an_option_that_cannot_be_is_refused(tmp_path: Path, arguments: list[str], says: str) -> None:
    done = ratchet("serve", *arguments, home=tmp_path)
    assert done.returncode == 1
    assert says in done.stderr


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with bind("127.0.0.1", 0) as taken:
        port = str(taken.getsockname()[1])
        done = ratchet("serve", "--port", port, home=tmp_path)
    assert done.returncode == 1
    assert port in done.stderr
