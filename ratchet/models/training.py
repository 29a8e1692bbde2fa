"""Train a boosting model: early stopping on the validation split, then its threshold from there, then a refit on both if asked.

The same data, parameters and seed give the same package digest: the thread count is fixed, because CatBoost sums in an order that depends
on it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ratchet.data.digests import content_digest
from ratchet.data.tables import read_dataset
from ratchet.errors import DataError, ParameterError, TargetError
from ratchet.features.spec import FeatureSpec
from ratchet.models.boosting import CatBoostNative, mean_model, pool
from ratchet.models.description import Description
from ratchet.models.imports import load_catboost
from ratchet.models.package import ModelPackage, write_package
from ratchet.models.stacking import check_encoder, copy_encoder, name_encoder, stacked_matrix
from ratchet.models.threshold import choose_threshold
from ratchet.report.metrics import MetricSink, log_metrics
from ratchet.report.page import Cell, Page, Table

if TYPE_CHECKING:
    from catboost import CatBoost

LOSSES = {"binary": "Logloss", "multiclass": "MultiClass", "regression": "RMSE"}


@dataclass(frozen=True)
class BoostingParameters:
    """How to train. What is 0 is CatBoost's own choice.

    Attributes:
        iterations: Most trees.
        learning_rate: Step of each tree.
        depth: Of a tree.
        l2_leaf_reg: L2 regularisation of leaf values.
        early_stopping_rounds: Stop after this many trees without a better validation loss.
        class_weights: "none" or "balanced".
        refit: Train once more on train and validation rows, with the best number of trees.
        cost_false_negative: Cost of a missed positive; sets the threshold.
        cost_false_positive: Cost of a false alarm; likewise.
        threads: Part of the recipe, because sums depend on it.
        seed: Of everything random.
        members: Models, each of the next seed, whose mean the model is; several vary less from seed to seed than one does.
    """

    iterations: int = 1000
    learning_rate: float = 0.0
    depth: int = 0
    l2_leaf_reg: float = 0.0
    early_stopping_rounds: int = 100
    class_weights: str = "none"
    refit: bool = False
    cost_false_negative: float = 1.0
    cost_false_positive: float = 1.0
    threads: int = 2
    seed: int = 0
    members: int = 1

    def check(self) -> None:
        """Refuse what cannot be trained with.

        Raises:
            ParameterError: naming the parameter, its value and what it may be.
        """
        for name in ("iterations", "early_stopping_rounds", "members", "threads"):
            if getattr(self, name) < 1:
                raise ParameterError(f"{name} is {getattr(self, name)}; give a whole number above 0")
        if not 0 <= self.learning_rate <= 1:
            raise ParameterError(f"learning_rate is {self.learning_rate}; give a number up to 1, or 0 to let CatBoost choose")
        if not 0 <= self.depth <= 16:
            raise ParameterError(f"depth is {self.depth}; give 1 to 16, or 0 to let CatBoost choose")
        if self.class_weights not in ("none", "balanced"):
            raise ParameterError(f"class_weights is {self.class_weights!r}; give 'none' or 'balanced'")

    def for_catboost(self, spec: FeatureSpec, member: int = 0) -> dict[str, Any]:
        """Return the arguments of a CatBoost model."""
        chosen = {name: getattr(self, name) for name in ("learning_rate", "depth", "l2_leaf_reg") if getattr(self, name)}
        weights = {"auto_class_weights": "Balanced"} if self.class_weights == "balanced" and spec.task != "regression" else {}
        classes = {"classes_count": len(spec.classes)} if spec.task == "multiclass" else {}
        return {
            "loss_function": LOSSES[spec.task],
            "iterations": self.iterations,
            "random_seed": self.seed + member,
            "thread_count": self.threads,
            "allow_writing_files": False,
            "verbose": False,
            **chosen,
            **weights,
            **classes,
        }


@dataclass(frozen=True)
class TrainingResult:
    """What training made.

    Attributes:
        package: The model package, loaded from where it was written.
        best_iteration: Number of trees that it has, or its first member.
        train_loss: Loss after each tree on the training rows, of its first member.
        validation_loss: Likewise on the validation rows.
        importance: Feature name to its share of what the model uses, in percent, the largest first.
        rows: Number of training and validation rows.
    """

    package: ModelPackage
    best_iteration: int
    train_loss: Sequence[float]
    validation_loss: Sequence[float]
    importance: Mapping[str, float]
    rows: tuple[int, int]

    @property
    def digest(self) -> str:
        """Digest of the package."""
        return self.package.digest

    @property
    def threshold(self) -> float:
        """Decision threshold; 0 unless the task is "binary"."""
        return self.package.threshold or 0.0

    def log_to(self, sink: MetricSink) -> None:
        """Write what was measured into a Metrics artifact."""
        best = self.best_iteration - 1
        values = {"train_loss": self.train_loss[best], "validation_loss": self.validation_loss[best], "threshold": self.threshold}
        log_metrics(sink, {**values, "trees": str(self.best_iteration), "train_rows": str(self.rows[0])})

    def page(self) -> Page:
        """Return the learning curve and what the model uses."""
        from ratchet.report import figures
        from ratchet.report.page import Figure

        loss = LOSSES[self.package.spec.task]
        trees = range(1, len(self.train_loss) + 1)
        svg = figures.lines(
            {"train": (list(trees), self.train_loss), "validation": (list(trees), self.validation_loss)},
            x="trees",
            y=loss,
            mark_x={"chosen": self.best_iteration},
        )
        used: list[dict[str, Cell]] = [{"feature": name, "share, %": share} for name, share in list(self.importance.items())[:30]]
        facts: dict[str, Cell] = {
            "trees": self.best_iteration,
            "train rows": self.rows[0],
            "validation rows": self.rows[1],
            "threshold": self.package.threshold,
            "digest": self.digest[:19],
        }
        if (encoder := self.package.description.encoder) is not None:
            facts["encoder"] = f"{encoder.model} version {encoder.version}" if encoder.model else encoder.digest[:19]
        parts = (Figure("Learning curve", svg, f"{loss} after each tree; training stops when the validation rows gain nothing more."),)
        note = "How much of the change in predictions a feature explains (CatBoost's PredictionValuesChange)."
        return Page("Train boosting", facts=facts, parts=(*parts, Table("What the model uses", used, note=note)))


def train_boosting(
    train_path: str | Path,
    validation_path: str | Path,
    specification_path: str | Path,
    package_path: str | Path,
    *,
    parameters: BoostingParameters | None = None,
    key: bytes | None = None,
    encoder_path: str | Path | None = None,
    encoder_name: str = "",
    encoder_version: str = "",
    encoder_outputs: Collection[str] = (),
) -> TrainingResult:
    """Train a model and write its package; with an encoder, on what that makes of the rows, too.

    Args:
        train_path: Dataset of rows that train.
        validation_path: Dataset of rows that choose the number of trees and the threshold.
        specification_path: Feature specification.
        package_path: Folder to appear: the model package.
        parameters: How to train; None for the defaults.
        key: The key that signs the package; None for none.
        encoder_path: An autoencoder's package, trained on the same specification; None for none.
        encoder_name: Deployment that it is registered for; empty where it is not registered.
        encoder_version: Its version in the registry; empty likewise.
        encoder_outputs: What is read of it: "embedding", "error"; empty for both.

    Raises:
        PackageError: the encoder's package is damaged, or of another kind.
        ParameterError: a parameter cannot be trained with.
        SchemaError: a column is missing, of another kind, or infinite; or the encoder reads others than the specification.
        TargetError: the rows hold one class only, or a label is missing.
    """
    how = parameters or BoostingParameters()
    how.check()
    spec = FeatureSpec.read(specification_path)
    encoder = ModelPackage.load(encoder_path, key=key) if encoder_path else None
    if encoder:
        check_encoder(encoder, spec)
    needed = name_encoder(encoder, encoder_name, encoder_version, encoder_outputs) if encoder else None
    train, validation = read_dataset(train_path), read_dataset(validation_path)
    matrices = [stacked_matrix(spec, encoder, rows, needed) for rows in (train, validation)]
    labels = spec.labels(train), spec.labels(validation)
    _check_classes(spec, labels[0])
    pools = pool(matrices[0], labels[0]), pool(matrices[1], labels[1])
    models = [_fit(how.for_catboost(spec, member), *pools, how.early_stopping_rounds) for member in range(how.members)]
    curves = [list(models[0].get_evals_result()[part][LOSSES[spec.task]]) for part in ("learn", "validation")]
    native = CatBoostNative(mean_model(models), spec.task)
    threshold = None
    if spec.task == "binary":
        threshold = choose_threshold(labels[1], native.predict(matrices[1]), how.cost_false_negative, how.cost_false_positive)
    shares = np.mean([model.get_feature_importance() for model in models], axis=0)
    importance = dict(zip(matrices[0].columns, shares.tolist(), strict=True))
    trees = models[0].tree_count_
    if how.refit:
        whole = pool(pl.concat(matrices), np.concatenate(labels))
        native = CatBoostNative(mean_model([_again(model, how, spec, whole, member) for member, model in enumerate(models)]), spec.task)
    used = [train, validation] if how.refit else [train]
    imputed = {one.column for one in spec.impute}  # made to be missing, even where training happened to have them all
    nullable = tuple(name for name in spec.inputs if name in imputed or any(frame[name].null_count() for frame in used))
    description = Description("catboost", spec, threshold, _recorded(how, trees), how.seed, content_digest(used), nullable, needed)

    def write(folder: Path) -> None:
        native.write(folder)
        if encoder:
            copy_encoder(encoder, folder)

    package = write_package(package_path, description, write, validation, key=key)
    ranked = dict(sorted(importance.items(), key=lambda item: -item[1]))
    return TrainingResult(package, trees, curves[0], curves[1], ranked, (train.height, validation.height))


def _check_classes(spec: FeatureSpec, labels: np.ndarray) -> None:
    if spec.task != "regression" and len(np.unique(labels)) < 2:
        only = spec.classes[int(labels[0])] if len(labels) else "no row"
        raise TargetError(f"target {spec.target!r} is {only!r} in every training row; take a longer time, or another split")


def _fit(arguments: dict[str, Any], train: Any, validation: Any = None, stopping: int = 0) -> "CatBoost":
    catboost = load_catboost()
    model: CatBoost = catboost.CatBoost(arguments)
    stops = {} if validation is None else {"eval_set": validation, "early_stopping_rounds": stopping, "use_best_model": True}
    try:
        return model.fit(train, **stops)
    except catboost.CatBoostError as error:
        said = str(error).splitlines()[0].rpartition("cpp:")[2].lstrip("0123456789: ")
        raise DataError(
            f"CatBoost cannot train on these rows: {said} Look at the summary of the features step, or validate's report"
        ) from error


def _again(model: "CatBoost", how: BoostingParameters, spec: FeatureSpec, rows: Any, member: int) -> "CatBoost":
    """Train on more rows as a model was trained: with its number of trees and its rate, of which CatBoost would choose another."""
    rate = float(model.get_all_params()["learning_rate"])
    return _fit({**how.for_catboost(spec, member), "iterations": model.tree_count_, "learning_rate": rate}, rows)


def _recorded(how: BoostingParameters, trees: int) -> dict[str, Any]:
    values = {name: value for name, value in vars(how).items() if name != "seed"}
    return {**values, "trees": trees}
