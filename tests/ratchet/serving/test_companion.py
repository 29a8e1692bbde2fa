"""A companion with its real child process, crashed and hung by real signals."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import psutil
import pytest

from ratchet.models.package import ModelPackage
from ratchet.serving.companion import Companion, CompanionOptions
from ratchet.serving.frames import pack_scored
from ratchet.serving.mirror import read_replies
from ratchet.serving.served import describe

pytestmark = pytest.mark.slow  # real child processes, each with a model to load

QUICK = {"pause": 0.05, "longest_pause": 0.1, "hang_seconds": 0.3}


async def until(true: Callable[[], object]) -> None:
    for _ in range(1500):
        if true():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("waited in vain")


def with_companion(ref, story, *, timeout_ms=5000.0, ready=True, refusal="", run=asyncio.run, **options):
    async def whole():
        served = describe(Path(ref.uri), ref, None)
        settings = CompanionOptions(**{**QUICK, **options})
        companion = Companion(ref, served, begun=2, timeout_ms=timeout_ms, refusal=refusal, options=settings)
        companion.start()
        try:
            if ready:
                await until(lambda: companion.state == "ready")
            await story(companion)
        finally:
            await companion.close()
        assert not [child for child in psutil.Process().children() if "ratchet.serving.child" in child.cmdline()]

    run(whole())


def test_it_answers_each_request_of_a_batch(stored, frame):
    async def story(companion):
        replies = await companion.offer(frame(5), [2, 3], urgent=True).replies
        made = np.concatenate([reply.predictions for reply in replies])
        assert made.tolist() == ModelPackage.load(stored[1].uri).predict(frame(5)).tolist()
        assert all(reply.milliseconds > 0 and not reply.error for reply in replies)
        assert companion.health()["requests"] == 2

    with_companion(stored[1], story)


def test_it_answers_on_the_event_loop_of_production_too(stored, frame):
    async def story(companion):
        (reply,) = await companion.offer(frame(5), [5], urgent=True).replies
        assert not reply.error
        companion.process.kill()
        await until(lambda: companion.restarts)

    with_companion(stored[1], story, run=pytest.importorskip("uvloop").run)


def test_before_it_was_ready_nothing_is_held_against_it(stored, frame):
    async def story(companion):
        (reply,) = await companion.offer(frame(1), [1], urgent=True).replies
        assert reply.skipped
        assert companion.health()["errors"] == 0

    with_companion(stored[1], story, ready=False)


def test_columns_that_no_client_sends_yet_are_not_held_against_it(stored, frame):
    async def story(companion):
        (reply,) = await companion.offer(frame(1), [1], urgent=False).replies
        assert "shop" in reply.error
        assert reply.skipped
        assert companion.health()["errors"] == 0

    with_companion(stored[3], story)


def test_a_column_of_the_wrong_kind_is_its_error(stored, frame):
    async def story(companion):
        (reply,) = await companion.offer(frame(1).with_columns(shop=pl.lit("corner")), [1], urgent=False).replies
        assert "shop" in reply.error
        assert not reply.skipped
        assert companion.state == "ready"

    with_companion(stored[3], story)


@pytest.mark.parametrize("number", [signal.SIGSEGV, pytest.param(signal.SIGKILL, marks=pytest.mark.slow)])
def test_a_crash_costs_what_is_under_way_and_a_restart(stored, frame, number):
    async def story(companion):
        os.kill(companion.process.pid, signal.SIGSTOP)
        tickets = [companion.offer(frame(2), [2], urgent=urgent) for urgent in (True, False, False)]
        os.kill(companion.process.pid, number)
        os.kill(companion.process.pid, signal.SIGCONT)
        for ticket in tickets:
            (reply,) = await ticket.replies
            assert reply.error
            assert not reply.skipped
        (reply,) = await companion.offer(frame(1), [1], urgent=True).replies
        assert reply.error, "while it is away, every request is an error of its own"
        assert not reply.skipped
        await until(lambda: companion.state == "ready")
        (reply,) = await companion.offer(frame(1), [1], urgent=True).replies
        assert not reply.error
        assert companion.health()["restarts"] == 1

    with_companion(stored[1], story)


@pytest.mark.parametrize("urgent", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_a_hang_times_out_and_is_ended(stored, frame, urgent):
    async def story(companion):
        pid = companion.process.pid
        os.kill(pid, signal.SIGSTOP)
        (reply,) = await companion.offer(frame(1), [1], urgent=urgent).replies
        assert reply.error == "no answer in 50 ms"
        assert reply.milliseconds == 50
        await until(lambda: companion.restarts and companion.state == "ready")
        assert companion.process.pid != pid
        assert not psutil.pid_exists(pid)

    with_companion(stored[1], story, timeout_ms=50.0)


@pytest.mark.slow
def test_a_slow_answer_is_an_error_and_the_child_goes_on(stored, frame):
    async def story(companion):
        pid = companion.process.pid
        os.kill(pid, signal.SIGSTOP)
        (reply,) = await companion.offer(frame(1), [1], urgent=False).replies
        os.kill(pid, signal.SIGCONT)
        assert reply.error
        for _ in range(100):
            (reply,) = await companion.offer(frame(1), [1], urgent=False).replies
            if not reply.error:
                break
        assert not reply.error
        assert companion.process.pid == pid

    with_companion(stored[1], story, timeout_ms=300.0, hang_seconds=30.0)


def test_what_does_not_fit_the_queue_is_skipped_and_counted(stored, frame):
    async def story(companion):
        os.kill(companion.process.pid, signal.SIGSTOP)
        tickets = [companion.offer(frame(10), [10], urgent=False) for _ in range(5)]  # one under way, two wait
        for ticket in tickets[3:]:
            (reply,) = await ticket.replies
            assert reply.skipped
        os.kill(companion.process.pid, signal.SIGCONT)
        for ticket in tickets[:3]:
            (reply,) = await ticket.replies
            assert not reply.error
        assert (companion.skipped, companion.errors) == (2, 0)

    with_companion(stored[1], story, queue_rows=20, hang_seconds=30.0)


def test_a_leak_ends_the_child_and_not_the_gateway(stored, frame):
    async def story(companion):
        (reply,) = await companion.offer(frame(1), [1], urgent=True).replies
        assert not reply.error
        assert companion.state == "away"
        assert "memory" in companion.error

    with_companion(stored[1], story, memory_bytes=1 << 20, pause=60.0, longest_pause=60.0)


def test_a_package_that_is_not_to_be_asked_is_an_error_at_each_request(stored, frame):
    async def story(companion):
        (reply,) = await companion.offer(frame(1), [1], urgent=True).replies
        assert reply.error == "it is damaged"
        assert not reply.skipped
        assert companion.process is None

    with_companion(stored[1], story, ready=False, refusal="it is damaged")


def test_closing_lets_nobody_wait_and_holds_nothing_against_it(stored, frame):
    async def story(companion):
        os.kill(companion.process.pid, signal.SIGSTOP)
        tickets = [companion.offer(frame(1), [1], urgent=True) for _ in range(3)]
        await companion.close()
        for ticket in (*tickets, companion.offer(frame(1), [1], urgent=True)):
            (reply,) = await ticket.replies
            assert reply.skipped

    with_companion(stored[1], story)


def outcome(*spans):
    return {"outcome": [[made, 1.0, error] for made, error in spans], "width": 0}


def test_what_is_not_finite_is_an_error_of_that_request():
    replies = read_replies(outcome((1, ""), (2, "")), np.array([0.5, np.nan, 0.1]).tobytes(), [1, 2])
    assert replies[0].predictions.tolist() == [0.5]
    assert replies[1].predictions is None
    assert "finite" in replies[1].error


@pytest.mark.parametrize(
    ("header", "numbers", "spans"),
    [
        (outcome((1, "")), [0.5], [1, 1]),
        (outcome((1, "")), [0.5, 0.5], [1]),
        (outcome((2, "")), [0.5, 0.5], [1]),
        (outcome((0, "")), [], [1]),
    ],
)
def test_an_answer_to_other_rows_than_were_asked_is_none(header, numbers, spans):
    with pytest.raises(ValueError, match="rows"):
        read_replies(header, np.array(numbers).tobytes(), spans)


def test_probabilities_of_classes_keep_their_shape():
    made = np.arange(6.0).reshape(2, 3)
    (reply,) = read_replies({**outcome((2, "")), "width": 3}, made.tobytes(), [2])
    assert reply.predictions.tolist() == made.tolist()


ODD = pl.DataFrame({"amount": [4.0, 90.0, 18.0], "hour": [3, 4, 11], "shop": ["a", "b", "z"]})


def test_a_client_s_embeddings_come_along_and_a_shadow_s_stay_in_the_child(encoders):
    wants = frozenset(("embedding", "shares"))

    async def story(companion):
        replies = await companion.offer(ODD, [1, 2], urgent=True, wants=wants).replies
        encoded = ModelPackage.load(encoders[1].uri).encode(ODD, shares=True)
        for name in wants:
            assert np.concatenate([reply.details[name] for reply in replies]).tolist() == getattr(encoded, name).tolist()
        (shadow,) = await companion.offer(ODD, [3], urgent=False, wants=wants).replies
        assert shadow.predictions.tolist() == encoded.errors.tolist()
        assert not shadow.details

    with_companion(encoders[1], story)


def test_an_embedding_that_is_not_finite_is_an_error_of_that_request():
    layout, body = pack_scored(np.array([0.5, 0.5, 0.1]), {"embedding": np.array([[1.0], [2.0], [np.inf]])})
    replies = read_replies({**outcome((1, ""), (2, "")), **layout}, body, [1, 2])
    assert replies[0].details["embedding"].tolist() == [[1.0]]
    assert (replies[1].predictions, replies[1].details) == (None, {})
    assert "finite" in replies[1].error
