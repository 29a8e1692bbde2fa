"""An Airflow DAG that submits `delivery` to Kubeflow: each Monday, when new data is there, and by hand.

By hand, the configuration is `{"model_name": "card-fraud", "dataset_path": "/lake/transactions/2026-11"}`. A data event may carry the
same two in its `extra`. What neither says comes from the file of `ratchet submit --config`, which says where Kubeflow is, too.

The task runs the command, in an environment of its own, because Ratchet's libraries and Airflow's need not agree. Its exit status is
the answer: a model that was rejected, held or is pending is a run that went well.
"""

import os
import subprocess
from collections.abc import Mapping

from airflow.sdk import Asset, Param, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException
from airflow.timetables.assets import AssetOrTimeSchedule
from airflow.timetables.trigger import CronTriggerTimetable

RATCHET = os.environ.get("RATCHET_COMMAND", "/opt/ratchet/bin/ratchet")
CONFIG = os.environ.get("RATCHET_DELIVERY_CONFIG", "/opt/ratchet/delivery.yaml")
TRANSACTIONS = Asset(name="card_transactions", uri="file:///lake/transactions")
PARAMETERS = {"model_name": "model", "dataset_path": "source"}
ENDS = {3: "the data is invalid", 4: "the promotion was rolled back"}


def command(triggers: Mapping, params: Mapping) -> list[str]:
    """Return the command that submits: a person's word wins over the last event's, an event's over the configuration's."""
    events = [event.extra for found in triggers.values() for event in found]
    said = {**(events[-1] if events else {}), **{name: value for name, value in params.items() if value}}
    given = [f"{parameter}={said[name]}" for name, parameter in PARAMETERS.items() if said.get(name)]
    return [RATCHET, "submit", "delivery", "--on", "kubeflow", "--config", CONFIG, *(part for pair in given for part in ("-p", pair))]


@dag(
    dag_id="ratchet_delivery",
    description="Train on new data, compare with the champion, roll out what is better.",
    schedule=AssetOrTimeSchedule(timetable=CronTriggerTimetable("0 3 * * 1", timezone="UTC"), assets=[TRANSACTIONS]),
    catchup=False,
    max_active_runs=1,  # two deliveries of one model would compete for its deployment, and the later one would hold
    params={
        "model_name": Param("", type="string", title="Model", description="Name of the deployment; empty for the configuration's."),
        "dataset_path": Param("", type="string", title="Data", description="CSV or Parquet to learn from; empty for the configuration's."),
    },
    tags=["ratchet"],
)
def ratchet_delivery():
    """Submit `delivery` and wait for its outcome."""

    @task(retries=0)  # the command tries again by itself what may be tried again, without starting a second run
    def submit() -> None:
        context = get_current_context()
        asked = command(context["triggering_asset_events"], context["params"])
        process = subprocess.Popen(asked, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # noqa: S603 (no shell)
        for line in process.stdout:
            print(line, end="")
        if status := process.wait():
            raise AirflowFailException(f"ratchet submit ended with {status}: {ENDS.get(status, 'an error, see above')}")

    submit()


ratchet_delivery()
