"""Metaflow's side of `bench_frameworks`, as its documentation says: the small real pipeline. Runs in an environment of its own."""

from metaflow import FlowSpec, Parameter, step

from scripts import bench_small


class Small(FlowSpec):
    """`bench_small`, a step each."""

    path = Parameter("path")

    @step
    def start(self) -> None:
        """`bench_small.ingest`."""
        self.rows = bench_small.ingest(self.path)
        self.next(self.validate)

    @step
    def validate(self) -> None:
        """`bench_small.validate`."""
        self.rows = bench_small.validate(self.rows)
        self.next(self.split)

    @step
    def split(self) -> None:
        """`bench_small.split`."""
        self.training, self.validation, self.holdout = bench_small.split(self.rows)
        self.next(self.train)

    @step
    def train(self) -> None:
        """`bench_small.train`."""
        self.model = bench_small.train(self.training, self.validation)
        self.next(self.end)

    @step
    def end(self) -> None:
        """`bench_small.evaluate`."""
        self.auc = bench_small.evaluate(self.model, self.holdout)
        print(f"AUC {self.auc:.4f}")


if __name__ == "__main__":
    Small()
