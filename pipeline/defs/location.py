"""The code location: the definitions of one barometer for Dagster.

Loading reads no survey data, and of the declarations only the names of the wave files and what is sound
of barometer.toml, so a broken declaration never keeps the others from the screen: it fails the runs that
need it.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import dagster as dg

from pipeline.catalogue import load_barometer
from pipeline.defs.assets import assets
from pipeline.defs.checks import checks
from pipeline.defs.jobs import jobs
from pipeline.defs.resources import Project
from pipeline.defs.schedules import publication_schedule
from pipeline.defs.sensors import changed_waves
from pipeline.staleness.outputs import declared_waves


def definitions(root: Path) -> dg.Definitions:
    """The assets, checks, jobs, schedule and sensor of the barometer in a folder."""
    barometer = load_barometer(root)
    partitions = dg.StaticPartitionsDefinition(declared_waves(root))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)  # checks with partitions
        warnings.simplefilter("ignore", dg.BetaWarning)  # observable source assets
        return dg.Definitions(
            assets=assets(partitions, barometer.owners),
            asset_checks=checks(partitions),
            jobs=jobs(partitions),
            schedules=[publication_schedule(barometer.schedule)],
            sensors=[changed_waves(partitions)],
            resources={"project": Project(root=str(root))},
            executor=dg.in_process_executor,  # a step takes a second; a process of its own takes two more
        )
