"""The one resource: the project, which is the barometer's folder and its current declarations.

Here belongs also how a problem of the input reaches Dagster: in plain words, and never retried.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from pydantic import PrivateAttr

from pipeline.catalogue import Catalogue, Wave, load_catalogue
from pipeline.problems import ProblemError
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
def plain_problems() -> Iterator[None]:
    """Problems of the input fail a step at once, in their own words; disk and network errors are retried."""
    try:
        yield
    except ProblemError as error:
        problems = dg.MetadataValue.json([problem.as_dict() for problem in error.problems])
        raise dg.Failure(
            description=str(error), metadata={"problems": problems}, allow_retries=False
        ) from None
    except OSError as error:
        raise dg.RetryRequested(max_retries=RETRIES, seconds_to_wait=SECONDS_BETWEEN) from error
