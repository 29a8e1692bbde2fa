from types import SimpleNamespace

from ratchet.evaluation.comparison import Comparison
from ratchet.evaluation.verdict import Weighing


def test_what_cannot_be_known_is_the_worst_loss_and_left_out_of_the_metrics_by_name() -> None:
    result, sink = Comparison.impossible("No labelled rows.", unlabelled=7), SimpleNamespace(metadata={})
    result.log_to(sink)
    assert (result.verdict, result.loss_challenger, result.loss_champion) == ("reject", 1.0, 1.0)
    assert "loss_challenger" not in sink.metadata
    assert "loss_challenger" in sink.metadata["left_out_as_not_finite"]


def test_the_summary_begins_with_verdict_and_reason() -> None:
    text = Comparison(Weighing("release", "Loss 0.1 against 0.2.")).page().markdown()
    assert text.startswith("## Compare: release\n\nLoss 0.1 against 0.2.\n")
