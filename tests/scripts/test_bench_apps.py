"""The two bounds answer what they are to answer."""

import asyncio
from pathlib import Path

import httpx
import numpy as np
import pytest
from starlette.applications import Starlette

from scripts.bench_apps import PATH, bare, echo
from scripts.bench_model import inference_body, payments, train
from scripts.bench_servers import predictions_of


def post(app: Starlette, body: str) -> httpx.Response:
    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bench") as client:
            return await client.post(PATH, content=body)

    return asyncio.run(send())


def test_the_bare_application_answers_as_the_package_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package, frame = train(tmp_path / "model", seed=0, trees=2, rows=400), payments(7, seed=3)
    monkeypatch.setenv("BENCH_PACKAGE", str(package.path))
    assert np.array_equal(predictions_of(post(bare(), inference_body(frame)).json()), package.predict(frame))


def test_the_echo_says_what_it_was_told() -> None:
    assert post(echo(), '{"a": 1}').text == '{"a": 1}'
