"""The schedule: when the barometer is published, as it declares. Waves come in by ``sensors``."""

from __future__ import annotations

import dagster as dg

from pipeline.catalogue.model import Schedule
from pipeline.defs.jobs import PUBLISH


def publication_schedule(declared: Schedule) -> dg.ScheduleDefinition:
    """The schedule that barometer.toml declares."""
    return dg.ScheduleDefinition(
        name="publish_barometer",
        job_name=PUBLISH,
        cron_schedule=declared.cron,
        execution_timezone=declared.timezone,
        description=f"Publishes the barometer at {declared.cron} ({declared.timezone}).",
    )
