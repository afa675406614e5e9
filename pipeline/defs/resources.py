"""The one resource: the project, which is the barometer's folder and its current declarations.

Here belongs also how a problem of the input reaches Dagster: in plain words, and never retried.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from pydantic import PrivateAttr

from pipeline.catalogue import Catalogue, Wave, load_catalogue
from pipeline.problems import OUTSIDE, Problem, ProblemError, outside_problem
from pipeline.staleness.code import PRODUCT
from pipeline.staleness.status import sound_wave

RETRIES, SECONDS_BETWEEN = 2, 1.0


def project_root() -> Path:
    """The barometer's folder: BAROMETER_PROJECT, else the current one."""
    return Path(os.environ.get("BAROMETER_PROJECT") or ".").resolve()


class Project(dg.ConfigurableResource[None]):
    """A barometer's folder. Its declarations are read once a run, so that all steps of a run see the same."""

    root: str
    _catalogue: Catalogue | None = PrivateAttr(default=None)

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """A new run reads the declarations anew."""
        self._catalogue = None

    def declarations(self) -> Catalogue:
        """Every declaration, faulty waves included. Raises ProblemError when shared ones are at fault."""
        if self._catalogue is None:
            self._catalogue = load_catalogue(Path(self.root))
        if self._catalogue.shared_problems:
            raise ProblemError(self._catalogue.shared_problems)
        return self._catalogue

    def wave(self, key: str) -> Wave:
        """One wave, fit to run. Raises ProblemError with everything that stops it."""
        return sound_wave(key, self.declarations())


@contextmanager
def plain_problems(project: Project) -> Iterator[None]:
    """What fails a step does so in plain words; what may pass, as a silent host, is tried again.

    Of an unforeseen error its kind and the lines of code are kept, never its text, which may quote an answer.
    """
    try:
        yield
    except (dg.Failure, dg.RetryRequested):
        raise
    except ProblemError as error:
        raise _failure(error.problems) from None
    except OSError as error:
        if error.errno in OUTSIDE or dg.OpExecutionContext.get().retry_number >= RETRIES:
            raise _failure([outside_problem(error, Path(project.root))]) from None
        raise dg.RetryRequested(max_retries=RETRIES, seconds_to_wait=SECONDS_BETWEEN) from None
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        last = [frame for frame in frames if Path(frame.filename).is_relative_to(PRODUCT)][-1]
        description = (
            f"{type(error).__name__} at line {last.lineno} of {Path(last.filename).relative_to(PRODUCT)}"
        )
        where = dg.MetadataValue.text("".join(traceback.format_list(frames)))
        failure = dg.Failure(description, metadata={"where": where}, allow_retries=False)
        try:
            raise failure
        finally:
            failure.__context__ = None  # Dagster would keep the text of the error behind it


def _failure(problems: Sequence[Problem]) -> dg.Failure:
    told = dg.MetadataValue.json([problem.as_dict() for problem in problems])
    description = "\n".join(str(problem) for problem in problems)
    return dg.Failure(description, metadata={"problems": told}, allow_retries=False)
