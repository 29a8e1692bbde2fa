from types import SimpleNamespace

import pytest

from tests.ratchet.models.autoencoder.conftest import NUMBERS

pytestmark = pytest.mark.slow


def test_the_page_shows_the_curve_the_errors_and_what_is_hard(encoder, tmp_path):
    encoder.page().write_html(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    for heading in ("Learning curve", "Errors of the validation rows", "What is hard to make again"):
        assert heading in page
    assert page.count("<svg") == 2
    assert all(name in page for name in NUMBERS)


def test_faults_show_in_the_columns_that_they_are_in(encoder):
    """Readings are mixed up in a faulty row, the mode is not."""
    shares = {one.name: one.in_anomalies for one in encoder.columns}
    assert sum(shares.values()) == pytest.approx(1.0)
    assert encoder.columns[0].error == max(one.error for one in encoder.columns)


def test_scores_name_the_device(encoder):
    sink = SimpleNamespace(metadata={})
    encoder.log_to(sink)
    assert sink.metadata["device"] == "CPU" or "device" in sink.metadata
    assert sink.metadata["validation_error"] == min(encoder.history.validation_error)
    assert sink.metadata["train_rows"] == "1710"  # of 1,800, those that are not faulty
