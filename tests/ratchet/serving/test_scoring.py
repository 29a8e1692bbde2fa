import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ratchet.delivery.deployment import Deployment
from ratchet.errors import UnanswerableError
from ratchet.models.autoencoder.native import Encoded
from ratchet.serving.cache import PredictionCache
from ratchet.serving.lineup import Lineup
from ratchet.serving.rows import RowChecker
from ratchet.serving.scoring import Job, Scorer
from ratchet.serving.served import Scored, Served, load
from ratchet.serving.standing import Standing
from ratchet.traffic.answers import Columns


@pytest.fixture
def served(stored):
    return load(Path(stored[0].uri), stored[0], None)


def score(*jobs):
    with ThreadPoolExecutor(1) as pool:
        return asyncio.run(Scorer(pool)(jobs))


def rows_of(frame: pl.DataFrame, served: Served) -> Columns:
    return RowChecker(served.package.spec.inputs).check(frame.to_dicts())


def job(frame: pl.DataFrame, served: Served, lineup: Lineup | None = None) -> Job:
    return Job(rows_of(frame, served), lineup or Lineup(served, None, Standing(Deployment("fraud"))), served, canary=False)


def test_each_request_gets_its_own_rows_in_order(served, frame):
    lineup = Lineup(served, None, Standing(Deployment("fraud")))
    frames = [frame(3)[:1], frame(9)[4:], frame(2)]
    results = score(*(job(one, served, lineup) for one in frames))
    assert [result.champion.predictions.tolist() for result in results] == [served.package.predict(one).tolist() for one in frames]
    assert len({result.champion.milliseconds for result in results}) == 1, "one batch, one time"


def test_requests_with_a_column_more_or_for_another_model_are_scored_apart(served, stored, frame):
    other = load(Path(stored[1].uri), stored[1], None)
    lineup = Lineup(served, None, Standing(Deployment("fraud")))
    plain = job(frame(2), served, lineup)
    more = replace(plain, columns={**plain.columns, "shop": [1, 1]}, extra={"shop": "integer"})
    jobs = [plain, more, job(frame(2), other, lineup)]
    results = score(*jobs)
    for asked, result in zip(jobs, results, strict=True):
        assert result.champion.predictions.tolist() == asked.champion.package.predict(frame(2)).tolist()


def test_a_request_that_fails_spoils_no_other(served, frame):
    class Picky:
        def predict(self, matrix: pl.DataFrame) -> np.ndarray:
            if 2.0 in matrix["amount"]:
                raise RuntimeError("native trouble")
            return matrix["amount"].to_numpy() / 100

    picky = replace(served, package=replace(served.package, native=Picky()))
    lineup = Lineup(picky, None, Standing(Deployment("fraud")))
    results = score(*(job(one, picky, lineup) for one in (frame(1), frame(3), frame(2))))
    assert isinstance(results[1].champion, UnanswerableError)
    assert [results[at].champion.predictions.tolist() for at in (0, 2)] == [[0.0], [0.0, 0.01]]


@pytest.mark.parametrize("quick", [True, False])
def test_a_quick_champion_is_asked_on_the_event_loop_and_a_slow_one_in_a_thread(served, frame, monkeypatch, quick):
    threads: list[str] = []

    class Noting:
        def predict(self, matrix: pl.DataFrame) -> np.ndarray:
            threads.append(threading.current_thread().name)
            return np.zeros(matrix.height)

    async def story() -> None:
        with ThreadPoolExecutor(1, "aside") as pool:
            scorer = Scorer(pool)
            monkeypatch.setattr(scorer.pace, "quick", lambda *_: quick)
            await scorer([job(frame(1), replace(served, package=replace(served.package, native=Noting())))])

    asyncio.run(story())
    assert ("aside" in threads[0]) != quick


@pytest.mark.parametrize("answer", [np.nan, np.inf])
def test_a_number_that_is_not_finite_is_never_an_answer(served, frame, answer):
    class Broken:
        def predict(self, matrix: pl.DataFrame) -> np.ndarray:
            return np.full(matrix.height, answer)

    broken = replace(served, package=replace(served.package, native=Broken()))
    (result,) = score(job(frame(1), broken))
    assert isinstance(result.champion, UnanswerableError)


