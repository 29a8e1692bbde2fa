"""The networks: what goes in is squeezed into an embedding, and what comes out is to be what went in.

A network takes prepared rows (`preparation.Prepared`) and gives ``embedding`` (n, k), ``numbers`` (n, d), the columns as it makes them, and
``logits`` (n, values of all categories together). One of several members gives ``numbers`` (n, m, d) and ``logits`` (n, m, values): each
member's own. It is made of Keras's own layers only, so that its ``.keras`` file loads anywhere.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

from ratchet.errors import ParameterError
from ratchet.models.autoencoder.parameters import AutoencoderParameters
from ratchet.models.autoencoder.preparation import FIRST, Preparation

HIDDEN = {"dense": (32, 16), "conv": (16, 32), "lstm": (64,)}
FEW = 16  # columns: fewer need no second hidden layer
LARGEST_LATENT = 8
KERNEL = 7  # steps that a convolution sees at a time


def latent_size(how: AutoencoderParameters, columns: int) -> int:
    """Return the width of the embedding: as asked, else a quarter of the columns, 2 to 8.

    >>> latent_size(AutoencoderParameters(), 17), latent_size(AutoencoderParameters(latent_size=3), 17)
    (4, 3)
    """
    return how.latent_size or min(max(2, columns // 4), LARGEST_LATENT)


def hidden_sizes(how: AutoencoderParameters, columns: int) -> tuple[int, ...]:
    """Return the widths of the hidden layers: as asked, else by architecture and number of columns."""
    default = HIDDEN[how.architecture]
    return tuple(int(one) for one in how.hidden) or (default[1:] if how.architecture == "dense" and columns < FEW else default)


def sizes(preparation: Preparation) -> tuple[int, ...]:
    """Return how many codes each category has, the two for unknown and missing included."""
    return tuple(len(one.values) + FIRST for one in preparation.categories)


def build_network(preparation: Preparation, how: AutoencoderParameters, latent: int, masked: Sequence[int] = ()) -> Any:
    """Return an untrained network, its weights drawn by the seed.

    Args:
        preparation: The columns.
        how: Architecture, hidden layers, channels, members and seed.
        latent: Width of the embedding.
        masked: Places of the numeric columns that had missing values in training: the network is told where they are missing.

    Returns:
        A Keras model; its inputs are "numbers", "missing" (where ``masked``) and "categories", those that there are.

    Raises:
        ParameterError: the columns are no windows of that many channels, or some are no numbers.
    """
    import keras

    keras.backend.clear_session(free_memory=False)  # layers are named and numbered as in a new process
    keras.utils.set_random_seed(how.seed)
    names = ["autoencoder", *(f"autoencoder_{place}" for place in range(1, how.members))]
    members = [_member(preparation, how, latent, masked, name) for name in names]
    return members[0] if len(members) == 1 else _side_by_side(members)


def _side_by_side(members: Sequence[Any]) -> Any:
    """Return one network of several, which share their rows and when they stop, and no weight."""
    import keras

    inputs = {name: keras.Input(one.shape[1:], name=name, dtype=one.dtype) for name, one in members[0].input.items()}
    made = [member(inputs) for member in members]
    again = {name: keras.ops.stack([one[name] for one in made], axis=1) for name in made[0] if name != "embedding"}
    return keras.Model(inputs, {"embedding": made[0]["embedding"], **again}, name="autoencoders")


def _member(preparation: Preparation, how: AutoencoderParameters, latent: int, masked: Sequence[int], name: str) -> Any:
    import keras

    width, codes = len(preparation.numbers), sizes(preparation)
    inputs: dict[str, Any] = {}
    if width:
        inputs["numbers"] = keras.Input((width,), name="numbers", dtype="float32")
    if masked and how.architecture == "dense":
        inputs["missing"] = keras.Input((width,), name="missing", dtype="float32")
    if codes:
        inputs["categories"] = keras.Input((len(codes),), name="categories", dtype="int32")
    hidden = hidden_sizes(how, len(preparation.columns))
    if how.architecture == "dense":
        embedding, numbers, last = _dense(_flat(inputs, codes, masked), hidden, latent, width)
    else:
        steps = _steps(width, codes, how)
        embedding, numbers = WINDOWS[how.architecture](inputs["numbers"], steps, how.channels, hidden, latent)
        last = embedding
    outputs = {"embedding": embedding}
    if width:
        outputs["numbers"] = numbers
    if codes:
        outputs["logits"] = keras.layers.Dense(sum(codes), name="logits")(last)
    return keras.Model(inputs, outputs, name=name)


def _flat(inputs: dict[str, Any], codes: Sequence[int], masked: Sequence[int]) -> Any:
    """Return numbers, masks and embedded categories side by side."""
    from keras import layers, ops

    parts = [inputs["numbers"]] if "numbers" in inputs else []
    if "missing" in inputs:
        parts.append(ops.take(inputs["missing"], list(masked), axis=1))
    for place, count in enumerate(codes):
        width = min(16, math.ceil(count**0.5))
        parts.append(layers.Embedding(count, width, name=f"category_{place}")(inputs["categories"][:, place]))
    return layers.Concatenate(name="row")(parts) if len(parts) > 1 else parts[0]


def _dense(row: Any, hidden: Sequence[int], latent: int, width: int) -> tuple[Any, Any, Any]:
    from keras.layers import Dense

    inward = row
    for place, units in enumerate(hidden):
        inward = Dense(units, "relu", name=f"inward_{place}")(inward)
    embedding = Dense(latent, name="embedding")(inward)
    outward = embedding
    for place, units in enumerate(reversed(hidden)):
        outward = Dense(units, "relu", name=f"outward_{place}")(outward)
    return embedding, Dense(width, name="numbers_again")(outward) if width else None, outward


def _steps(width: int, codes: Sequence[int], how: AutoencoderParameters) -> int:
    if codes:
        raise ParameterError(
            f"architecture={how.architecture!r} takes numbers only, and {len(codes)} columns are texts; drop them, or take 'dense'"
        )
    if not width or width % how.channels:
        raise ParameterError(f"{width} numeric columns are no steps of {how.channels} channels; give channels that divide their number")
    return width // how.channels


def _conv(numbers: Any, steps: int, channels: int, hidden: Sequence[int], latent: int) -> tuple[Any, Any]:
    """Each layer halves the steps on the way in and doubles them on the way out, where what is too much is cut off."""
    from keras import layers

    inward = layers.Reshape((steps, channels), name="window")(numbers)
    for place, filters in enumerate(hidden):
        inward = layers.Conv1D(filters, KERNEL, 2, "same", activation="relu", name=f"inward_{place}")(inward)
    short = inward.shape[1]
    embedding = layers.Dense(latent, name="embedding")(layers.Flatten(name="flat")(inward))
    outward = layers.Dense(short * hidden[-1], "relu", name="outward")(embedding)
    outward = layers.Reshape((short, hidden[-1]), name="steps")(outward)
    for place, filters in enumerate((*reversed(hidden[:-1]), hidden[0])):
        outward = layers.UpSampling1D(2, name=f"doubled_{place}")(outward)
        outward = layers.Conv1D(filters, KERNEL, 1, "same", activation="relu", name=f"outward_{place}")(outward)
    again = layers.Conv1D(channels, KERNEL, 1, "same", name="window_again")(outward)
    return embedding, layers.Flatten(name="numbers_again")(again[:, :steps])


def _lstm(numbers: Any, steps: int, channels: int, hidden: Sequence[int], latent: int) -> tuple[Any, Any]:
    from keras import layers

    inward = layers.Reshape((steps, channels), name="window")(numbers)
    for place, units in enumerate(hidden):
        inward = layers.LSTM(units, return_sequences=place + 1 < len(hidden), name=f"inward_{place}")(inward)
    embedding = layers.Dense(latent, name="embedding")(inward)
    outward = layers.RepeatVector(steps, name="steps")(embedding)
    for place, units in enumerate(reversed(hidden)):
        outward = layers.LSTM(units, return_sequences=True, name=f"outward_{place}")(outward)
    again = layers.TimeDistributed(layers.Dense(channels), name="window_again")(outward)
    return embedding, layers.Flatten(name="numbers_again")(again)


WINDOWS: dict[str, Callable[..., tuple[Any, Any]]] = {"conv": _conv, "lstm": _lstm}
