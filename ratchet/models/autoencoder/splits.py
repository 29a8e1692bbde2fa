"""The training and validation rows, as a training has them: the preparation learnt from the one, both prepared into a scratch folder."""

from pathlib import Path

from ratchet.errors import ParameterError
from ratchet.features.spec import FeatureSpec
from ratchet.models.autoencoder.fitted import Learnt
from ratchet.models.autoencoder.parameters import AutoencoderParameters
from ratchet.models.autoencoder.preparation import Preparation
from ratchet.models.autoencoder.rows import DatasetRows, PreparedRows, Summary


def read_splits(
    scratch: Path, train_path: str | Path, validation_path: str | Path, spec: FeatureSpec, how: AutoencoderParameters
) -> tuple[Learnt, Summary]:
    """Learn the preparation and prepare both splits, in memory that does not grow with the rows.

    Args:
        scratch: Folder for the prepared rows, which must live as long as they are used.
        train_path: Dataset of rows that train.
        validation_path: Dataset of rows that say when to stop.
        spec: What is read of them.
        how: Which rows train, and how their columns are scaled.

    Returns:
        What the training has to go by, and what was met in the training split.

    Raises:
        DataError: a number is NaN or infinite.
        EmptySampleError: there are no rows, or no normal ones.
        ParameterError: normal rows are asked for, and there are no labels; or the columns are no windows of that many channels.
        SchemaError: a column is missing, of another kind, or infinite.
    """
    if how.train_on == "normal" and not spec.target:
        raise ParameterError("train_on is 'normal', and there is no label that says which rows are; give 'all', or a target")
    summary = Summary()
    train = DatasetRows(train_path, spec, normal_only=bool(spec.target) and how.train_on != "all")
    preparation = Preparation.learn(train.matrices(summary), spec.features, channels=how.channels if how.together else 0)
    if how.together and len(preparation.numbers) % how.channels:
        raise ParameterError(f"channels is {how.channels}, and {len(preparation.numbers)} numeric columns are no steps of so many")
    masked = tuple(place for place, one in enumerate(preparation.numbers) if summary.missing[one.name])
    prepared = PreparedRows.write(scratch / "train", train, preparation, masks=bool(masked))
    judged = PreparedRows.write(scratch / "validation", DatasetRows(validation_path, spec), preparation, masks=True)
    return Learnt(preparation, prepared, judged, masked), summary
