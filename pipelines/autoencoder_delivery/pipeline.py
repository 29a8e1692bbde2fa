"""The main job for anomalies: from raw data, with labels or without, to an autoencoder that is promoted or rejected."""

from kfp import dsl

from components.deployment.conclude.component import conclude
from components.evaluation.compare.component import compare
from components.evaluation.evaluate.component import evaluate
from components.training.train_autoencoder.component import train_autoencoder
from pipelines.beginnings import make_features, usable_data
from pipelines.endings import release
from pipelines.steps import effect, pure

HOW = (
    *("architecture", "hidden", "latent_size", "latent_sizes", "channels", "scaling", "noise", "masking", "epochs", "batch_size"),
    *("learning_rate", "patience", "train_on", "threshold_by", "false_alarm_rate", "members", "seed", "settings"),
)


@dsl.pipeline(
    name="autoencoder-delivery",
    description="Train an autoencoder on new data, compare it with the champion, try it on live traffic, and promote it only on evidence.",
)
def autoencoder_delivery(
    source: str,
    model: str,
    target: str = "",
    format: str = "",
    encoding: str = "",
    query: str = "",
    version: str = "",
    join: dict = {},
    time_column: str = "",
    since: str = "",
    until: str = "",
    key_columns: list = [],
    group_column: str = "",
    drop_columns: list = [],
    positive: str = "",
    expressions: dict = {},
    windows: list = [],
    impute: dict = {},
    label_delay: str = "",
    validation_share: float = 0.2,
    holdout_share: float = 0.2,
    train_from: str = "",
    train_until: str = "",
    holdout_from: str = "",
    holdout_until: str = "",
    known_by: str = "",
    split_column: str = "",
    architecture: str = "dense",
    hidden: list = [],
    latent_size: int = 0,
    latent_sizes: list = [],
    channels: int = 1,
    scaling: str = "auto",
    noise: float = 0.0,
    masking: float = 0.0,
    epochs: int = 100,
    batch_size: int = 256,
    learning_rate: float = 0.001,
    patience: int = 10,
    members: int = 1,
    train_on: str = "auto",
    threshold_by: str = "auto",
    false_alarm_rate: float = 0.01,
    cost_false_negative: float = 1.0,
    cost_false_positive: float = 1.0,
    injected: dict = {},
    slice_columns: list = [],
    schema_text: str = "",
    accept_new_columns: bool = False,
    max_quarantined_share: float = 0.05,
    drift_threshold: float = 0.1,
    confidence: float = 0.95,
    strategy: str = "canary",
    policy: dict = {},
    wait: str = "5m",
    seed: int = 0,
    settings: str = "",
):
    """Ingest, validate, train, compare; then roll out, promote and verify, or hold.

    Args:
        source: What to learn from: path or URI of CSV, JSON lines, Parquet or a Delta table, a database, or a secret reference.
        model: Name of the deployment, e.g. "turbine-defects".
        target: Column that says which rows are anomalies, as far as is known. Empty where there are never labels: the holdout then gets
            anomalies injected, and live requests are judged by alarms.
        format: "csv", "jsonl", "parquet" or "delta". Empty to find it.
        encoding: Of a text that is not UTF-8, e.g. "cp1252". Empty for UTF-8, or what a byte order mark says.
        query: What to ask a database, as one SELECT. Empty where the source is none.
        version: Of a Delta table, a number or an ISO time. Empty for the newest.
        join: Columns of a second source, looked up by key, e.g. {"source": "shops.csv", "on": ["shop_id"], "columns": ["city"]}.
        time_column: Column that orders the rows; with it, splits are by time. Empty for none.
        since: Take rows at or after this time (ISO 8601). Empty for all.
        until: Take rows before this time (ISO 8601). Empty for all.
        key_columns: Columns that identify a row; a second row of the same key is quarantined.
        group_column: Column whose rows never straddle a split, e.g. a customer. Empty for none.
        drop_columns: Columns that the model must not see, e.g. ones that leak the target.
        positive: Target value that means an anomaly. Empty to find it.
        expressions: Feature name to SQL scalar expression, e.g. {"log_amount": "ln(1 + amount)"}.
        windows: Aggregates over time, e.g. [{"name": "n_7d", "by": "customer_id", "aggregate": "count", "over": "7d"}].
        impute: What stands in for missing values, learnt from the rows that train, e.g. {"age": "median", "city": "most_frequent"}.
        label_delay: How late labels arrive, e.g. "7d"; training stops that long before the holdout begins.
        validation_share: Share of rows that stop the training and choose the threshold, 0 to 1.
        holdout_share: Share of rows, the latest, that judge, 0 to 1.
        train_from: Train on rows at or after this time (ISO 8601) only. Empty for all before the holdout.
        train_until: Train on rows before this time only.
        holdout_from: The holdout begins here, whatever its share.
        holdout_until: The holdout ends before this time.
        known_by: Column of an entity, e.g. a card, that leaves the holdout once an anomaly of it is known. Empty for none.
        split_column: Column that says "train", "validation" or "holdout" of each row, where the split is given. Empty to split here.
        architecture: "dense" for rows; "conv" or "lstm" where the columns of a row are a window of a time series, in order.
        hidden: Width of each hidden layer down to the embedding, e.g. [32, 16]. Empty for a default by the number of columns.
        latent_size: Width of the embedding; 0 for a default by the number of columns.
        latent_sizes: Widths to choose from by a search, e.g. [2, 4, 8]; its trade-off is plotted. Empty to take latent_size.
        channels: Numbers measured at each step of a window.
        scaling: "column", "window" (one centre and spread for all columns, as fits one signal), or "auto": by the architecture.
        noise: Standard deviation of noise on what the network is shown, where the spread of a column is 1.
        masking: Share of the values that the network is not shown, 0 to 1.
        epochs: Most passes over the training rows.
        batch_size: Rows of one step.
        learning_rate: Of Adam.
        patience: Stop after this many passes without a lower validation error.
        members: Networks whose mean error is a row's error; several vary less from seed to seed than one does.
        train_on: "normal" rows, "all", or "auto": normal ones where there are labels.
        threshold_by: "rate", "f_score", "cost", or "auto": by labels where validation rows are of both classes, else the rate.
        false_alarm_rate: Wanted share of normal rows at or above the threshold.
        cost_false_negative: Cost of a missed anomaly. While both costs are equal, they are balanced by how rare anomalies are.
        cost_false_positive: Cost of a false alarm, in the same unit.
        injected: Where labels cannot judge: anomalies that are put into the holdout, the same for both models, e.g. {"kinds": ["spike",
            "swap", "noise", "drift"], "share": 0.05, "strength": 4.0, "seed": 0}, which are the defaults.
        slice_columns: Columns by whose values quality is also judged.
        schema_text: Schema as YAML, or the path of one, that the data must meet. Empty for the champion's, or one inferred on first sight.
        accept_new_columns: Add columns that the schema does not know to it; else they are left out.
        max_quarantined_share: Largest share of rows set aside, 0 to 1; beyond it the data is invalid.
        drift_threshold: A column has drifted when its distance exceeds this, 0 to 1.
        confidence: Confidence of the interval that must exclude "no better", 0.5 to 1.
        strategy: How a challenger goes live: "canary" (shadow, then step by step), "ab" (a fixed split), "blue_green" (shadow, then all at
            once), or "direct" (no live trial).
        policy: Anything else of the rollout, e.g. {"steps": [5, 50], "label_delay": "7d", "margin": 0.005, "key": "customer_id"}.
        wait: How long this run waits for live evidence at most; a later run goes on from there.
        seed: Seed of everything random.
        settings: URI of a settings file without secrets. Empty for the environment's.
    """
    given = dict(locals())
    run_id = dsl.PIPELINE_JOB_ID_PLACEHOLDER
    costs = {"cost_false_negative": cost_false_negative, "cost_false_positive": cost_false_positive}
    exit_task = effect(conclude(model=model, run_id=run_id, settings=settings), "Conclude")
    with dsl.ExitHandler(exit_task, name="run"), usable_data(given, run_id) as (live, checked):
        table = make_features(given, live, checked, task="anomaly")
        trained = pure(
            train_autoencoder(
                train=table.outputs["train"],
                validation=table.outputs["validation"],
                specification=table.outputs["specification"],
                **{name: given[name] for name in HOW},
                **costs,
            ),
            "Train",
        )
        scored = pure(
            evaluate(
                model=trained.outputs["model"], holdout=table.outputs["holdout"], slice_columns=slice_columns, injected=injected, **costs
            ),
            "Evaluate",
        )
        judged = pure(
            compare(
                challenger=trained.outputs["model"],
                champion=live.outputs["package"],
                holdout=table.outputs["holdout"],
                slice_columns=slice_columns,
                injected=injected,
                confidence=confidence,
                seed=seed,
                **costs,
            ),
            "Compare with the champion",
        )
        registering = {
            "challenger": trained.outputs["model"],
            "reference": table.outputs["table"],
            "schema": checked.outputs["schema"],
            "primary_metric": scored.outputs["primary_metric"],
        }
        release(given, judged, run_id=run_id, generation=live.outputs["generation"], registering=registering)
