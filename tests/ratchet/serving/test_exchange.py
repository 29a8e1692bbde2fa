"""Bodies: bounded in size, in time and in sum."""

import asyncio

import pytest

from ratchet.errors import OverloadedError, RequestError
from ratchet.serving.exchange import Bodies, Disconnected, Headers, new_identifier
from ratchet.serving.options import GatewayOptions


def read(chunks, *, headers=(), seconds=5.0, **options):
    left = list(chunks)

    async def receive():
        if not left:
            await asyncio.sleep(60)
        chunk = left.pop(0)
        return (
            {"type": "http.disconnect"}
            if chunk is None
            else {"type": "http.request", "body": chunk, "more_body": bool(left) or chunk == b"-"}
        )

    bodies = Bodies(GatewayOptions(body_seconds=seconds, **options))
    try:
        return bytes(asyncio.run(bodies.read(Headers(headers), receive)))
    finally:
        assert bodies.held == 0


def test_chunks_are_put_together():
    assert read([b"ab", b"cd", b"e"]) == b"abcde"


@pytest.mark.parametrize(
    ("chunks", "headers", "status"),
    [([b"x"], [(b"content-length", b"11")], 413), ([b"x" * 11], [], 413), ([b"x" * 6] * 2, [], 413), ([b"-"], [], 408), ([], [], 408)],
)
def test_what_is_too_large_or_too_slow_is_refused(chunks, headers, status):
    with pytest.raises(RequestError) as refused:
        read(chunks, headers=headers, max_body=10, seconds=0.05)
    assert refused.value.status == status


def test_a_worker_holds_only_so_much():
    with pytest.raises(OverloadedError):
        read([b"xxx", b"xxx", b"xxx"], max_bodies=5)


def test_a_client_that_has_gone_is_not_answered():
    with pytest.raises(Disconnected):
        read([b"x", None])


def test_identifiers_differ():
    assert len({new_identifier() for _ in range(1000)}) == 1000
