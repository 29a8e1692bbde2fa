"""Another team's pipeline: has what our sensors send today moved away from last month?

Two components come by URL, pinned to a release tag, and need nothing of Ratchet installed; one comes from the catalogue of the installed
wheel (``pip install kfp-ratchet[submit]``); the last one is the team's own. All are compiled into one file that needs neither to run.

    python pipeline.py sensors.yaml
"""

import os
import sys

from kfp import compiler, components, dsl

from ratchet import catalog

# A tag never moves, and its files name images by digest, so what is loaded next year is what was tested. A mirror goes in here, too.
COMPONENTS = os.environ.get("BASE_URL", "https://raw.githubusercontent.com/kfp-ratchet/ratchet/v0.1.0/compiled/components")

ingest = components.load_component_from_url(f"{COMPONENTS}/ingest.yaml")
champion = components.load_component_from_url(f"{COMPONENTS}/champion.yaml")
drift_check = catalog.load("drift_check")


@dsl.component(base_image="python:3.11-slim", install_kfp_package=False)
def tell(verdict: str, share: float) -> str:
    """Return the sentence that the team's own chat gets.

    Args:
        verdict: The word of `drift_check`.
        share: Share of columns that drifted, 0 to 1.
    """
    return f"The sensors are {verdict}: {share:.0%} of the columns moved."


@dsl.pipeline(name="sensors", description="Compare today's readings with last month's, and tell the team.")
def sensors(last_month: str, today: str, threshold: float = 0.1) -> str:
    """Ingest both, compare them column by column, and say in a sentence what came of it.

    Args:
        last_month: CSV or Parquet file of the readings to compare with.
        today: The readings of today, with the same columns.
        threshold: A column has drifted when its distance exceeds this, 0 to 1.
    """
    # Not from the cache: another champion may be live today. Ratchet's own pipelines set it by the step's kind.
    live = champion(model="sensors", run_id=dsl.PIPELINE_JOB_ID_PLACEHOLDER).set_caching_options(False)
    reference = ingest(source=last_month).set_display_name("Ingest last month")
    current = ingest(source=today).set_display_name("Ingest today").set_caching_options(False)
    drift = drift_check(
        reference=reference.outputs["data"],
        current=current.outputs["data"],
        model=live.outputs["package"],  # a champion's predictions are compared, too; without one, the columns alone
        threshold=threshold,
    )
    told = tell(verdict=drift.outputs["verdict"], share=drift.outputs["drifted_share"]).set_display_name("Tell the team")
    return told.output


if __name__ == "__main__":
    compiler.Compiler().compile(sensors, sys.argv[1])
