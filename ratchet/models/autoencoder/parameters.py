"""How an autoencoder is trained."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ratchet.errors import ParameterError

CHOICES = {
    "architecture": ("dense", "conv", "lstm"),
    "train_on": ("auto", "normal", "all"),
    "threshold_by": ("auto", "rate", "f_score", "cost"),
    "scaling": ("auto", "column", "window"),
}


@dataclass(frozen=True)
class AutoencoderParameters:
    """How to train.

    Attributes:
        architecture: "dense" for rows; "conv" or "lstm" for windows of a time series, whose numeric columns are steps × channels, in order.
        hidden: Width of each hidden layer from the input to the embedding, mirrored on the way back; empty for a default by the number of
            columns.
        latent_size: Width of the embedding; 0 for a default by the number of columns.
        latent_sizes: Widths to choose from by a search; empty to take ``latent_size``.
        channels: Numbers measured at each step of a window.
        scaling: "column" gives each column a centre and a spread of its own, "window" gives all of a channel the same, as fits one signal;
            "auto": by the architecture.
        noise: Standard deviation of the noise on what the network is shown, where the spread of a column is 1.
        masking: Share of the values that the network is not shown, 0 to 1.
        epochs: Most passes over the training rows.
        batch_size: Rows of one step.
        learning_rate: Of Adam.
        patience: Stop after this many passes without a lower validation error.
        train_on: "normal" rows, "all", or "auto": normal ones where there are labels.
        threshold_by: "rate", "f_score", "cost" or "auto": where the validation rows are of both classes, what costs least if the two costs
            differ and the best F-score if not; else the rate.
        false_alarm_rate: Wanted share of the normal validation rows at or above the threshold.
        cost_false_negative: Cost of a missed anomaly.
        cost_false_positive: Cost of a false alarm; where the two are equal, nobody has stated them.
        threads: Part of the recipe, because sums depend on it.
        seed: Of everything random.
        members: Networks, each with other first weights, whose mean error is a row's error; the embedding is the first one's. Several vary
            less from seed to seed than one does, and cost as many times as much.
    """

    architecture: str = "dense"
    hidden: Sequence[int] = ()
    latent_size: int = 0
    latent_sizes: Sequence[int] = ()
    channels: int = 1
    scaling: str = "auto"
    noise: float = 0.0
    masking: float = 0.0
    epochs: int = 100
    batch_size: int = 256
    learning_rate: float = 0.001
    patience: int = 10
    train_on: str = "auto"
    threshold_by: str = "auto"
    false_alarm_rate: float = 0.01
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
        for name, known in CHOICES.items():
            if getattr(self, name) not in known:
                raise ParameterError(f"{name} is {getattr(self, name)!r}; give one of {', '.join(map(repr, known))}")
        for name in ("channels", "epochs", "batch_size", "patience", "threads", "members"):
            if getattr(self, name) < 1:
                raise ParameterError(f"{name} is {getattr(self, name)}; give a whole number above 0")
        for name in ("hidden", "latent_sizes"):
            if any(width < 1 or width != int(width) for width in getattr(self, name)):
                raise ParameterError(f"{name} is {list(getattr(self, name))}; give whole numbers above 0")
        for name in ("cost_false_negative", "cost_false_positive"):
            if not 0 < getattr(self, name) < float("inf"):
                raise ParameterError(f"{name} is {getattr(self, name)}; give a finite cost above 0")
        if self.latent_size < 0:
            raise ParameterError(f"latent_size is {self.latent_size}; give a whole number above 0, or 0 for a default")
        if not 0 <= self.noise < float("inf"):
            raise ParameterError(f"noise is {self.noise}; give a number from 0, where the spread of a column is 1")
        if not 0 <= self.masking < 1:
            raise ParameterError(f"masking is {self.masking}; give a share from 0 to below 1")
        if not 0 < self.learning_rate <= 1:
            raise ParameterError(f"learning_rate is {self.learning_rate}; give a number above 0, at most 1")
        if not 0 < self.false_alarm_rate < 1:
            raise ParameterError(f"false_alarm_rate is {self.false_alarm_rate}; give a share between 0 and 1")
        if self.seed < 0:
            raise ParameterError(f"seed is {self.seed}; give a whole number from 0")

    @property
    def together(self) -> bool:
        """Whether all columns share one centre and one spread."""
        return self.scaling == "window" or (self.scaling == "auto" and self.architecture != "dense")

    def recorded(self) -> dict[str, Any]:
        """Return what a package says of it: all but the seed, which a package names apart."""
        lists = {name: [int(width) for width in getattr(self, name)] for name in ("hidden", "latent_sizes")}
        return {**{name: value for name, value in vars(self).items() if name != "seed"}, **lists}
