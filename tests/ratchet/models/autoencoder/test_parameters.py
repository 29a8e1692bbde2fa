import pytest

from ratchet.errors import ParameterError
from ratchet.models.autoencoder.parameters import AutoencoderParameters


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("architecture", "transformer", "architecture is 'transformer'"),
        ("threshold_by", "magic", "threshold_by is 'magic'"),
        ("train_on", "some", "train_on is 'some'"),
        ("scaling", "row", "scaling is 'row'"),
        ("hidden", [16, 0], r"hidden is \[16, 0\]"),
        ("latent_sizes", [1.5], r"latent_sizes is \[1.5\]"),
        ("latent_size", -1, "latent_size is -1"),
        ("noise", float("nan"), "noise is nan"),
        ("masking", 1.0, "masking is 1.0"),
        ("epochs", 0, "epochs is 0"),
        ("members", 0, "members is 0"),
        ("batch_size", 0, "batch_size is 0"),
        ("patience", 0, "patience is 0"),
        ("threads", 0, "threads is 0"),
        ("channels", 0, "channels is 0"),
        ("learning_rate", 0.0, "learning_rate is 0.0"),
        ("false_alarm_rate", 1.0, "false_alarm_rate is 1.0"),
        ("cost_false_negative", 0.0, "cost_false_negative is 0.0"),
        ("cost_false_positive", float("inf"), "cost_false_positive is inf"),
        ("seed", -1, "seed is -1"),
    ],
)
def test_what_cannot_train_is_refused_by_name_and_value(name, value, said):
    with pytest.raises(ParameterError, match=said):
        AutoencoderParameters(**{name: value}).check()


def test_the_defaults_can_train():
    AutoencoderParameters().check()


def test_widths_that_kfp_made_floats_of_are_recorded_as_whole_numbers():
    assert AutoencoderParameters(hidden=[16.0], latent_sizes=(2.0,)).recorded()["hidden"] == [16]


def test_windows_share_a_scale_unless_told_otherwise():
    assert [AutoencoderParameters(*how).together for how in (("dense",), ("conv",), ("lstm",))] == [False, True, True]
    assert AutoencoderParameters("dense", scaling="window").together
    assert not AutoencoderParameters("conv", scaling="column").together