def test_a_champion_that_raises_is_told_and_nothing_more(served, frame):
    class Raising:
        def predict(self, matrix: pl.DataFrame) -> np.ndarray:
            raise RuntimeError("native trouble")

    raising = replace(served, package=replace(served.package, native=Raising()))
    results = score(job(frame(1), raising), job(frame(1), served))
    assert "native trouble" in str(results[0].champion)
    assert isinstance(results[1].champion, Scored)


ODD = {"amount": [4.0, 90.0, 18.0, 5.0], "hour": [3, 4, 11, 23], "shop": ["a", "b", "z", "c"]}


def wanting(frame: pl.DataFrame, served: Served, lineup: Lineup, *wants: str) -> Job:
    return replace(job(frame, served, lineup), wants=frozenset(wants))


def counted(served: Served) -> tuple[Served, list[int]]:
    """The same model, and a list that gets the number of rows of each call of it."""
    calls: list[int] = []

    class Counting:
        def predict(self, matrix: pl.DataFrame) -> np.ndarray:
            calls.append(matrix.height)
            return served.package.native.predict(matrix)

        def encode(self, matrix: pl.DataFrame, shares: bool = False):
            calls.append(matrix.height)
            return served.package.native.encode(matrix, shares)

    return replace(served, package=replace(served.package, native=Counting())), calls


def test_a_batch_with_several_wishes_is_computed_once_and_errors_are_the_same_for_all(encoders):
    served, calls = counted(load(Path(encoders[0].uri), encoders[0], None))
    frame, lineup = pl.DataFrame(ODD), Lineup(served, None, Standing(Deployment("odd")))
    results = score(
        wanting(frame[:1], served, lineup),
        wanting(frame[1:3], served, lineup, "embedding"),
        wanting(frame[3:], served, lineup, "shares", "embedding"),
    )
    assert calls == [4]
    encoded = served.package.encode(frame, shares=True)
    scored = [result.champion for result in results]
    assert np.concatenate([one.predictions for one in scored]).tolist() == encoded.errors.tolist()
    assert scored[1].details["embedding"].tolist() == encoded.embedding[1:3].tolist()
    assert scored[2].details["shares"].tolist() == encoded.shares[3:].tolist()


def test_a_batch_in_which_nobody_asks_for_more_makes_no_more(encoders):
    served = load(Path(encoders[0].uri), encoders[0], None)
    (result,) = score(wanting(pl.DataFrame(ODD), served, Lineup(served, None, Standing(Deployment("odd")))))
    assert result.champion.predictions.tolist() == served.package.predict(pl.DataFrame(ODD)).tolist()
    assert not result.champion.details


def test_kept_embeddings_are_given_again_and_only_what_is_new_is_computed(encoders):
    served, calls = counted(load(Path(encoders[0].uri), encoders[0], None))
    frame, lineup = pl.DataFrame(ODD), Lineup(served, None, Standing(Deployment("odd")))
    expected = served.package.encode(frame)
    calls.clear()

    async def story() -> None:
        with ThreadPoolExecutor(1) as pool:
            scorer = Scorer(pool, PredictionCache(100))
            for rows, wants in ((3, ["embedding"]), (4, ["embedding"]), (4, []), (4, ["embedding"])):
                (result,) = await scorer([wanting(frame[:rows], served, lineup, *wants)])
                assert result.champion.predictions.tolist() == expected.errors[:rows].tolist()
                assert [result.champion.details[name].tolist() for name in wants] == [expected.embedding[:rows].tolist() for _ in wants]

    asyncio.run(story())
    assert calls == [3, 1]


@pytest.mark.parametrize("wanted", ["embedding", "shares"])
def test_an_embedding_or_a_share_that_is_no_number_is_never_an_answer(encoders, wanted):
    served = load(Path(encoders[0].uri), encoders[0], None)

    class Broken:
        def encode(self, matrix: pl.DataFrame, shares: bool = False) -> Encoded:
            made = served.package.native.encode(matrix, True)
            getattr(made, wanted)[0, 0] = np.nan
            return made

    broken = replace(served, package=replace(served.package, native=Broken()))
    lineup = Lineup(broken, None, Standing(Deployment("odd")))
    first, second = score(*(wanting(pl.DataFrame(ODD)[at], broken, lineup, wanted) for at in range(2)))
    assert isinstance(first.champion, UnanswerableError)
    assert isinstance(second.champion, Scored), "only the request that it is in"
