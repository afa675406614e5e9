"""The rules every wave shares, and the catalogue: all declarations of a barometer, as frozen records.

Here belongs what a declaration *is*: the types of the fields say what may be written, and ``reader`` reads
it from them. What must hold between declarations is in ``check``. Mappings keep the order of the files,
and nobody changes them after loading.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from pipeline.catalogue.comparability import Comparability
from pipeline.catalogue.fieldwork import Wave
from pipeline.catalogue.kinds import (
    KEYED,
    MOST,
    Address,
    Cron,
    Day,
    Email,
    Flag,
    Language,
    Licence,
    Link,
    Name,
    Note,
    Number,
    Owner,
    Percent,
    Share,
    Slug,
    SlugKey,
    Text,
    Timezone,
    Version,
    Whole,
)
from pipeline.catalogue.questionnaire import (
    IGNORE,
    Base,
    Domain,
    Indicator,
    Instrument,
    Question,
    Variable,
    question_key,
)
from pipeline.catalogue.unconfirmed import Unconfirmed
from pipeline.problems import Problem


@dataclass(frozen=True)
class Disclosure:
    """Confidentiality: thresholds below which a cell could tell of a respondent."""

    min_n: Annotated[Whole, Field(description="fewest respondents of a published cell", ge=1, le=MOST)] = 10
    min_group: Annotated[
        Whole,
        Field(
            description="fewest on either side of a share, where more than `max_fraction` were asked",
            ge=1,
            le=MOST,
        ),
    ] = 3
    max_fraction: Annotated[Share, Field(description="sampling fraction above which `min_group` counts")] = (
        0.5
    )
    secondary: Annotated[Flag, Field(description="hide more cells, so that no hidden one follows")] = True
    audit_width: Annotated[
        Number,
        Field(description="percentage points: no outsider may pin a hidden cell down closer", gt=0, le=100),
    ] = 20.0
    secondary_width: Annotated[
        Percent, Field(description="the same of the cells hidden for others' sake; 0 for none")
    ] = 0.5


@dataclass(frozen=True)
class Reliability:
    """Quality: thresholds below which a cell is flagged or not published; widths in percentage points."""

    flag_n: Annotated[Whole, Field(description="below it a cell is flagged", ge=0, le=MOST)] = 50
    unpublish_n: Annotated[Whole, Field(description="below it a cell is not published", ge=0, le=MOST)] = 20
    flag_ci_width: Annotated[Percent, Field(description="a wider interval is flagged")] = 20.0
    unpublish_ci_width: Annotated[Percent, Field(description="a wider interval is not published")] = 40.0


@dataclass(frozen=True)
class Estimation:
    """Conventions of the intervals and of strata with a single sampling unit."""

    confidence: Annotated[Number, Field(description="level of the intervals", gt=0, lt=1)] = 0.95
    proportion_ci: Annotated[Literal["logit", "wald", "beta"], Field(description="interval of a share")] = (
        "logit"
    )
    lonely_psu: Annotated[
        Literal["certainty", "adjust", "average", "fail"],
        Field(description="what a stratum of one sampling unit adds to the variance"),
    ] = "certainty"


@dataclass(frozen=True)
class Rounding:
    """Decimals of published values; beside a hidden cell, n is a multiple of ``n``."""

    total: Annotated[Whole, Field(description="decimals of the total", ge=0, le=6)] = 1
    breakdown: Annotated[Whole, Field(description="decimals of a breakdown's cells", ge=0, le=6)] = 0
    n: Annotated[Whole, Field(description="beside a hidden cell, n is a multiple of it", ge=1, le=1000)] = 10

    def decimals(self, unit_measure: str, *, is_total: bool) -> int:
        """The decimals of a published value: a mean has one more than a share, a count none."""
        if unit_measure == "count":
            return 0
        return (self.total if is_total else self.breakdown) + (unit_measure == "mean")


@dataclass(frozen=True)
class Validation:
    """How much of a raw file may be set aside, and how many of those asked may be missing from a base."""

    max_quarantined: Annotated[Share, Field(description="a larger share of bad rows stops the wave")] = 0.05
    max_item_nonresponse: Annotated[
        Share, Field(description="a base that lost a larger share of those asked is pointed out by every run")
    ] = 0.5


@dataclass(frozen=True)
class Package:
    """A data package: every wave of one status."""

    key: SlugKey
    status: Annotated[  # None: every wave of the barometer, of one status
        Literal["official", "synthetic"] | None, Field(description="of the waves it holds")
    ]


@dataclass(frozen=True)
class Contact:
    """Whom readers may ask; at least one of the two is there."""

    name: Annotated[Text, Field(description="of a person or a desk")]
    email: Annotated[Email, Field(description="their e-mail address")] = ""
    page: Annotated[Link, Field(description="their page")] = ""


@dataclass(frozen=True)
class Contributor:
    """Someone who made the barometer, as the Data Package writes it."""

    title: Annotated[Text, Field(description="the name")]
    path: Annotated[Link, Field(description="their page")] = ""
    email: Annotated[Email, Field(description="their e-mail address")] = ""
    role: Annotated[Text, Field(description="`publisher`, `author`, `contributor` ...")] = ""
    organization: Annotated[Text, Field(description="where they work")] = ""


@dataclass(frozen=True)
class Schedule:
    """When Dagster publishes the barometer by itself, where the schedule is switched on."""

    cron: Annotated[Cron, Field(description="minute, hour, day of the month, month, day of the week")] = (
        "0 6 1 2 *"
    )
    timezone: Annotated[Timezone, Field(description="of `cron`, as `Europe/Oslo`")] = "UTC"


@dataclass(frozen=True)
class Barometer:
    """Identity, licence, languages and the rules every wave shares."""

    id: Annotated[Slug, Field(description="names the barometer, and its package where none is declared")]
    title: Annotated[Text, Field(description="for readers")]
    description: Annotated[Note, Field(description="for readers")] = field(default="", kw_only=True)
    languages: Annotated[
        tuple[Language, ...], Field(description="the first is that of the declarations", min_length=1)
    ] = field(default=("en",), kw_only=True)
    licence: Annotated[
        Licence, Field(description="of what is published: an SPDX identifier, as `CC-BY-4.0`, or an address")
    ]
    version: Annotated[Version, Field(description="of the next release")]
    released: Annotated[Day, Field(description="the only date a release knows: nothing reads the clock")]
    contributors: Annotated[
        tuple[Contributor, ...], Field(description="who made it: `[[contributors]]`")
    ] = ()
    packages: Annotated[
        Mapping[Name, Package],
        KEYED,
        Field(
            description="a data package a status; one for all waves, named as the barometer, when left out"
        ),
    ] = field(default_factory=dict)
    disclosure: Annotated[Disclosure, Field(description="what is hidden")] = Disclosure()
    reliability: Annotated[Reliability, Field(description="what is flagged")] = Reliability()
    estimation: Annotated[Estimation, Field(description="conventions of the intervals")] = Estimation()
    rounding: Annotated[Rounding, Field(description="of what is published")] = Rounding()
    validation: Annotated[Validation, Field(description="of raw files")] = Validation()
    homepage: Annotated[Address, Field(description="the barometer's own page")] = ""
    keywords: Annotated[tuple[Text, ...], Field(description="for data portals")] = ()
    address: Annotated[
        Address, Field(description="where releases are published, as `<address>/<package>/<version>/`")
    ] = ""
    themes: Annotated[
        tuple[
            Literal[
                "AGRI", "ECON", "EDUC", "ENER", "ENVI", "GOVE", "HEAL",
                "INTR", "JUST", "REGI", "SOCI", "TECH", "TRAN",
            ],
            ...,
        ],
        Field(description="European data themes"),
    ] = ()  # fmt: skip
    contact: Annotated[Contact | None, Field(description="whom readers may ask")] = None
    owners: Annotated[
        tuple[Owner, ...], Field(description="of the steps in Dagster: `team:NAME` or an e-mail address")
    ] = ()
    schedule: Annotated[Schedule, Field(description="when Dagster publishes")] = Schedule()


@dataclass(frozen=True, eq=False)  # equal to itself only, so that what is made of it can be kept
class Catalogue:
    """Every declaration of a barometer, with every problem found in them.

    A wave whose own file is at fault is missing from ``waves`` or named by a problem's ``wave``;
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
    problems: tuple[Problem, ...] = ()
    unconfirmed: tuple[Unconfirmed, ...] = ()  # lines that a draft has guessed or left open

    @property
    def total(self) -> Domain:
        """The breakdown that crosses nothing: every unit of the base. It may have any name."""
        return next(domain for domain in self.domains.values() if not domain.by)

    @property
    def answers(self) -> tuple[str, ...]:
        """Every answer variable, in codebook order."""
        return tuple(answer for question in self.questions.values() for answer in question.answers)

    def question_of(self, answer: str) -> Question:
        """The question of an answer variable or pattern. Raises KeyError when there is none."""
        return self.questions[question_key(answer)]

    def share_behind(self, indicator: Indicator) -> Indicator:
        """The share whose weighted count a total is; any other indicator itself."""
        return indicator if indicator.total is None else self.indicators[indicator.total]

    def questions_of(self, indicator: Indicator) -> tuple[str, ...]:
        """The questions whose answers an indicator is made from; those of its base are not among them."""
        keys = (question_key(name) for name in self.share_behind(indicator).patterns)
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

    def mapped_variables(self, wave: Wave) -> frozenset[str]:
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
    def shared_problems(self) -> tuple[Problem, ...]:
        """The problems that stop every wave: of no wave's own file and of no questionnaire."""
        return tuple(
            problem for problem in self.problems if problem.wave is None and _instrument(problem) is None
        )

    def problems_of(self, wave: str) -> tuple[Problem, ...]:
        """The problems that stop this wave: its own, its questionnaire's, and those that stop every wave."""
        instrument = self.waves[wave].instrument if wave in self.waves else None
        return tuple(
            problem
            for problem in self.problems
            if problem.wave == wave or (problem.wave is None and _instrument(problem) in (None, instrument))
        )

    def unconfirmed_of(self, waves: Collection[Wave]) -> tuple[Unconfirmed, ...]:
        """The unconfirmed lines that what is made of these waves rests on: theirs and the shared ones."""
        own = {f"waves/{wave.key}" for wave in waves} | {f"instruments/{wave.instrument}" for wave in waves}
        return tuple(
            each
            for each in self.unconfirmed
            if (name := each.file.removeprefix("schemas/").rpartition(".")[0]) in own or "/" not in name
        )

    def path(self, *parts: str) -> Path:
        """A path below the barometer's folder."""
        return self.root.joinpath(*parts)

    def raw_path(self, name: str) -> Path:
        """A file as delivered."""
        return self.root / "warehouse" / "raw" / name


def _instrument(problem: Problem) -> str | None:
    """The questionnaire in whose file a problem stands."""
    path = Path(problem.file)
    return path.stem if path.parent.as_posix() == "schemas/instruments" else None
