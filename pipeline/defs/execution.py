"""Runs a job in this process and reports its outcome in plain words, for the command line.

Runs are kept in ``<project>/.dagster``, so that ``dagster dev`` shows them afterwards.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import dagster as dg
from filelock import FileLock

from pipeline.defs.jobs import INGEST, PUBLISH
from pipeline.defs.location import definitions
from pipeline.problems import Problem, ProblemError
from pipeline.staleness.outputs import declared_waves
from pipeline.steps.quality import contract_problem

# Dagster gives this class no other name, and its documentation lists it under this one. Without it a process
# for each stream copies the output of every step to a file.
SETTINGS = """\
telemetry: {enabled: false}
nux: {enabled: false}
compute_logs: {module: dagster._core.storage.noop_compute_log_manager, class: NoOpComputeLogManager}
"""
INTERRUPTED = "DagsterExecutionInterruptedError"  # what Dagster raises for Ctrl-C
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True)
class Outcome:
    """The outcome of a run: problems of the input, the text of an unexpected error, and its seconds."""

    problems: tuple[Problem, ...] = ()
    error: str = ""
    seconds: float = field(default=0.0, compare=False)

    @property
    def done(self) -> bool:
        """Whether everything asked for is made."""
        return not self.problems and not self.error


class Runner:
    """Runs the jobs of one barometer, each in a run of its own."""

    def __init__(self, root: Path, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self.defs = definitions(root)

    def ingest(self, wave: str) -> Outcome:
        """From raw file to statistics, for one wave."""
        return self._run(INGEST, wave)

    def publish(self) -> Outcome:
        """Estimates of every sound wave, the warehouse and the candidate packages."""
        return self._run(PUBLISH, None)

    def _run(self, job: str, wave: str | None) -> Outcome:
        started = time.monotonic()
        with _recording():
            result = self.defs.resolve_job_def(job).execute_in_process(
                run_config=QUIET, instance=self.instance, partition_key=wave, raise_on_error=False
            )
        failures = [event.step_failure_data for event in result.all_events if event.is_step_failure]
        if any(failure.error.cls_name == INTERRUPTED for failure in failures if failure.error):
            raise KeyboardInterrupt
        evaluations = [check for check in result.get_asset_check_evaluations() if not check.passed]
        blocked = [_problem(check) for check in evaluations if check.blocking]
        foreseen = [problem for failure in failures for problem in _problems(failure)]
        unforeseen = [_kind(failure) for failure in failures if not (_problems(failure) or blocked)]
        if not (result.success or blocked or foreseen or unforeseen):
            unforeseen = ["it did not end"]
        error = f"{'; '.join(unforeseen)} (`barometer ui`, run {result.run_id[:8]})" if unforeseen else ""
        return Outcome((*blocked, *foreseen), error, time.monotonic() - started)


def _problems(failure: Any) -> list[Problem]:
    """The problems that ``plain_problems`` attached to a failed step; none when it failed otherwise."""
    told = failure.user_failure_data and failure.user_failure_data.metadata.get("problems")
    return [Problem(**problem) for problem in told.data] if told else []


def _kind(failure: Any) -> str:
    """What kind of error it was, without its text, which may quote an answer."""
    if failure.user_failure_data:
        return str(failure.user_failure_data.description)
    return str(failure.error.cls_name) if failure.error else "it failed"


def _problem(check: dg.AssetCheckEvaluation) -> Problem:
    if check.partition is None:
        message = (
            f"{check.asset_key.to_user_string()} fails its check {check.check_name}: {check.description}"
        )
        hint = "Delete the folder and run `barometer run`: a candidate is never edited."
        return Problem("warehouse/candidate", "", message, hint)
    return contract_problem(check.partition, str(check.description))


def dagster_home(root: Path) -> Path:
    """Where Dagster keeps its runs of a barometer (DAGSTER_HOME), made on first use."""
    folder = root / ".dagster"
    folder.mkdir(exist_ok=True)
    settings = folder / "dagster.yaml"
    if not settings.is_file():
        settings.write_text(SETTINGS, encoding="utf-8")
    return folder


def runner(root: Path) -> Runner:
    """The runner of a barometer as its waves are now."""
    return _runner(root, *declared_waves(root))


@lru_cache(maxsize=1)
def _runner(root: Path, *_: str) -> Runner:
    """Kept until another is asked for: making one takes as long as a wave."""
    folder = dagster_home(root)
    os.environ["DAGSTER_HOME"] = str(folder)
    with FileLock(folder / ".lock"):  # workers start at once, and Dagster makes its tables on first use
        with _recording():
            instance = dg.DagsterInstance.get()
        return Runner(root, instance)


@contextmanager
def _recording() -> Iterator[None]:
    """Raises ProblemError when Dagster cannot keep its record of runs; steps catch what fails in them."""
    try:
        yield
    except (ProblemError, OSError):
        raise
    except Exception as error:
        hint = "See that the disk has room; if it has, delete the folder: it holds nothing but that record."
        message = f"Dagster cannot keep its record of runs: {type(error).__name__}"
        raise ProblemError(Problem(".dagster", "", message, hint)) from None
