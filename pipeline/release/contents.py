"""The contents of a package, as every format takes them: declarations, waves and published tables.

Here belongs what several formats share: titles with their mark, people, licence, period, citation, addresses.
How a format writes it belongs to ``formats``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import pyarrow as pa

from pipeline.catalogue import Catalogue, Package, Wave
from pipeline.problems import counted
from pipeline.release.labels import Labels, labels
from pipeline.release.schemas import schema

SYNTHETIC = "SYNTHETIC"
WARNING = (
    "SYNTHETIC DATA: generated to show how the barometer works, measured from nobody. Never quote a figure."
)
DRAFT = "DRAFT"
UNCONFIRMED = "DRAFT: rests on {guesses} that nobody has confirmed yet. Never quote a figure."
LICENCE_URLS = {
    "CC-BY-4.0": "https://creativecommons.org/licenses/by/4.0/",
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
}


@dataclass(frozen=True)
class Contents:
    """One package before it is written. ``rows``: every published table by name, in published order."""

    catalogue: Catalogue
    package: Package
    waves: tuple[Wave, ...]
    rows: Mapping[str, pa.Table]

    @property
    def synthetic(self) -> bool:
        """Whether its waves are synthetic."""
        return any(wave.status == "synthetic" for wave in self.waves)

    @cached_property
    def unconfirmed(self) -> int:
        """How many lines of its declarations nobody has confirmed; it is a draft where there is one."""
        return len(self.catalogue.unconfirmed_of(self.waves))

    @property
    def name(self) -> str:
        """Key and version, the name of its workbook and its archive."""
        return f"{self.package.key}-{self.catalogue.barometer.version}"

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages of its labels; the first is that of the declarations."""
        return self.catalogue.barometer.languages

    def schema(self, name: str) -> dict[str, Any]:
        """The Table Schema of a published table; its limits name their level and method."""
        return schema(name, self.catalogue.barometer.estimation)

    @cached_property
    def labels(self) -> Mapping[str, Labels]:
        """Every label by language."""
        return {language: labels(self.catalogue, language, self.rows) for language in self.languages}

    @property
    def title(self) -> str:
        """The title, marked where the waves are synthetic or a draft."""
        return self.marked(self.catalogue.barometer.title)

    @property
    def description(self) -> str:
        """The description, with a warning where the waves are synthetic or a draft."""
        return self.warned(self.catalogue.barometer.description)

    def marked(self, title: str) -> str:
        """A title, marked where the waves are synthetic or a draft."""
        marks = [mark for mark, given in ((DRAFT, self.unconfirmed), (SYNTHETIC, self.synthetic)) if given]
        return ": ".join([*marks, title])

    def warned(self, description: str) -> str:
        """A description, with a warning where the waves are synthetic or a draft."""
        guesses = UNCONFIRMED.format(guesses=counted(self.unconfirmed, "guess", "guesses"))
        warnings = ((guesses, self.unconfirmed), (WARNING, self.synthetic))
        return " ".join([*(text for text, given in warnings if given), description])

    @property
    def publishers(self) -> tuple[str, ...]:
        """The names of those who publish it: contributors of that role, or all when none has it."""
        named = self.catalogue.barometer.contributors
        chosen = [who for who in named if who.role == "publisher"] or named
        return tuple(who.title for who in chosen)

    @property
    def citation(self) -> str:
        """How to cite it, in one line: by its title where no contributor is declared."""
        barometer = self.catalogue.barometer
        names, year = ", ".join(who.title for who in barometer.contributors), barometer.released.year
        text = f"{names} ({year}). {self.title}." if names else f"{self.title} ({year})."
        return f"{text} Version {barometer.version}. {barometer.homepage}".strip()

    @property
    def licence_address(self) -> str:
        """Where the text of the licence stands: by its SPDX name, or as declared."""
        licence = self.catalogue.barometer.licence
        if "://" in licence:
            return licence
        return LICENCE_URLS.get(licence, f"https://spdx.org/licenses/{licence}.html")

    @property
    def period(self) -> tuple[date, date]:
        """The first and the last day that its questions are about."""
        periods = [wave.reference_period for wave in self.waves]
        return min(period.start for period in periods), max(period.end for period in periods)

    @property
    def address(self) -> str:
        """The address of this version's folder, ending in a slash; blank where none is declared."""
        barometer = self.catalogue.barometer
        place = f"{barometer.address.rstrip('/')}/{self.package.key}/{barometer.version}/"
        return place if barometer.address else ""
