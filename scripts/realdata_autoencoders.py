"""The data sets of ``make realdata`` on which an autoencoder works, alone or below a boosting model.

What is set for them was chosen on rows that train or choose, or on earlier weeks, not by the figures of the rows that judge.
"""

from pathlib import Path

import numpy as np
import polars as pl

from scripts.realdata_fraud import AUTOENCODER, SUPERVISED, beside_boosting_alone, blocked_cards
from scripts.realdata_run import Artifacts
from scripts.realdata_set import DataSet, Reach

STEPS = 140
BESIDE = "measured beside the data"


def with_header(file: Path, scratch: Path) -> Path:
    """Write the heartbeats with names and the number of their row, because the file has no header and nothing in it names a row."""
    names = [*(f"t{step}" for step in range(STEPS)), "normal"]
    rows = pl.read_csv(file, has_header=False, new_columns=names).with_row_index("row")
    rows.with_columns(pl.col("normal").cast(pl.Int64)).write_csv(target := scratch / file.name)
    return target


def decided_right(run: Artifacts, file: Path) -> dict[str, float]:
    """Return the share of the holdout's rows that the package decides right, and the share that are normal, right without a look."""
    anomaly = run.package.spec.labels(run.holdout) == 1
    flagged = np.array(run.package.decide(run.predictions)) == run.package.spec.positive
    return {"accuracy": float((flagged == anomaly).mean()), "always_normal": float((~anomaly).mean())}


SMALL = tuple((f"the usual small dense network, {end}", {"accuracy": found}, BESIDE) for end, found in (("from", 0.942), ("to", 0.946)))

AUTOENCODERS = (
    DataSet(
        "ecg5000",
        "ecg.csv",
        ("accuracy", "always_normal", "roc_auc", "average_precision", "f1", "false_alarm_rate"),
        SMALL,
        (Reach("accuracy", 0.945),),
        aims=(Reach("accuracy", 0.970),),
        pipeline="autoencoder_delivery",
        seeds=(0, 1, 2),
        prepare=with_header,
        measure=decided_right,
    ),
    DataSet(
        "fraud_autoencoder",
        "transactions.parquet",
        ("roc_auc", "average_precision", "card_precision_100", "recall", "false_alarm_rate"),
        (AUTOENCODER,),
        (Reach("roc_auc", 0.84), Reach("average_precision", 0.18)),
        pipeline="autoencoder_delivery",
        lies_in="fraud_handbook",
        measure=blocked_cards,
    ),
    DataSet(
        "fraud_stacked",
        "transactions.parquet",
        (
            *("roc_auc", "average_precision", "card_precision_100"),
            *("roc_auc_alone", "average_precision_alone", "card_precision_100_alone"),
        ),
        (*SUPERVISED, AUTOENCODER),
        (Reach("average_precision", "average_precision_alone", digits=4),),
        pipeline="stacked_delivery",
        lies_in="fraud_handbook",
        seeds=(0, 1, 2),
        measure=beside_boosting_alone,
        aims=(Reach("roc_auc", "roc_auc_alone", digits=4),),
    ),
    DataSet(
        "bike_anomalies",
        "hour.csv",
        ("roc_auc", "average_precision", "false_alarm_rate", "recall", "recall_spike", "recall_swap", "recall_noise", "recall_drift"),
        (),
        (Reach("roc_auc", 0.85), Reach("false_alarm_rate", 0.02, most=True)),
        pipeline="autoencoder_delivery",
        lies_in="bike_sharing",
    ),
)
