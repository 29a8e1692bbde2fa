"""kill -9 at every point of a promotion: what was, or what was to be, stands; never anything between; and the next run gets there."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
BEFORE_COMMIT = {"before the transaction", "deployment written"}
AMOUNTS = [pytest.param((9, 3, 1), id="12-kills"), pytest.param((500, 500, 10), id="1000-kills", marks=pytest.mark.soak)]


@pytest.mark.parametrize("amount", AMOUNTS)
def test_a_killed_step_leaves_the_old_state_or_the_new_one_and_the_next_run_converges(world, tmp_path, amount):
    """The program itself fails on a state between, a broken chain, aliases that stay wrong, or a second effect."""
    named, random, least = amount
    answer = killed(world, tmp_path, named=named, random=random)
    promotions, registrations = answer["promotions"], answer["registrations"]
    print("\nkills per phase, and what stood then:")
    for what, count in promotions["stood"].items():
        print(f"  {count:5}  {what}")
    assert sum(promotions["kills"].values()) == named + random
    assert len(promotions["kills"]) == 9
    assert min(promotions["kills"].values()) >= least
    for what in promotions["stood"]:
        phase, _, stood = what.partition(": ")
        if phase != "before the commit":  # killed between this point and the end of the commit, either may stand
            assert stood == ("old" if phase in BEFORE_COMMIT else "new")

    assert registrations["killed"] == ["run created", "parameters logged", "artifacts logged", "version created"]
    assert registrations["answers"] == ["1", "1"], "no kill may cost a second version"
    assert registrations["versions"] == ["1"]


def killed(world, home: Path, **request) -> dict:
    """Run the program that kills, in an installation of its own."""
    files = {"packages": [str(path) for path in world.packages[:2]], "reference": str(world.reference), "schema": str(world.schema)}
    asked = {"settings": {"home": str(home)}, "seed": 20261121, "answer": str(home / "answer.json"), **files, **request}
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[2]), "MLFLOW_DISABLE_TELEMETRY": "true"}
    program = [sys.executable, "-W", "ignore", HERE / "victims.py"]
    done = subprocess.run(program, input=json.dumps(asked), text=True, env=environment, capture_output=True, timeout=7200, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads((home / "answer.json").read_text(encoding="utf-8"))
