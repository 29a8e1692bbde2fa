import numpy as np
import pytest

from ratchet.models.autoencoder.corruption import corrupted
from ratchet.models.autoencoder.parameters import AutoencoderParameters
from ratchet.models.autoencoder.rows import Layout

LAYOUT = Layout(2, 2, 1)


def records(rows: int = 20_000) -> np.ndarray:
    made = np.full((rows, LAYOUT.width), 3.0, np.float32)
    made[:, 2:4] = 0.0
    return made


def shown(**how) -> tuple[np.ndarray, np.ndarray]:
    given = records()
    return given, corrupted(given, LAYOUT, AutoencoderParameters(**how), (1,), np.random.default_rng(0))


def test_without_noise_the_network_is_shown_the_rows_themselves():
    given, made = shown()
    assert made is given


def test_noise_is_on_numbers_only_and_of_the_stated_width():
    given, made = shown(noise=0.5)
    assert (made[:, 2:] == given[:, 2:]).all()
    assert made[:, :2].std(axis=0) == pytest.approx([0.5, 0.5], rel=0.05)
    assert (given == records()).all(), "what the network is to make again stays as it is"


def test_a_value_that_is_not_shown_looks_as_a_missing_one_does():
    _, made = shown(masking=0.25)
    hidden = made[:, :2] == 0.0
    assert hidden.mean(axis=0) == pytest.approx([0.25, 0.25], abs=0.02)
    assert (made[:, 3] == hidden[:, 1]).all(), "the second column has gaps in training, so the network is told of them"
    assert (made[:, 2] == 0).all(), "the first has none"
    assert set(made[:, 4]) == {0.0, 3.0}
    assert (made[:, 4] == 0).mean() == pytest.approx(0.25, abs=0.02)
