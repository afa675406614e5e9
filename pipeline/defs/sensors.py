"""The sensor: a wave whose raw file or declarations are new or changed is asked to run, and no other."""

import json

import dagster as dg

from pipeline.catalogue import Catalogue
from pipeline.defs.jobs import INGEST
from pipeline.defs.resources import Project
from pipeline.problems import ProblemError
from pipeline.staleness.status import source_version, status


def changed_waves(partitions: dg.PartitionsDefinition[str]) -> dg.SensorDefinition:
    """A sensor over the waves known at loading; a new wave file is seen once dagster has reloaded."""

    @dg.sensor(
        name="changed_waves",
        job_name=INGEST,
        minimum_interval_seconds=60,
        description="Asks for a run of every wave whose raw file or declarations are new or changed.",
    )
    def tick(context: dg.SensorEvaluationContext, project: Project) -> dg.SensorResult | dg.SkipReason:
        try:
            catalogue = project.declarations()
        except ProblemError as error:
            return dg.SkipReason(str(error))
        asked = json.loads(context.cursor or "{}")
        seen = {wave: source_version(wave, catalogue) for wave in partitions.get_partition_keys()}
        fresh = [wave for wave in seen if seen[wave] != asked.get(wave) and not _built(wave, catalogue)]
        requests = [dg.RunRequest(partition_key=wave) for wave in fresh]
        return dg.SensorResult(run_requests=requests, cursor=json.dumps(seen))

    return tick


def _built(wave: str, catalogue: Catalogue) -> bool:
    return status(wave, catalogue) == "current"
