"""The main job on real data, by the very file that users submit: a first champion, promoted and healthy.

Each configuration lies in ``pipelines/delivery/configs``; what it sets is printed, everything else is a default.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from ratchet.catalog import pipeline_path
from ratchet.delivery.ledger import Ledger
from ratchet.settings import Settings
from ratchet.submit.configuration import Configuration
from ratchet.submit.local import submit_local
from ratchet.submit.parameters import CompiledPipeline

pytestmark = [pytest.mark.pipeline, pytest.mark.realdata]
CONFIGS = Path(__file__).resolve().parents[2] / "pipelines" / "delivery" / "configs"
DATA = {
    "elec2": ("elec2/electricity-normalized.csv", 0.75),
    "bank_marketing": ("bank_marketing/bank-additional-full.csv", 0.40),
    "fraud_handbook": ("fraud_handbook/transactions.parquet", 0.65),
}


@pytest.mark.parametrize("name", DATA)
def test_a_first_champion_is_promoted_and_healthy(
    name: str,
    real_data: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("RATCHET_HOME", str(tmp_path))
    file, precision = DATA[name]
    given = Configuration.read(CONFIGS / f"{name}.yaml").parameters
    pipeline = CompiledPipeline.read(pipeline_path("delivery"))
    run = submit_local(pipeline, pipeline.arguments({**given, "source": str(real_data(file))}))
    with capsys.disabled():
        print(f"\n{name}: set {', '.join(sorted(given))}; the rest are defaults")
        print(f"    {run.outcome} in {run.seconds:.0f} s; average precision {run.output('evaluate', 'primary_metric')}; {run.reason}")
    assert (run.outcome, run.exit_status) == ("promoted", 0), run.reason
    assert run.output("verify", "verdict") == "healthy"
    assert run.output("evaluate", "primary_metric") >= precision
    assert Ledger.open(Settings(home=tmp_path)).deployment(given["model"]).champion is not None
