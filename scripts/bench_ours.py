"""Our side of `bench_frameworks`: ten steps that do nothing, and the small real pipeline of Ratchet's components."""

from kfp import dsl

from components.data_processing.features.component import features
from components.data_processing.ingest.component import ingest
from components.data_processing.validate.component import validate
from components.deployment.champion.component import champion
from components.evaluation.evaluate.component import evaluate
from components.images import image
from components.training.train_boosting.component import train_boosting


@dsl.component(base_image=image("tabular"), install_kfp_package=False)
def nothing(number: int) -> int:
    """Return the number."""
    return number


@dsl.pipeline(name="doing-nothing")
def doing_nothing():
    """Ten steps that do nothing."""
    number = 0
    for _ in range(10):
        number = nothing(number=number).set_caching_options(False).output


@dsl.pipeline(name="small")
def small(source: str):
    """Ingest, validate, split, train and measure."""
    live = champion(model="elec2", run_id=dsl.PIPELINE_JOB_ID_PLACEHOLDER)
    data = ingest(source=source, time_column="date")
    checked = validate(data=data.outputs["data"], champion_schema=live.outputs["schema"], target="class", time_column="date")
    table = features(
        data=checked.outputs["clean"], champion=live.outputs["package"], target="class", time_column="date", drop_columns=["day"]
    )
    rows = {name: table.outputs[name] for name in ("train", "validation", "specification")}
    trained = train_boosting(**rows)
    evaluate(model=trained.outputs["model"], holdout=table.outputs["holdout"])
