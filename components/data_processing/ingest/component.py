from typing import NamedTuple

from kfp import dsl
from kfp.dsl import Dataset, Output

from components.images import image


@dsl.component(base_image=image("tabular"), install_kfp_package=False)
def ingest(
    data: Output[Dataset],
    source: str,
    time_column: str = "",
    since: str = "",
    until: str = "",
) -> NamedTuple("Outputs", [("rows", int), ("content_digest", str)]):
    """Read a CSV or Parquet source into a Dataset, whole or a window of it.

    Args:
        source: Path of a CSV file (delimiter sniffed; gzip or plain), a Parquet file or a folder of Parquet parts.
        time_column: Column of times (ISO 8601, UTC) or of numbers that grow with time; empty for none.
        since: Keep rows from this moment on (e.g. 2024-03-01); empty for no bound.
        until: Keep rows before this moment; empty for no bound.
        data: The rows, typed.

    Returns:
        rows: Number of rows read.
        content_digest: Digest of the rows, in any order and from any format: the version of the data.
    """
    from ratchet.data.sources import ingest

    info = ingest(source, data.path, time_column=time_column, since=since, until=until)
    data.metadata.update(info.metadata())
    return (info.rows, info.content_digest)
