import pytest

from ratchet.errors import ParameterError
from ratchet.models.autoencoder.networks import build_network, hidden_sizes, latent_size, sizes
from ratchet.models.autoencoder.parameters import AutoencoderParameters
from ratchet.models.autoencoder.preparation import Category, Number, Preparation


def columns(numbers: int, categories: int = 0) -> Preparation:
    made = tuple(Number(f"n{place}", 0.0, 1.0) for place in range(numbers))
    return Preparation(made, tuple(Category(f"c{place}", ("u", "v")) for place in range(categories)), (1.0,) * (numbers + categories))


@pytest.mark.parametrize(("width", "latent", "hidden"), [(2, 2, (16,)), (12, 3, (16,)), (18, 4, (32, 16)), (140, 8, (32, 16))])
def test_the_defaults_follow_the_number_of_columns(width, latent, hidden):
    assert latent_size(AutoencoderParameters(), width) == latent
    assert hidden_sizes(AutoencoderParameters(), width) == hidden


def test_what_is_asked_for_is_taken():
    assert latent_size(AutoencoderParameters(latent_size=40), 3) == 40
    assert hidden_sizes(AutoencoderParameters(hidden=[5, 6]), 3) == (5, 6)


def test_a_category_has_codes_for_unknown_and_missing():
    assert sizes(columns(1, 2)) == (4, 4)


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["conv", "lstm"])
@pytest.mark.parametrize("steps", [1, 7, 12])
def test_a_window_of_any_length_comes_out_as_long_as_it_went_in(architecture, steps):
    network = build_network(columns(2 * steps), AutoencoderParameters(architecture, hidden=(4, 6), channels=2), 3)
    assert network.output["numbers"].shape == (None, 2 * steps)
    assert network.output["embedding"].shape == (None, 3)


@pytest.mark.slow
def test_the_seed_draws_the_weights():
    first, again, other = (build_network(columns(3), AutoencoderParameters(seed=seed), 2).get_weights() for seed in (0, 0, 1))
    assert all((one == two).all() for one, two in zip(first, again, strict=True))
    assert any((one != two).any() for one, two in zip(first, other, strict=True))


@pytest.mark.slow
def test_several_members_are_drawn_apart_and_the_first_as_if_alone():
    alone = build_network(columns(3, 1), AutoencoderParameters(seed=4), 2).get_weights()
    together = build_network(columns(3, 1), AutoencoderParameters(seed=4, members=2), 2)
    weights = together.get_weights()
    first, second = weights[: len(alone)], weights[len(alone) :]
    assert all((one == two).all() for one, two in zip(first, alone, strict=True))
    assert any((one != two).any() for one, two in zip(second, alone, strict=True))
    assert together.output["numbers"].shape == (None, 2, 3)


@pytest.mark.slow
def test_columns_that_are_no_steps_of_so_many_channels_are_refused():
    with pytest.raises(ParameterError, match="7 numeric columns are no steps of 2 channels"):
        build_network(columns(7), AutoencoderParameters("conv", channels=2), 2)


@pytest.mark.slow
def test_keras_loads_the_network_with_nothing_of_ours(encoder):
    import keras

    network = keras.models.load_model(encoder.package.path / "model.keras", safe_mode=True)
    assert network.output["embedding"].shape[1] == encoder.latent_size == 2
    assert set(network.input) == {"numbers", "missing", "categories"}
