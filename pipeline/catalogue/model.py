"""The rules every wave shares, and the catalogue: all declarations of a barometer, as frozen records.

Here belongs what a declaration *is*. How it is read from TOML and CSV stands in ``reader`` and ``waves``;
what must hold between declarations stands in ``check``. Mappings keep the order of the files, and nobody
changes them after loading.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal

from pipeline.catalogue.comparability import Comparability
from pipeline.catalogue.fieldwork import Wave
from pipeline.catalogue.questionnaire import IGNORE, Base, Domain, Indicator, Instrument, Question, Variable
from pipeline.faults import Fault


@dataclass(frozen=True)
class Disclosure:
    """Confidentiality: thresholds below which a cell could tell of a respondent."""

    min_n: int = 10
    min_group: int = 3
    max_fraction: float = 0.5
    secondary: bool = True
    audit_width: float = 20.0
    secondary_width: float = 0.5


@dataclass(frozen=True)
class Reliability:
    """Quality: thresholds below which a cell is flagged or not published; widths in percentage points."""

    flag_n: int = 50
    unpublish_n: int = 20
    flag_ci_width: float = 20.0
    unpublish_ci_width: float = 40.0


@dataclass(frozen=True)
class Estimation:
    """Conventions of the intervals and of strata with a single sampling unit."""

    confidence: float = 0.95
    proportion_ci: Literal["logit", "wald", "beta"] = "logit"
    lonely_psu: Literal["certainty", "adjust", "average", "fail"] = "certainty"


@dataclass(frozen=True)
class Rounding:
    """Decimals of published values; beside a hidden cell, n is a multiple of ``n``."""

    total: int = 1
    breakdown: int = 0
    n: int = 10


@dataclass(frozen=True)
class Validation:
    """How much of a raw file may be set aside."""

    max_quarantined: float = 0.05  # share of the rows; above it the wave stops


@dataclass(frozen=True)
class Package:
    """A data package: every wave of one status."""

    key: str
    status: Literal["official", "synthetic"] | None  # None: every wave of the barometer, of one status


@dataclass(frozen=True)
class Contact:
    """Whom readers may ask; at least one of the two is there."""

    name: str
    email: str = ""
    page: str = ""


@dataclass(frozen=True)
class Barometer:
    """Identity, licence, languages and the rules every wave shares."""

    id: str
    title: str
    description: str
    languages: tuple[str, ...]  # the first is the language of the declarations
    licence: str
    version: str
    released: date
    contributors: tuple[Mapping[str, str], ...]
    packages: Mapping[str, Package]
    disclosure: Disclosure = Disclosure()
    reliability: Reliability = Reliability()
    estimation: Estimation = Estimation()
    rounding: Rounding = Rounding()
    validation: Validation = Validation()
    homepage: str = ""
    keywords: tuple[str, ...] = ()
    address: str = ""  # where releases are published: <address>/<package>/<version>/
    themes: tuple[str, ...] = ()  # codes of the European data themes, as GOVE
    contact: Contact | None = None


@dataclass(frozen=True, eq=False)  # equal to itself only, so that what is made of it can be kept
class Catalogue:
    """Every declaration of a barometer, with every fault found in them.

    A wave whose own file is at fault is missing from ``waves`` or named by a fault's ``wave``;
    the other waves stay usable.
    """

    root: Path
    barometer: Barometer
    variables: Mapping[str, Variable]
    questions: Mapping[str, Question]
    bases: Mapping[str, Base]
    indicators: Mapping[str, Indicator]
    domains: Mapping[str, Domain]
    instruments: Mapping[str, Instrument]
    waves: Mapping[str, Wave]
    translations: Mapping[str, Mapping[str, str]]
    comparability: Comparability = field(default_factory=Comparability)
    faults: tuple[Fault, ...] = ()

    def question_of(self, answer: str) -> Question:
        """The question of an answer variable. Raises KeyError when there is none."""
        return self.questions[answer.partition(".")[0]]

    def share_behind(self, indicator: Indicator) -> Indicator:
        """The share whose weighted count a total is; any other indicator itself."""
        return indicator if indicator.total is None else self.indicators[indicator.total]

    def questions_of(self, indicator: Indicator) -> tuple[str, ...]:
        """The questions whose answers an indicator is made from; those of its base are not among them."""
        keys = (name.partition(".")[0] for name in self.share_behind(indicator).patterns)
        return tuple(dict.fromkeys(key for key in keys if key in self.questions))

    def expand(self, pattern: str) -> tuple[str, ...]:
        """The variables a condition's pattern names: itself, or every item of ``question.*``."""
        if pattern.endswith(".*"):
            return self.questions[pattern[:-2]].answers
        return (pattern,)

    def codes_of(self, variable: str) -> tuple[str, ...]:
        """The codes of a background or answer variable when answered; empty for a number."""
        if variable in self.variables:
            return tuple(self.variables[variable].codes)
        return self.question_of(variable).answer_codes

    def asked(self, wave: Wave) -> frozenset[str]:
        """The harmonised variables that a microdata wave's crosswalk fills."""
        rows = self.instruments[wave.instrument].crosswalk
        return frozenset(row.variable for row in rows if row.variable and row.code != IGNORE)

    def max_choices(self, question: Question, wave: Wave) -> int | None:
        """How many items the wave allowed; None for any number."""
        return self.instruments[wave.instrument].max_choices.get(question.key, question.max_choices)

    def package_of(self, wave: Wave) -> Package:
        """The package that holds a wave. Raises KeyError when none does."""
        for package in self.barometer.packages.values():
            if package.status in (None, wave.status):
                return package
        raise KeyError(wave.key)

    @property
    def shared_faults(self) -> tuple[Fault, ...]:
        """The faults that stop every wave: of no wave's own file and of no questionnaire."""
        return tuple(fault for fault in self.faults if fault.wave is None and _instrument(fault) is None)

    def faults_of(self, wave: str) -> tuple[Fault, ...]:
        """The faults that stop this wave: its own, its questionnaire's, and those that stop every wave."""
        instrument = self.waves[wave].instrument if wave in self.waves else None
        return tuple(
            fault
            for fault in self.faults
            if fault.wave == wave or (fault.wave is None and _instrument(fault) in (None, instrument))
        )

    def path(self, *parts: str) -> Path:
        """A path below the barometer's folder."""
        return self.root.joinpath(*parts)

    def raw_path(self, name: str) -> Path:
        """A file as delivered."""
        return self.root / "warehouse" / "raw" / name


def _instrument(fault: Fault) -> str | None:
    """The questionnaire in whose file a fault stands."""
    path = Path(fault.file)
    return path.stem if path.parent.as_posix() == "schemas/instruments" else None
