import numpy as np
import polars as pl
import pytest

from ratchet.data.tables import read_dataset

pytestmark = pytest.mark.slow


def test_each_column_counts_alike_in_the_error_of_usual_rows(encoder, machine):
    """A column that is hard to make again would otherwise drown what the others say."""
    train = read_dataset(machine.folder / "train").filter(pl.col("state") == "ok")
    found = encoder.package.encode(train, shares=True)
    by_column = (found.shares * found.errors[:, None] * found.shares.shape[1]).mean(axis=0)
    scales = np.array(encoder.package.encoder.preparation.scales)
    assert by_column[scales > scales.min()] == pytest.approx(1.0, rel=1e-3)
    assert len(set(scales.tolist())) > 3
    assert found.errors.mean() == pytest.approx(1.0, rel=0.05)
