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
    format: str = "",
    encoding: str = "",
    query: str = "",
    version: str = "",
    join: dict = {},
) -> NamedTuple("Outputs", [("rows", int), ("content_digest", str)]):
    """Read a file, a folder, a database or a lake table into a Dataset, whole or a window of it.

    Args:
        source: Path or URI (file, gs, s3, https) of CSV, JSON lines (either plain, gzip or zstd), Parquet, a folder of Parquet parts or a
            Delta table; or the SQLAlchemy URL of a database; or bigquery://project/dataset/table; or a secret reference to one of these.
        time_column: Column of times (ISO 8601, UTC) or of numbers that grow with time; empty for none.
        since: Keep rows from this moment on (e.g. 2024-03-01); empty for no bound.
        until: Keep rows before this moment; empty for no bound.
        format: "csv", "jsonl", "parquet" or "delta"; empty goes by the name and the first bytes.
        encoding: Of a text that is not UTF-8, e.g. "cp1252"; a file with a byte order mark needs none.
        query: What to ask a database; a table needs none at BigQuery.
        version: Of a Delta table, a number or an ISO time; empty takes the newest.
        join: A second source, whose columns are looked up for each row; empty for none.
        data: The rows, typed.

    Returns:
        rows: Number of rows read.
        content_digest: Digest of the rows, in any order and from any format: the version of the data.
    """
    from ratchet.sources.ingestion import ingest

    how = {"format": format, "encoding": encoding, "query": query, "version": version, "join": join}
    info = ingest(source, data.path, **how, time_column=time_column, since=since, until=until)
    data.metadata.update(info.metadata())
    return (info.rows, info.content_digest)
