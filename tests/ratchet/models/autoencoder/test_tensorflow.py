import pytest

from ratchet.errors import ParameterError
from ratchet.models.autoencoder.tensorflow import device_name, load_tensorflow

pytestmark = pytest.mark.slow


def test_it_is_loaded_deterministic_and_with_the_asked_threads():
    tensorflow = load_tensorflow(2)
    assert tensorflow.config.threading.get_intra_op_parallelism_threads() == 2
    assert load_tensorflow(2) is tensorflow


def test_threads_that_can_not_be_had_any_more_are_not_written_into_a_package():
    tensorflow = load_tensorflow(2)
    tensorflow.constant(0.0)  # from here on its threads are what they are
    with pytest.raises(ParameterError, match="threads is 3, and TensorFlow has begun here with another number"):
        load_tensorflow(3)


def test_the_device_has_a_name():
    tensorflow = load_tensorflow(2)
    assert (device_name(tensorflow) == "CPU") == (not tensorflow.config.list_physical_devices("GPU"))
