"""The main job for a boosting model that reads an autoencoder: both are trained, and both are promoted and rolled back as a pair."""

from kfp import dsl

from components.deployment.conclude.component import conclude
from components.deployment.register.component import register
from components.evaluation.compare.component import compare
from components.evaluation.evaluate.component import evaluate
from components.training.train_autoencoder.component import train_autoencoder
from components.training.train_stacked.component import train_stacked
from pipelines.beginnings import make_features, usable_data
from pipelines.endings import release
from pipelines.steps import effect, pure


@dsl.pipeline(
    name="stacked-delivery",
    description="Train an autoencoder and a boosting model on top of it, compare, try them on live traffic, and promote both or none.",
)
def stacked_delivery(
    source: str,
    target: str,
    model: str,
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
    hidden: list = [],
    latent_size: int = 0,
    latent_sizes: list = [],
    noise: float = 0.0,
    masking: float = 0.0,
    epochs: int = 100,
    encoder_members: int = 1,
    encoder_outputs: list = [],
    train_on: str = "auto",
    refit: bool = False,
    members: int = 1,
    cost_false_negative: float = 1.0,
    cost_false_positive: float = 1.0,
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
    """Ingest, validate, train the autoencoder and the model on top of it, compare; then roll out, promote and verify, or hold.

    The autoencoder is registered and deployed as well, under the model's name with "-encoder" behind it.

    Args:
        source: What to learn from: path or URI of CSV, JSON lines, Parquet or a Delta table, a database, or a secret reference.
        target: Column to predict.
        model: Name of the deployment, e.g. "fraud".
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
        positive: Target value that counts as positive. Empty to find it.
        expressions: Feature name to SQL scalar expression, e.g. {"log_amount": "ln(1 + amount)"}.
        windows: Aggregates over time, e.g. [{"name": "n_7d", "by": "customer_id", "aggregate": "count", "over": "7d"}].
        impute: What stands in for missing values, learnt from the rows that train, e.g. {"age": "median", "city": "most_frequent"}.
        label_delay: How late labels arrive, e.g. "7d"; training stops that long before the holdout begins.
        validation_share: Share of rows that choose iterations and threshold, 0 to 1.
        holdout_share: Share of rows, the latest, that judge, 0 to 1.
        train_from: Train on rows at or after this time (ISO 8601) only. Empty for all before the holdout.
        train_until: Train on rows before this time only.
        holdout_from: The holdout begins here, whatever its share.
        holdout_until: The holdout ends before this time.
        known_by: Column of an entity, e.g. a card, that leaves the holdout once a positive label of it is known. Empty for none.
        split_column: Column that says "train", "validation" or "holdout" of each row, where the split is given. Empty to split here.
        hidden: Width of each hidden layer of the autoencoder, down to the embedding; empty for a default by the number of columns.
        latent_size: Width of the embedding; 0 for a default by the number of columns.
        latent_sizes: Widths of which the narrowest is taken that is as good as the best; empty to take latent_size.
        noise: Standard deviation of the noise on what the autoencoder is shown, where the spread of a column is 1.
        masking: Share of the values that the autoencoder is not shown.
        epochs: Most passes of the autoencoder over its training rows.
        encoder_members: Networks of the autoencoder, whose mean error its error is; what is stacked on it then learns less of their chance.
        encoder_outputs: What the model reads of the autoencoder: "embedding", "error"; empty for both.
        train_on: Rows that the autoencoder learns from: "normal", "all", or "auto": normal ones where there are two classes.
        refit: Train once more on the rows that trained and those that chose, with the number of trees found.
        members: Models, each of the next seed, whose mean the model is; on few rows several are better than one.
        cost_false_negative: Cost of a missed positive.
        cost_false_positive: Cost of a false alarm.
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
        table = make_features(given, live, checked)
        splits = {name: table.outputs[name] for name in ("train", "validation", "specification")}
        trained_encoder = pure(
            train_autoencoder(
                hidden=hidden,
                latent_size=latent_size,
                latent_sizes=latent_sizes,
                noise=noise,
                masking=masking,
                epochs=epochs,
                members=encoder_members,
                train_on=train_on,
                seed=seed,
                settings=settings,
                **splits,
            ),
            "Train the autoencoder",
        )
        encoder = trained_encoder.outputs["model"]
        scored_encoder = pure(evaluate(model=encoder, holdout=table.outputs["holdout"]), "Evaluate the autoencoder")
        kept = {"reference": table.outputs["table"], "schema": checked.outputs["schema"]}
        registered_encoder = effect(
            register(
                challenger=encoder,
                model=f"{model}-encoder",
                run_id=run_id,
                generation=live.outputs["generation"],
                primary_metric=scored_encoder.outputs["primary_metric"],
                settings=settings,
                **kept,
            ),
            "Register the autoencoder",
        )
        trained = pure(
            train_stacked(
                encoder=encoder,
                encoder_name=f"{model}-encoder",
                encoder_version=registered_encoder.outputs["version"],
                encoder_outputs=encoder_outputs,
                refit=refit,
                members=members,
                seed=seed,
                settings=settings,
                **splits,
                **costs,
            ),
            "Train on top of it",
        )
        scored = pure(
            evaluate(model=trained.outputs["model"], holdout=table.outputs["holdout"], slice_columns=slice_columns, **costs),
            "Evaluate",
        )
        judged = pure(
            compare(
                challenger=trained.outputs["model"],
                champion=live.outputs["package"],
                holdout=table.outputs["holdout"],
                slice_columns=slice_columns,
                confidence=confidence,
                seed=seed,
                **costs,
            ),
            "Compare with the champion",
        )
        registering = {"challenger": trained.outputs["model"], "primary_metric": scored.outputs["primary_metric"], **kept}
        release(given, judged, run_id=run_id, generation=live.outputs["generation"], registering=registering)
