"""barometer.toml: identity, version, thresholds and packages."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.catalogue.model import Catalogue
from pipeline.catalogue.section import hint
from pipeline.faults import Fault

FILE = "schemas/barometer.toml"
NAME = re.compile(r"[a-z0-9]+([-_.][a-z0-9]+)*")
ADDRESS = re.compile(r"https?://[^\s<>\"]+")
THEMES = [
    "AGRI",
    "ECON",
    "EDUC",
    "ENER",
    "ENVI",
    "GOVE",
    "HEAL",
    "INTR",
    "JUST",
    "REGI",
    "SOCI",
    "TECH",
    "TRAN",
]
SEMVER = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")


def check_identity(catalogue: Catalogue) -> Iterator[Fault]:
    """What barometer.toml says of itself, and whether its packages hold every wave."""
    barometer = catalogue.barometer
    for key, name in [("id", barometer.id), *((f"packages.{name}", name) for name in barometer.packages)]:
        if not NAME.fullmatch(name):
            yield Fault(
                FILE, key, "is no name for a package", "Use lower-case letters, digits, - _ and dots.", name
            )
    if not SEMVER.fullmatch(barometer.version):
        yield Fault(FILE, "version", "is not a version", "Write it as 1.0.0.", barometer.version)
    if len(set(barometer.languages)) < len(barometer.languages):
        yield Fault(FILE, "languages", "names one twice", "Keep each once.", ", ".join(barometer.languages))
    yield from _whereabouts(catalogue)
    yield from _thresholds(catalogue)
    yield from _packages(catalogue)


def _whereabouts(catalogue: Catalogue) -> Iterator[Fault]:
    """Addresses, themes and the contact, which data portals read."""
    barometer, contact = catalogue.barometer, catalogue.barometer.contact
    page = contact.page if contact else ""
    for key, address in (
        ("homepage", barometer.homepage),
        ("address", barometer.address),
        ("contact.page", page),
    ):
        if address and not ADDRESS.fullmatch(address):
            yield Fault(FILE, key, "is not an address", "Write it whole, beginning with https://.", address)
    for theme in barometer.themes:
        if theme not in THEMES:
            mend = f"Use {', '.join(THEMES)}.{hint(theme, THEMES)}"
            yield Fault(FILE, "themes", "is not a European data theme", mend, theme)
    if contact and not (contact.email or contact.page):
        yield Fault(FILE, "contact", "cannot be reached", "Give it an email or a page.", contact.name)
    if contact and contact.email and not re.fullmatch(r"[^\s@]+@[^\s@]+", contact.email):
        yield Fault(FILE, "contact.email", "is not an e-mail address", "Write name@domain.", contact.email)


def _thresholds(catalogue: Catalogue) -> Iterator[Fault]:
    barometer = catalogue.barometer
    shares = {
        "disclosure.max_fraction": barometer.disclosure.max_fraction,
        "estimation.confidence": barometer.estimation.confidence,
        "validation.max_quarantined": barometer.validation.max_quarantined,
    }
    for key, share in shares.items():
        inside = 0 < share < 1 if key == "estimation.confidence" else 0 <= share <= 1
        if not inside:
            yield Fault(
                FILE, key, "must lie between 0 and 1", "Write it as a share, such as 0.5.", str(share)
            )
    limits = barometer.disclosure
    if not 0 <= limits.secondary_width <= limits.audit_width:
        mend = "Make it at most disclosure.audit_width, or 0 to hold only primary cells to a width."
        value = str(limits.secondary_width)
        yield Fault(FILE, "disclosure.secondary_width", "is below 0 or above audit_width", mend, value)
    if barometer.rounding.n < 1:
        mend = "Write 10, or 1 to publish every n as it is."
        yield Fault(FILE, "rounding.n", "is below 1", mend, str(barometer.rounding.n))
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
