from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.models.autoencoder.rows import Layout, PreparedRows
from ratchet.models.autoencoder.shuffle import shuffled

LAYOUT = Layout(2, 0, 0)


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """Return a maker of rows that hold their own number."""
    folder = tmp_path_factory.mktemp("rows")

    def make(count: int) -> PreparedRows:
        path: Path = folder / str(count)
        path.write_bytes(np.repeat(np.arange(count, dtype=np.float32), 2).tobytes())
        return PreparedRows(path, LAYOUT, count, np.zeros(count))

    return make


def numbers(rows: PreparedRows, batch: int, batches: int, *, seed: int = 0, epoch: int = 0, buffer: int = 1 << 20) -> list[int]:
    found: list[int] = []
    for chunk, count in shuffled(rows, batch, batches, seed=seed, epoch=epoch, buffer=buffer):
        assert chunk.shape == (batch * batches, LAYOUT.width)
        assert 0 < count <= batches
        found += chunk[: count * batch, 0].astype(int).tolist()
    return found


@given(st.integers(1, 700), st.integers(1, 64), st.integers(1, 5), st.integers(1, 4000))
def test_every_row_trains_once_and_only_the_last_batch_is_filled_up(rows, count, batch, batches, buffer):
    batch = min(batch, count)
    found = numbers(rows(count), batch, batches, buffer=buffer)
    assert len(found) == -(-count // batch) * batch
    assert sorted(found[:count]) == list(range(count))
    assert set(found[count:]) <= set(range(count))


def test_the_seed_fixes_the_order_and_each_pass_has_another(rows):
    made = rows(500)
    first = numbers(made, 32, 4)
    assert first == numbers(made, 32, 4)
    assert first != numbers(made, 32, 4, epoch=1)
    assert first != numbers(made, 32, 4, seed=1)


def test_a_buffer_that_holds_a_tenth_still_takes_rows_from_everywhere(rows):
    """A table by time must not be learnt from day by day."""
    count = 20_000
    first = numbers(rows(count), 100, 1, buffer=8 * count // 10)[:100]
    assert np.mean(first) == pytest.approx(count / 2, rel=0.2)
    assert np.std(first) == pytest.approx(count / 12**0.5, rel=0.2)
    assert max(np.bincount(np.array(first) // 1000)) <= 20
