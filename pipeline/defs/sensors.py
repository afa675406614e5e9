"""The sensor: it requests a run of every wave whose raw file or declarations are new or changed."""

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
    def request_changed(
        context: dg.SensorEvaluationContext, project: Project
    ) -> dg.SensorResult | dg.SkipReason:
        try:
            catalogue = project.declarations()
        except ProblemError as error:
            return dg.SkipReason(str(error))
        versions_before = json.loads(context.cursor or "{}")
        seen = {wave: source_version(wave, catalogue) for wave in partitions.get_partition_keys()}
        changed = [
            wave for wave in seen if seen[wave] != versions_before.get(wave) and not _built(wave, catalogue)
        ]
        requests = [dg.RunRequest(partition_key=wave) for wave in changed]
        return dg.SensorResult(run_requests=requests, cursor=json.dumps(seen))

    return request_changed


def _built(wave: str, catalogue: Catalogue) -> bool:
    return status(wave, catalogue) == "current"
