"""barometer.toml: languages, thresholds and packages."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.catalogue.model import Catalogue
from pipeline.problems import Problem

FILE = "schemas/barometer.toml"


def check_identity(catalogue: Catalogue) -> Iterator[Problem]:
    """Languages, contact and thresholds, and whether the packages hold every wave."""
    barometer = catalogue.barometer
    if len(set(barometer.languages)) < len(barometer.languages):
        yield Problem(
            FILE,
            "languages",
            "has a duplicate entry",
            "Remove the duplicate.",
            ", ".join(barometer.languages),
        )
    if barometer.contact and not (barometer.contact.email or barometer.contact.page):
        yield Problem(
            FILE, "contact", "has neither an email nor a page", "Add one of them.", barometer.contact.name
        )
    yield from _thresholds(catalogue)
    yield from _packages(catalogue)


def _thresholds(catalogue: Catalogue) -> Iterator[Problem]:
    """Thresholds that contradict each other."""
    barometer = catalogue.barometer
    limits = barometer.disclosure
    if limits.secondary_width > limits.audit_width:
        hint = "Make it at most disclosure.audit_width, or 0 to hold only primary cells to a width."
        value = str(limits.secondary_width)
        yield Problem(FILE, "disclosure.secondary_width", "is above audit_width", hint, value)
    reliability = barometer.reliability
    if reliability.unpublish_n > reliability.flag_n:
        hint = "Make it at most reliability.flag_n."
        yield Problem(FILE, "reliability.unpublish_n", "is above flag_n", hint, str(reliability.unpublish_n))
    if reliability.unpublish_ci_width < reliability.flag_ci_width:
        hint = "Make it at least reliability.flag_ci_width."
        value = str(reliability.unpublish_ci_width)
        yield Problem(FILE, "reliability.unpublish_ci_width", "is below flag_ci_width", hint, value)


def _packages(catalogue: Catalogue) -> Iterator[Problem]:
    packages = catalogue.barometer.packages
    taken: dict[str | None, str] = {}
    for package in packages.values():
        if package.status in taken:
            message = f"holds the {package.status} waves, and so does {taken[package.status]}"
            yield Problem(FILE, f"packages.{package.key}", message, "Keep one package for each status.")
        taken[package.status] = package.key
    statuses = sorted({wave.status for wave in catalogue.waves.values()})
    if None in taken and len(statuses) > 1:
        hint = 'Declare [packages.NAME] with status = "official" and another with status = "synthetic".'
        yield Problem(
            FILE, "packages", "one package would hold waves of several statuses", hint, ", ".join(statuses)
        )
    for status in statuses:
        if None not in taken and status not in taken:
            hint = f'Add [packages.NAME] with status = "{status}".'
            yield Problem(FILE, "packages", f"no package holds the {status} waves", hint)
