"""The declarations of a barometer as frozen records: the words every other room speaks.

Here belongs what a declaration *is*. How it is read from TOML and CSV stands in ``reader``; what must
hold between declarations stands in ``check``. Mappings keep the order of the files, and nobody
changes them after loading.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal

from pipeline.faults import Fault

SELECTED, NOT_SELECTED = "selected", "not_selected"
NO_ANSWER, NOT_ASKED = "no_answer", "not_asked"
IGNORE = "ignore"
ABSENT = (NO_ANSWER, NOT_ASKED)  # states of an answer variable that are not an answer

QuestionType = Literal["single", "multiple", "grid", "numeric"]
Unit = Literal["percent", "mean", "count"]


@dataclass(frozen=True)
class Variable:
    """A background variable: known of every unit, used by breakdowns and margins."""

    key: str
    label: str
    codes: Mapping[str, str]
    note: str = ""


@dataclass(frozen=True)
class Question:
    """A harmonised question: ``items`` of multiple and grid, ``codes`` of single and grid."""

    key: str
    type: QuestionType
    base: str
    text: str
    items: Mapping[str, str] = field(default_factory=dict)
    codes: Mapping[str, str] = field(default_factory=dict)
    nonresponse: tuple[
        str, ...
    ] = ()  # codes (single, grid) or items (multiple) that are not a substantive answer
    max_choices: int | None = None
    label: str = ""
    note: str = ""

    @property
    def answers(self) -> tuple[str, ...]:
        """The answer variables: the question itself, or one a item."""
        return tuple(f"{self.key}.{item}" for item in self.items) if self.items else (self.key,)

    @property
    def answer_codes(self) -> tuple[str, ...]:
        """The codes an answer variable may take when answered; empty for a number."""
        return (SELECTED, NOT_SELECTED) if self.type == "multiple" else tuple(self.codes)


@dataclass(frozen=True)
class Condition:
    """``pattern=code|code``: a variable takes one of the codes; ``question.*`` means any of its items."""

    pattern: str
    codes: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.pattern}={'|'.join(self.codes)}"


@dataclass(frozen=True)
class Logic:
    """Conditions joined by any, all or none. An answer that is not there does not hold."""

    operator: Literal["any", "all", "none"]
    parts: tuple[Condition | Logic, ...]

    def conditions(self) -> Iterator[Condition]:
        """Every condition below it, however deep."""
        for part in self.parts:
            if isinstance(part, Condition):
                yield part
            else:
                yield from part.conditions()


@dataclass(frozen=True)
class Base:
    """Who a question is put to: the denominator. ``logic`` is None for everyone."""

    key: str
    logic: Logic | None = None
    label: str = ""


@dataclass(frozen=True)
class Indicator:
    """An estimand. Exactly one of ``question``, ``logic``, ``mean`` and ``total`` is set.

    ``question``: a share a code (single) or a item (multiple, grid; ``codes`` says which codes count).
    ``logic``: a share of the base for which the logic holds (category ``yes``).
    ``mean``: the mean of a numeric answer variable, or of a coded one through ``scores``.
    ``total``: the weighted count behind another indicator, named by its key.
    """

    key: str
    label: str
    base: str
    question: str | None = None
    codes: tuple[str, ...] = ()
    logic: Logic | None = None
    mean: str | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    total: str | None = None
    denominator: Literal["base", "substantive"] = "base"
    version: int = 1
    description: str = ""
    note: str = ""


@dataclass(frozen=True)
class Domain:
    """A breakdown: the background variables it crosses; none for the total."""

    key: str
    by: tuple[str, ...]
    label: str = ""


@dataclass(frozen=True)
class CrosswalkRow:
    """One line of a crosswalk: source variable + source code -> harmonised variable + code."""

    line: int
    source_variable: str
    source_code: str  # "" is a blank cell, "*" any value
    variable: str
    code: str  # "=" copies a number, "ignore" drops the value
    note: str = ""


@dataclass(frozen=True)
class Instrument:
    """One version of a questionnaire: what was asked, in its own language, and how answers map."""

    key: str
    language: str
    unit_verb: str
    wording: Mapping[str, str]  # flat: "introduced.text", "introduced.items.product", "introduced.codes.yes"
    question_versions: Mapping[str, str]
    max_choices: Mapping[str, int]
    crosswalk: tuple[CrosswalkRow, ...]
    note: str = ""


@dataclass(frozen=True)
class Period:
    """The first and the last day."""

    start: date
    end: date


@dataclass(frozen=True)
class Origin:
    """Who made the data, under what licence, and where it was found."""

    producer: str
    title: str
    licence: str
    accessed: date | None = None
    url: str = ""
    doi: str = ""
    citation: str = ""


@dataclass(frozen=True)
class Source:
    """The raw file: where it lies, what it must be, and how to read it."""

    kind: Literal["microdata", "figures"]
    file: str  # inside warehouse/raw, or an https:// or s3:// address
    sha256: str
    bytes: int | None = None
    format: str = ""  # csv | xlsx | sav | dta | parquet; from the file's name when blank
    encoding: str = ""
    delimiter: str = ""
    decimal: str = "."
    sheet: str = ""
    header_rows: int = 1
    missing: tuple[str, ...] = ()  # texts that mean a blank cell

    @property
    def remote(self) -> bool:
        """Whether the file must be fetched."""
        return "://" in self.file


@dataclass(frozen=True)
class Response:
    """What is known of the sample and its response; None where nothing is."""

    population: int | None = None
    sample: int | None = None
    respondents: int | None = None
    rate: float | None = None  # percent


@dataclass(frozen=True)
class ReplicateWeights:
    """Delivered replicate weights."""

    columns: str  # a column name pattern, as "rw_*"
    method: Literal["brr", "fay", "jkn", "bootstrap"]
    rho: float | None = None
    scale: float | None = None


@dataclass(frozen=True)
class Design:
    """How the sample was drawn; names are source columns."""

    id: str
    strata: tuple[str, ...] = ()
    psu: str = ""
    weight: str = ""
    population: str = ""  # a CSV in warehouse/raw: the strata columns + population
    replicate_weights: ReplicateWeights | None = None


@dataclass(frozen=True)
class Weighting:
    """How the weights are made: the method and the margins they must meet."""

    method: Literal["given", "design", "poststratify", "rake", "linear"]
    margins: tuple[tuple[str, ...], ...] = ()  # harmonised background variables
    totals: str = ""  # a CSV in warehouse/raw: margin, code, total
    bounds: tuple[float, float] | None = None  # of calibrated over start weight
    trim: tuple[float, float] | None = None  # of calibrated weight over its mean
    tolerance: float = 1e-10
    max_iterations: int = 100


@dataclass(frozen=True)
class Correction:
    """A known error in the raw file. It must match at least one row, else it has expired."""

    column: str
    match: Mapping[str, str]
    value: str
    reason: str


@dataclass(frozen=True)
class Wave:
    """One country's fieldwork of one survey for one edition."""

    key: str
    country: str
    survey: str
    edition: str
    instrument: str
    unit: Literal["workplace", "organisation"] | str
    status: Literal["official", "synthetic"]
    reference_period: Period
    fieldwork: Period | None
    scope: Mapping[str, tuple[str, ...]]
    origin: Origin
    source: Source
    response: Response
    design: Design | None
    weighting: Weighting | None
    corrections: tuple[Correction, ...] = ()
    mode: str = ""
    respondent: str = ""
    note: str = ""

    @property
    def time_period(self) -> int:
        """The last calendar year of the reference period."""
        return self.reference_period.end.year

    @property
    def is_microdata(self) -> bool:
        """Whether units stand in the raw file, or only published figures."""
        return self.source.kind == "microdata"


@dataclass(frozen=True)
class Disclosure:
    """Confidentiality: thresholds below which a cell could tell of a respondent."""

    min_n: int = 10
    min_group: int = 3
    max_fraction: float = 0.5
    secondary: bool = True
    audit_width: float = 20.0


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
    """Decimals of published values."""

    total: int = 1
    breakdown: int = 0


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


@dataclass(frozen=True)
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
    faults: tuple[Fault, ...] = ()

    def question_of(self, answer: str) -> Question:
        """The question of an answer variable. Raises KeyError when there is none."""
        return self.questions[answer.partition(".")[0]]

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
