from typing import NamedTuple

from kfp import dsl
from kfp.dsl import Dataset, Input, Markdown, Output

from components.images import image


@dsl.component(base_image=image("tabular"), install_kfp_package=False)
def replay(
    rows: Input[Dataset],
    summary: Output[Markdown],
    model: str,
    endpoint: str,
    target: str = "",
    key_column: str = "",
    time_column: str = "",
    rate: float = 200.0,
    label_delay: str = "0s",
    limit: int = 0,
) -> NamedTuple("Outputs", [("verdict", str), ("requests", int), ("failed", int), ("labels", int)]):
    """Send recorded rows to an endpoint as live requests, and their labels after a delay: a rehearsal of a rollout.

    Args:
        rows: Rows with the model's input columns, and the target where labels are to be sent.
        model: Name of the deployment.
        endpoint: URL of the gateway, e.g. "http://gateway:8080".
        target: Column whose values are sent as labels. Empty for none.
        key_column: Column that keeps a client on one model. Empty for none.
        time_column: Column of the rows' own times; with it, a gateway in rehearsal records those. Empty for the present.
        rate: Requests a second.
        label_delay: How late a label follows its row, e.g. "7d" of the rows' own time, else of the clock.
        limit: Rows to send at most; 0 for all.
        summary: What was sent and how it was answered.

    Returns:
        verdict: "answered", or "failed" when a request got no answer.
        requests: Number of requests sent.
        failed: Number of those without an answer.
        labels: Number of labels that the gateway took.
    """
    from ratchet.traffic.replay import Replay

    sent = Replay(endpoint, model, target, key_column, time_column, float(rate), label_delay, int(limit)).send(rows.path)
    sent.page().write_markdown(summary.path)
    return (sent.verdict, sent.requests, sent.failed, sent.labels)
