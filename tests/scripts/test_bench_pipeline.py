"""What the pipeline's part of ``make bench`` prints and when it fails; the figures here are invented, nothing is timed."""

import os
import sys

import pytest

from scripts.bench_frameworks import Framework
from scripts.bench_meter import Measured, Process
from scripts.bench_pipeline import CONTESTS, beside, installation, step_name, steps_of, table, too_large


def process(identity: int, parent: int, *arguments: str, peak: float = 100.0) -> Process:
    return Process(identity, parent, arguments, float(identity), 1.0, 0.5, 0.25, {"polars": 0.2, "numpy": 0.05}, peak)


COMMAND = process(1, 0, "python", "-m", "ratchet.cli.main", "submit")
RUNNER = process(2, 1, "python", "-u", "-m", "ratchet.submit.runner", "request.json")
INGEST = process(3, 2, "python", "--function_to_execute", "ingest")
TRAIN = process(4, 2, "python", "--function_to_execute", "train_boosting", peak=3000.0)
VERIFY = process(5, 2, "python", "--function_to_execute", "verify")
REPLAY = process(6, 5, "python", "-m", "ratchet.delivery.replay", peak=1500.0)
RUN = Measured(0, "", 12.0, 4.0, (COMMAND, RUNNER, INGEST, TRAIN, VERIFY, REPLAY))


def test_a_step_counts_what_it_started_and_steps_come_first():
    assert [(name, len(family)) for name, family in steps_of(RUN)] == [
        ("ingest", 1),
        ("train_boosting", 1),
        ("verify", 2),
        ("the command", 1),
        ("kfp.local, which runs the steps", 1),
    ]
    assert step_name(REPLAY) == "-m ratchet.delivery.replay"


def test_the_table_adds_up_to_what_the_run_cost():
    rows = table(RUN)
    assert rows[2] == "| ingest | 1.00 | 0.50 | 0.25 | polars 0.20, numpy 0.05 | 100 |"
    assert rows[4] == "| verify | 1.00 | 1.00 | 0.50 | polars 0.20, polars 0.20, numpy 0.05 | 1,500 |"
    assert rows[-2] == "| ends of processes, shells | | 1.00 | | | |"
    assert rows[-1] == "| **all** | **12.0** | **4.0** | | | 3,000 |"


def test_only_training_and_features_may_be_large():
    assert too_large(RUN) == ["verify"]


def test_the_reaches_are_those_that_were_asked_for():
    assert {contest.name: contest.reach(100.0) for contest in CONTESTS} == {"elec2": 120.0, "fraud_handbook": 140.0}


def test_a_shell_s_own_installation_is_not_touched(monkeypatch, tmp_path):
    monkeypatch.setenv("RATCHET_LEDGER_URL", "postgresql://production")
    variables = installation(tmp_path)
    assert "RATCHET_LEDGER_URL" not in {name for name, value in {**os.environ, **variables}.items() if value == "postgresql://production"}
    assert variables["RATCHET_HOME"] == str(tmp_path)


def test_a_framework_that_cannot_be_installed_is_a_row_that_says_why(tmp_path):
    absent = Framework("Another", lambda folder: "no matching\n  distribution", lambda work, folder: ([], {}), {"nothing": 10})
    assert beside(absent, tmp_path, 1) == ["| Another | could not be installed: no matching distribution | | | | | |"]


@pytest.mark.slow
def test_a_framework_s_first_run_does_not_count(tmp_path):
    code = (
        "import pathlib, sys; mark = pathlib.Path('mark'); first = not mark.exists(); mark.touch(); bytearray(200_000_000 if first else 1)"
    )
    command = [sys.executable, "-c", code]
    rows = beside(Framework("Some", lambda folder: "", lambda work, folder: (command, {}), {"nothing": 10}), tmp_path, 1)
    assert float(rows[0].rstrip(" |").rpartition("| ")[2].replace(",", "")) < 100
