"""barometer.toml: languages, thresholds and packages."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.catalogue.model import Catalogue
from pipeline.faults import Fault

FILE = "schemas/barometer.toml"


def check_identity(catalogue: Catalogue) -> Iterator[Fault]:
    """What barometer.toml says of itself, and whether its packages hold every wave."""
    barometer = catalogue.barometer
    if len(set(barometer.languages)) < len(barometer.languages):
        yield Fault(FILE, "languages", "names one twice", "Keep each once.", ", ".join(barometer.languages))
    if barometer.contact and not (barometer.contact.email or barometer.contact.page):
        yield Fault(
            FILE, "contact", "cannot be reached", "Give it an email or a page.", barometer.contact.name
        )
    yield from _thresholds(catalogue)
    yield from _packages(catalogue)


def _thresholds(catalogue: Catalogue) -> Iterator[Fault]:
    """Thresholds that must agree with each other."""
    barometer = catalogue.barometer
    limits = barometer.disclosure
    if limits.secondary_width > limits.audit_width:
        mend = "Make it at most disclosure.audit_width, or 0 to hold only primary cells to a width."
        value = str(limits.secondary_width)
        yield Fault(FILE, "disclosure.secondary_width", "is above audit_width", mend, value)
    reliability = barometer.reliability
    if reliability.unpublish_n > reliability.flag_n:
        mend = "Make it at most reliability.flag_n."
        yield Fault(FILE, "reliability.unpublish_n", "is above flag_n", mend, str(reliability.unpublish_n))
    if reliability.unpublish_ci_width < reliability.flag_ci_width:
        mend = "Make it at least reliability.flag_ci_width."
        value = str(reliability.unpublish_ci_width)
        yield Fault(FILE, "reliability.unpublish_ci_width", "is below flag_ci_width", mend, value)


def _packages(catalogue: Catalogue) -> Iterator[Fault]:
    packages = catalogue.barometer.packages
    taken: dict[str | None, str] = {}
    for package in packages.values():
        if package.status in taken:
            message = f"holds the {package.status} waves, and so does {taken[package.status]}"
            yield Fault(FILE, f"packages.{package.key}", message, "Keep one package a status.")
        taken[package.status] = package.key
    statuses = sorted({wave.status for wave in catalogue.waves.values()})
    if None in taken and len(statuses) > 1:
        mend = 'Declare [packages.NAME] with status = "official" and another with status = "synthetic".'
        yield Fault(FILE, "packages", "one package would mix statuses", mend, ", ".join(statuses))
    for status in statuses:
        if None not in taken and status not in taken:
            mend = f'Add [packages.NAME] with status = "{status}".'
            yield Fault(FILE, "packages", f"no package holds the {status} waves", mend)
