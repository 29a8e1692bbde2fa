"""The pipelines on real data, by the very files that users submit, as ``make realdata`` runs them; what must hold does.

What a configuration sets is printed, everything else is a default. Of a data set of several seeds one is run. What takes minutes is left to
``make realdata``: amazon_access trains six models of hundreds of trees, fraud_stacked an encoder and two boosting models.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from ratchet.catalog import pipeline_path
from ratchet.delivery.ledger import Ledger
from ratchet.settings import Settings
from ratchet.submit.parameters import CompiledPipeline
from scripts.realdata import configured, deliver, figures_of, report
from scripts.realdata_sets import DATA_SETS

pytestmark = [pytest.mark.pipeline, pytest.mark.realdata]
LONG = ("amazon_access", "fraud_stacked", "fraud_autoencoder", "bike_anomalies")  # ecg5000 stands for the autoencoders
SHORT = {data.name: data for data in DATA_SETS if data.name not in LONG}


@pytest.mark.parametrize("name", SHORT)
def test_a_first_run_comes_to_its_word_and_what_must_hold_does(
    name: str,
    real_data: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("RATCHET_HOME", "")  # so that what the run sets is taken back
    data = SHORT[name]
    folder = real_data(f"{data.folder}/{data.file}").parents[1]
    run = deliver(data, CompiledPipeline.read(pipeline_path(data.pipeline)), folder, tmp_path / "home")
    assert (run.outcome, run.exit_status) == (data.outcome, 0), run.reason
    told, holds = report(data, run, figures_of(data, run, folder))
    with capsys.disabled():
        print(f"\n{told}")
    assert holds, told
    champion = Ledger.open(Settings(home=tmp_path / "home" / "ratchet")).deployment(configured(data)["model"]).champion
    assert (champion is not None) == (data.outcome == "promoted")
    if champion is not None:
        assert run.output("verify", "verdict") == "healthy"
