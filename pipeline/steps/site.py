"""The last step: the site of every candidate package. What a page shows belongs to ``pipeline.site``."""

from __future__ import annotations

from pathlib import Path

from pipeline.atomic import replace_directory
from pipeline.catalogue import Catalogue
from pipeline.lock import building
from pipeline.problems import ProblemError
from pipeline.release.package import candidate
from pipeline.release_store import DESCRIPTOR
from pipeline.site import build_site
from pipeline.staleness.fingerprint import site_input
from pipeline.staleness.outputs import Metadata, StepResult, make
from pipeline.staleness.status import site_output, sound_waves
from pipeline.steps.product_step import require_current


def site(catalogue: Catalogue) -> StepResult:
    """The static site of the candidate packages, below ``warehouse/site``."""
    if problems := catalogue.shared_problems:
        raise ProblemError(problems)
    record, pages = site_output(catalogue)

    def work(folder: Path) -> Metadata:
        packages = [candidate(catalogue.root, package) for package in catalogue.barometer.packages.values()]
        with replace_directory(pages) as fresh:
            return dict(
                build_site(catalogue, [each for each in packages if (each / DESCRIPTOR).is_file()], fresh)
            )

    with building(catalogue.path("warehouse")):
        sound = sound_waves(catalogue)
        require_current("data_package", "site", catalogue, sound)
        return make(record, site_input(catalogue, sound), work, (pages,))
