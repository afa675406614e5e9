"""The schedule: the barometer is published once a year. Waves come in with their files: see ``sensors``."""

from __future__ import annotations

import dagster as dg

from pipeline.defs.jobs import PUBLISH

yearly = dg.ScheduleDefinition(
    name="yearly",
    job_name=PUBLISH,
    cron_schedule="0 6 1 2 *",
    execution_timezone="UTC",
    description="Publishes the barometer on the first of February, 06:00 UTC.",
)
