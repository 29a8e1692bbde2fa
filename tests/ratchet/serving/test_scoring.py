import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ratchet.delivery.deployment import Deployment
from ratchet.errors import SchemaError, UnanswerableError
from ratchet.serving.lineup import Lineup
from ratchet.serving.scoring import Job, Scorer
from ratchet.serving.served import Scored, Served, load
from ratchet.serving.standing import Standing


@pytest.fixture
def served(stored):
    return load(Path(stored[0].uri), stored[0], None)


def score(*jobs):
    with ThreadPoolExecutor(1) as pool:
        return asyncio.run(Scorer(pool)(jobs))


def job(frame: pl.DataFrame, served: Served, lineup: Lineup | None = None) -> Job:
    return Job(frame, lineup or Lineup(served, None, Standing(Deployment("fraud"))), served, canary=False)


def test_each_request_gets_its_own_rows_in_order(served, frame):
    lineup = Lineup(served, None, Standing(Deployment("fraud")))
    frames = [frame(3)[:1], frame(9)[4:], frame(2)]
    results = score(*(Job(one, lineup, served, canary=False) for one in frames))
    assert [result.champion.predictions.tolist() for result in results] == [served.package.predict(one).tolist() for one in frames]
    assert len({result.champion.milliseconds for result in results}) == 1, "one batch, one time"


def test_requests_of_other_columns_or_another_model_are_scored_apart(served, stored, frame):
    other = load(Path(stored[1].uri), stored[1], None)
    lineup = Lineup(served, None, Standing(Deployment("fraud")))
    frames = [frame(2), frame(2).with_columns(more=pl.lit("x")), frame(2).cast({"amount": pl.Int64})]
    jobs = [*(job(one, served, lineup) for one in frames), job(frame(2), other, lineup)]
    results = score(*jobs)
    for asked, result in zip(jobs, results, strict=True):
        assert result.champion.predictions.tolist() == asked.champion.package.predict(frame(2)).tolist()


def test_a_request_that_fails_spoils_no_other(served, frame):
    lineup = Lineup(served, None, Standing(Deployment("fraud")))
    bad = frame(2).with_columns(amount=pl.Series([1.0, float("inf")]))
    results = score(*(Job(one, lineup, served, canary=False) for one in (frame(1), bad, frame(3))))
    assert isinstance(results[1].champion, SchemaError)
    assert isinstance(results[0].champion, Scored)
    assert results[2].champion.predictions.tolist() == served.package.predict(frame(3)).tolist()


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
