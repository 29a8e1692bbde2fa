import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.models.autoencoder.latent_search import average_precision, narrowest, read_out


@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 6)), min_size=1, max_size=30).filter(lambda rows: any(label for label, _ in rows))
)
def test_average_precision_is_the_area_below_the_steps(rows):
    labels, scores = (np.array(part, dtype=float) for part in zip(*rows, strict=True))
    area, before = 0.0, 0.0
    for cut in sorted(set(scores.tolist()), reverse=True):
        recall = float(labels[scores >= cut].sum() / labels.sum())
        area += (recall - before) * float(labels[scores >= cut].mean())
        before = recall
    assert average_precision(labels, scores) == pytest.approx(area)


@pytest.mark.slow
def test_average_precision_is_scikit_learns():
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not in the image deep; it is where this is developed")
    rng = np.random.default_rng(0)
    labels, scores = (rng.random(500) < 0.1).astype(float), rng.normal(size=500).round(1)
    assert average_precision(labels, scores) == pytest.approx(metrics.average_precision_score(labels, scores))


def test_what_is_in_the_embedding_can_be_read_from_it():
    rng = np.random.default_rng(0)
    embedding = rng.normal(size=(400, 2))
    values = np.column_stack([embedding @ [[1.0, 2.0], [0.5, -1.0]] + 3.0])
    assert read_out(embedding, values) == pytest.approx(1.0)
    assert abs(read_out(rng.normal(size=(400, 2)), values)) < 0.05
    assert read_out(embedding, np.ones((400, 2))) == 0.0


def test_a_width_that_gains_almost_nothing_is_not_taken():
    assert narrowest([0.70, 0.795, 0.80]) == 1
    assert narrowest([0.70, 0.78, 0.80]) == 2
    assert narrowest([-0.3]) == 0


@pytest.mark.slow
def test_the_search_takes_a_width_and_shows_what_each_gives(machine, tmp_path):
    result = machine.train(tmp_path / "model", latent_sizes=[4, 1], epochs=6)
    assert [trial.latent for trial in result.trials] == [1, 4]
    (taken,) = [trial for trial in result.trials if trial.chosen]
    assert taken.latent == result.latent_size == result.package.encoder.latent
    assert result.trials[1].error < result.trials[0].error, "a wider embedding makes rows again better, whatever it is good for"
    assert taken.measure == "average precision"
    result.page().write_html(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert page.count("<svg") == 4
    assert "average precision" in page
