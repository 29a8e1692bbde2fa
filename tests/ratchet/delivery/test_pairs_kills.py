"""kill -9 at every point of a move of two deployments: both have moved or neither has, and the same step gets there."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
BEFORE = {"before the transaction", "deployment written", "other deployment written"}


def test_a_killed_promotion_or_rollback_of_a_pair_moves_both_or_neither(settings, tmp_path):
    """The program itself fails where one moved without the other, a chain is broken, or the step that comes again has a second effect."""
    asked = {"settings": settings.model_dump(mode="json"), "answer": str(tmp_path / "answer.json")}
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[2]), "MLFLOW_DISABLE_TELEMETRY": "true"}
    program = [sys.executable, "-W", "ignore", HERE / "pair_victims.py"]
    done = subprocess.run(program, input=json.dumps(asked), text=True, env=environment, capture_output=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    answers = json.loads((tmp_path / "answer.json").read_text(encoding="utf-8"))
    assert len(answers) == 12
    assert {phase for phase, _ in answers} == BEFORE | {"before the commit", "after the commit", "head written"}
    for phase, stood in answers:
        if phase != "before the commit":  # killed between this point and the end of the commit, either may stand
            assert stood == ("old" if phase in BEFORE else "new"), phase
