"""The jobs: one ingests waves, one run per wave so that a faulty wave stops no other; one publishes."""

from __future__ import annotations

from typing import Any

import dagster as dg

INGEST, PUBLISH = "ingest_waves", "publish"
INGEST_STEPS = ("wave_source", "raw_wave", "harmonised_wave", "weighted_wave", "wave_statistics")
PUBLISH_STEPS = ("estimates", "comparisons", "data_package", "warehouse", "site")


def jobs(partitions: dg.PartitionsDefinition[str]) -> list[Any]:
    """The jobs of one barometer; dagster has no public name for the type of an asset job."""
    ingest = dg.define_asset_job(
        INGEST,
        selection=dg.AssetSelection.assets(*INGEST_STEPS),
        partitions_def=partitions,
        description="From raw file to statistics, one run per wave.",
    )
    publish = dg.define_asset_job(
        PUBLISH,
        selection=dg.AssetSelection.assets(*PUBLISH_STEPS),
        description="Estimates of every sound wave, the candidate data packages, the warehouse and the site.",
    )
    return [ingest, publish]
