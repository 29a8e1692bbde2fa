"""Metaflow's side of `bench_frameworks`, as its documentation says: ten steps that do nothing. Runs in an environment of its own."""

from metaflow import FlowSpec, step


class DoingNothing(FlowSpec):
    """Ten steps that pass a number on."""

    @step
    def start(self) -> None:
        """Begin with a number."""
        self.number = 0
        self.next(self.second)

    @step
    def second(self) -> None:
        """Do nothing."""
        self.next(self.third)

    @step
    def third(self) -> None:
        """Do nothing."""
        self.next(self.fourth)

    @step
    def fourth(self) -> None:
        """Do nothing."""
        self.next(self.fifth)

    @step
    def fifth(self) -> None:
        """Do nothing."""
        self.next(self.sixth)

    @step
    def sixth(self) -> None:
        """Do nothing."""
        self.next(self.seventh)

    @step
    def seventh(self) -> None:
        """Do nothing."""
        self.next(self.eighth)

    @step
    def eighth(self) -> None:
        """Do nothing."""
        self.next(self.ninth)

    @step
    def ninth(self) -> None:
        """Do nothing."""
        self.next(self.end)

    @step
    def end(self) -> None:
        """End."""


if __name__ == "__main__":
    DoingNothing()
