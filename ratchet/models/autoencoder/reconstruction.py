"""How far a row is from what the network makes of it: the one definition that training minimises, and that is exported to ONNX.

A number's error is its squared distance, in standard deviations, and 0 where it is missing; a category's is the cross-entropy, in nats, of
the value that it has. So both are the negative logarithm of a likelihood, up to constants.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ratchet.errors import DataError, PackageError
from ratchet.models.autoencoder.rows import Layout, PreparedRows

BLOCK = 8192  # rows that are evaluated at a time
Errors = np.ndarray


def column_errors(outputs: Mapping[str, Any], rows: Mapping[str, Any], sizes: Sequence[int]) -> Any:
    """Return the error of each column, in TensorFlow's operations.

    Args:
        outputs: Of the network: "numbers" and "logits", those that there are.
        rows: "numbers", "missing" and "categories" that they are to be, those that there are.
        sizes: Codes of each category.

    Returns:
        float32 tensor, shape (n, columns): numbers first; of a network of several members, the mean of theirs.
    """
    import tensorflow as tf

    again = {name: made for name, made in outputs.items() if name != "embedding"}
    if next(iter(again.values())).shape.rank == 2:
        return _of_member(again, rows, sizes)
    members = [dict(zip(again, made, strict=True)) for made in zip(*(tf.unstack(one, axis=1) for one in again.values()), strict=True)]
    return tf.add_n([_of_member(made, rows, sizes) for made in members]) / len(members)


def _of_member(outputs: Mapping[str, Any], rows: Mapping[str, Any], sizes: Sequence[int]) -> Any:
    import tensorflow as tf

    parts = []
    if "numbers" in outputs:
        distances = tf.square(outputs["numbers"] - rows["numbers"])
        parts.append(distances * (1.0 - rows["missing"]) if "missing" in rows else distances)
    start = 0
    for place, count in enumerate(sizes):
        likely = tf.nn.log_softmax(outputs["logits"][:, start : start + count])
        is_value = tf.one_hot(rows["categories"][:, place], count)
        parts.append(-tf.reduce_sum(likely * is_value, axis=1, keepdims=True))
        start += count
    return tf.concat(parts, axis=1)


def fields(records: Any, layout: Layout) -> dict[str, Any]:
    """Return what records hold, by name: "numbers", "missing" and "categories", those that there are."""
    import tensorflow as tf

    masks, codes = layout.numbers, layout.numbers + layout.masks
    held: dict[str, Any] = {}
    if layout.numbers:
        held["numbers"] = records[:, :masks]
    if layout.masks:
        held["missing"] = records[:, masks:codes]
    if layout.categories:
        held["categories"] = tf.cast(records[:, codes:], tf.int32)
    return held


class Reconstruction:
    """A network that is asked, in Keras, how well it makes prepared rows again."""

    def __init__(self, network: Any, layout: Layout, sizes: Sequence[int]) -> None:
        """Wrap a network.

        Args:
            network: As `networks.build_network` makes it.
            layout: Of the records.
            sizes: Codes of each category.
        """
        self.network, self.layout, self.sizes = network, layout, sizes
        self._ask = _asker(network, layout, sizes)

    def ask(self, records: np.ndarray) -> tuple[np.ndarray, Errors]:
        """Return embedding and errors: float32, shapes (n, k) and (n, columns).

        Args:
            records: float32, shape (n, width); n at most `BLOCK`.

        Raises:
            DataError: a value is not finite. A network of relu layers may make a finite row of it, which would look usual.
            PackageError: what comes out is not finite.
        """
        if not np.isfinite(records).all():
            row, place = np.argwhere(~np.isfinite(records))[0].tolist()
            raise DataError(f"prepared row {row} holds {records[row, place]} at {place}; repair what the rows are made of")
        filled = np.zeros((BLOCK, self.layout.width), np.float32)
        filled[: len(records)] = records
        embedding, errors = (part.numpy()[: len(records)] for part in self._ask(filled))
        if not (np.isfinite(embedding).all() and np.isfinite(errors).all()):
            raise PackageError("the network gives what is not finite; lower learning_rate and train again")
        return embedding, errors

    def errors(self, rows: PreparedRows, scales: np.ndarray | None = None) -> np.ndarray:
        """Return each row's error: float64, shape (n,), the mean over the columns of error / scale.

        Args:
            rows: The rows.
            scales: shape (columns,); None for 1.
        """
        found = np.empty(rows.rows)
        for start, block in _numbered(rows):
            errors = self.ask(block)[1]
            found[start : start + len(block)] = (errors if scales is None else errors / scales).mean(axis=1, dtype=np.float64)
        return found


def _numbered(rows: PreparedRows) -> Any:
    for place, block in enumerate(rows.blocks(BLOCK)):
        yield place * BLOCK, block


def _asker(network: Any, layout: Layout, sizes: Sequence[int]) -> Callable[[np.ndarray], Any]:
    import tensorflow as tf

    def ask(records: Any) -> Any:
        held = fields(records, layout)
        outputs = network({name: held[name] for name in network.input}, training=False)
        return outputs["embedding"], column_errors(outputs, held, sizes)

    signature = [tf.TensorSpec((BLOCK, layout.width), tf.float32)]
    asker: Callable[[np.ndarray], Any] = tf.function(ask, input_signature=signature, autograph=False)
    return asker
