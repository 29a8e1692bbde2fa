from typing import NamedTuple

from kfp import dsl
from kfp.dsl import HTML, Artifact, Dataset, Input, Markdown, Metrics, Output

from components.images import image


@dsl.component(base_image=image("tabular"), install_kfp_package=False)
def validate(
    data: Input[Dataset],
    champion_schema: Input[Artifact],
    clean: Output[Dataset],
    quarantine: Output[Dataset],
    schema: Output[Artifact],
    report: Output[HTML],
    summary: Output[Markdown],
    scores: Output[Metrics],
    schema_text: str = "",
    target: str = "",
    time_column: str = "",
    key_columns: list = [],
    min_rows: int = 0,
    max_quarantined_share: float = 0.05,
    scale_factor: float = 8.0,
    label_factor: float = 5.0,
    max_age_days: float = 0.0,
    now: str = "",
    accept_new_columns: bool = False,
) -> NamedTuple("Outputs", [("verdict", str), ("reason", str), ("rows_valid", int)]):
    """Judge data against the champion's schema, one given, or one made on first sight; set bad rows aside.

    Args:
        data: What was ingested.
        champion_schema: The champion's schema, or the mark of absence.
        schema_text: A schema as YAML, or the path of one; empty takes the champion's, else makes one from the data.
        target: Column to predict; empty takes the schema's.
        time_column: Column of times; empty takes the schema's.
        key_columns: Columns that together name a row; empty takes the schema's.
        min_rows: Fewest rows that must be left; 0 takes the schema's.
        max_quarantined_share: Largest share of rows set aside, 0 to 1; beyond it the data is invalid.
        scale_factor: Data is invalid when a column's values all moved by this factor, as another unit does.
        label_factor: Data is invalid when the share of a label moved by this factor.
        max_age_days: Data is invalid when its newest row is older than this at `now`; 0 for no limit.
        now: Time against which rows are in the future or stale, e.g. 2024-03-31; empty compares rows with each other only.
        accept_new_columns: Add columns that the schema does not know to it; else they are left out.
        clean: The rows that fit.
        quarantine: The rows that do not, as they came, with the reasons in `quarantine_reason`.
        schema: The schema used, as YAML for review.
        report: What was found, column by column.
        summary: The same in short.
        scores: Counts of rows and findings.

    Returns:
        verdict: "valid", "quarantined" (some rows set aside) or "invalid" (do not use).
        reason: Why, naming columns, values and the remedy.
        rows_valid: Rows that fit.
    """
    from ratchet.data.findings import Limits
    from ratchet.data.quality import validate

    result = validate(
        data.path,
        champion_schema_path=champion_schema.path,
        schema_text=schema_text,
        key=key_columns,
        time_column=time_column,
        target=target,
        limits=Limits(max_quarantined_share, min_rows, scale_factor, label_factor, max_age_days, now, accept_new_columns),
        clean_path=clean.path,
        quarantine_path=quarantine.path,
        schema_path=schema.path,
        report_path=report.path,
        source=data.metadata.get("source", ""),
    )
    clean.metadata.update(result.clean.metadata())
    quarantine.metadata.update(result.quarantine.metadata())
    result.page.write_markdown(summary.path)
    result.log_to(scores)
    return (result.verdict, result.reason, result.rows_out)
