import asyncio

import polars as pl
import pytest

from ratchet.serving.mirror import Mirror, Reply, Ticket


@pytest.fixture
def ticket():
    loop = asyncio.new_event_loop()
    yield lambda rows=1, urgent=False: Ticket(pl.DataFrame({"amount": [1.0] * rows}), [rows], urgent, loop)
    loop.close()


def test_it_holds_no_more_rows_than_it_may(ticket):
    mirror = Mirror(rows=10)
    assert [mirror.put(ticket(4)) for _ in range(4)] == [True, True, False, False]
    assert mirror.rows == 8
    mirror.take()
    assert mirror.put(ticket(4))


def test_one_batch_always_fits_an_empty_queue(ticket):
    assert Mirror(rows=10).put(ticket(500))


def test_what_a_client_waits_for_goes_first_and_displaces_the_latest_of_what_nobody_does(ticket):
    mirror = Mirror(rows=10)
    first, second, urgent = ticket(5), ticket(5), ticket(5, urgent=True)
    assert mirror.put(first)
    assert mirror.put(second)
    assert mirror.put(urgent)
    assert second.replies.result()[0].skipped
    assert [mirror.take(), mirror.take(), mirror.take()] == [urgent, first, None]
    assert mirror.rows == 0


def test_a_ticket_that_was_answered_meanwhile_is_not_handed_out(ticket):
    mirror = Mirror(rows=10)
    late, next_one = ticket(), ticket()
    mirror.put(late)
    mirror.put(next_one)
    late.refuse("no answer in 5 ms")
    assert mirror.take() is next_one


def test_the_first_answer_stands(ticket):
    one = ticket()
    one.refuse("no answer in 5 ms")
    one.answer([Reply(None, error="another")])
    assert one.replies.result()[0].error == "no answer in 5 ms"
