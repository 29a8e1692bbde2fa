"""Trains a network in a compiled loop: early stopping on the validation error, the best weights kept.

Why not Keras's ``fit``: it goes back to Python after every batch, which for a small network costs ten times what the batch does. Here a
chunk of many batches is one call, in which XLA has compiled the loop over them. Batches and optimiser are the same.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ratchet.data.batches import ahead
from ratchet.errors import ParameterError
from ratchet.models.autoencoder.alarm import ANOMALY
from ratchet.models.autoencoder.corruption import corrupted
from ratchet.models.autoencoder.parameters import AutoencoderParameters
from ratchet.models.autoencoder.reconstruction import Reconstruction, column_errors, fields
from ratchet.models.autoencoder.rows import Layout, PreparedRows
from ratchet.models.autoencoder.shuffle import shuffled

CHUNK = 128  # batches of one call
STEPS = 32  # of a pass, at least: a small table is learnt from in smaller batches
SMALLEST_BATCH = 8
PROGRESS = 1e-4  # share of the error by which a pass must be better to count
SLOWER = 0.3  # the learning rate is multiplied by it when half of the patience is used up


@dataclass(frozen=True)
class Fit:
    """What a training came to.

    Attributes:
        train_error: Mean error of the training rows in each pass, while the network was changing and as noise had them.
        validation_error: Mean error of the validation rows that are not known to be anomalies, after each pass.
        best_epoch: The pass, from 1, whose weights the network has.
    """

    train_error: Sequence[float]
    validation_error: Sequence[float]
    best_epoch: int


def fit(
    asked: Reconstruction, train: PreparedRows, validation: PreparedRows, how: AutoencoderParameters, *, masked: Sequence[int] = ()
) -> Fit:
    """Train a network, which then has the weights of its best pass.

    Args:
        asked: The network, as it is asked about the validation rows.
        train: Rows that train.
        validation: Rows that say when to stop.
        how: Of the training.
        masked: Places of the numeric columns that the network is told the gaps of.

    Raises:
        ParameterError: the error is not finite any more.
    """
    from keras.optimizers import Adam

    network, batch = asked.network, batch_size(how, train.rows)
    optimiser = Adam(how.learning_rate)
    optimiser.build(network.trainable_variables)
    learn = _learner(asked, optimiser, train.layout, how, batch)
    counted = usual(validation.labels)
    train_error: list[float] = []
    validation_error: list[float] = []
    best, best_epoch, weights, since = np.inf, 0, network.get_weights(), 0
    for epoch in range(how.epochs):
        total, steps = 0.0, 0
        for chunk, shown, count in ahead(_chunks(train, how, batch, masked, epoch)):
            total += float(learn(chunk, shown, count))
            steps += count
        train_error.append(total / steps)
        if not np.isfinite(total):
            raise ParameterError(f"learning_rate is {how.learning_rate}, and in pass {epoch + 1} the error is {total}; give a lower rate")
        validation_error.append(float(asked.errors(validation)[counted].mean()))
        since = 0 if validation_error[-1] < best * (1 - PROGRESS) else since + 1
        if validation_error[-1] < best:
            best, best_epoch, weights = validation_error[-1], epoch + 1, network.get_weights()
        if since == how.patience:
            break
        if since and since == how.patience // 2:
            optimiser.learning_rate.assign(optimiser.learning_rate * SLOWER)
    network.set_weights(weights)
    return Fit(train_error, validation_error, best_epoch)


def usual(labels: np.ndarray) -> np.ndarray:
    """Return which rows the validation error is of: those not known to be anomalies, or all where there is no other."""
    found: np.ndarray = labels != ANOMALY
    return found if found.any() else ~found


def batch_size(how: AutoencoderParameters, rows: int) -> int:
    """Return the rows of a batch: as asked, but so few that a pass over a small table has 32 steps.

    >>> batch_size(AutoencoderParameters(), 100_000), batch_size(AutoencoderParameters(), 640), batch_size(AutoencoderParameters(), 5)
    (256, 20, 5)
    """
    return min(how.batch_size, max(SMALLEST_BATCH, rows // STEPS), rows)


def compiles(how: AutoencoderParameters) -> bool:
    """Return whether XLA compiles the network: on a CPU its convolutions are ten times slower, and an LSTM gains nothing."""
    return how.architecture == "dense"


def _chunks(
    rows: PreparedRows, how: AutoencoderParameters, batch: int, masked: Sequence[int], epoch: int
) -> Iterator[tuple[np.ndarray, np.ndarray, int]]:
    """Yield what the network is to make, what it is shown, and how many batches of them count."""
    rng = np.random.default_rng([how.seed, epoch, 1])
    batches = min(CHUNK, -(-rows.rows // batch))
    for chunk, count in shuffled(rows, batch, batches, seed=how.seed, epoch=epoch):
        yield chunk, corrupted(chunk, rows.layout, how, masked, rng), count


def _learner(
    asked: Reconstruction, optimiser: Any, layout: Layout, how: AutoencoderParameters, batch: int
) -> Callable[[np.ndarray, np.ndarray, int], Any]:
    """Return what takes a chunk, what the network is shown of it and how many batches count; it trains, and returns their summed errors."""
    import tensorflow as tf

    network, variables = asked.network, asked.network.trainable_variables

    def step(chunk: Any, shown: Any, place: Any, total: Any) -> tuple[Any, Any]:
        wanted, given = (fields(tf.slice(part, [place * batch, 0], [batch, layout.width]), layout) for part in (chunk, shown))
        with tf.GradientTape() as tape:
            outputs = network({name: given[name] for name in network.input}, training=True)
            loss = tf.reduce_mean(column_errors(outputs, wanted, asked.sizes))
        gradients = tape.gradient(loss, variables)
        optimiser.apply([tf.convert_to_tensor(one) for one in gradients], variables)
        return place + 1, total + loss

    @tf.function(jit_compile=compiles(how), autograph=False)  # type: ignore[untyped-decorator]  # tensorflow says no types
    def learn(chunk: Any, shown: Any, count: Any) -> Any:
        # Not `for place in tf.range(count)`: XLA would compile that anew for each count.
        go_on, begin = lambda place, total: place < count, (tf.constant(0), tf.constant(0.0))
        return tf.while_loop(go_on, lambda place, total: step(chunk, shown, place, total), begin)[1]

    def call(chunk: np.ndarray, shown: np.ndarray, count: int) -> Any:
        given = tf.constant(chunk)
        return learn(given, given if shown is chunk else tf.constant(shown), tf.constant(count))

    return call
