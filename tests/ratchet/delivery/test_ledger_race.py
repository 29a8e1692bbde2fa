"""Sixteen processes that promote at once: exactly one wins each round, and the chain holds."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from ratchet.delivery.ledger import Ledger
from ratchet.settings import Settings

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
ROUNDS = [pytest.param(5, id="5-rounds"), pytest.param(200, id="200-rounds", marks=pytest.mark.soak)]


@pytest.mark.parametrize("rounds", ROUNDS)
def test_of_16_that_promote_at_once_exactly_one_wins_each_round(settings: Settings, rounds: int, tmp_path: Path) -> None:
    answers = tmp_path / "answers.json"
    request = {"settings": settings.model_dump(mode="json"), "rounds": rounds, "answers": str(answers)}
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[2])}
    subprocess.run(
        [sys.executable, HERE / "contenders.py"], input=json.dumps(request), text=True, env=environment, check=True, timeout=3600
    )

    ledger = Ledger.open(settings)
    history = ledger.history("race")
    assert len(history) == rounds
    for turn, told in enumerate(json.loads(answers.read_text(encoding="utf-8"))):
        assert {generation for generation, _, _ in told} == {turn}, "everybody must have read the same state"
        assert Counter(effect for _, _, effect in told) == {"applied": 1, "conflict": 15}
        winner = next(version for _, version, effect in told if effect == "applied")
        assert history[turn].after.champion.version == winner
    report = ledger.verify_chain("race")
    assert (report.rows, report.head) == (rounds, "confirmed")
    print(f"\n{settings.ledger()[:10]}: {rounds} rounds of 16 processes, one winner each, {report.rows} rows in the chain")
