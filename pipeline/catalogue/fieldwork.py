"""One country's fieldwork: a wave with its dates, origin, file, design and weighting, as frozen records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal


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
    """Delivered replicate weights: full weights, not factors, and the scale of each one's squared deviation.

    Without ``scale`` it is the method's own: brr 1/R, fay 1/(R (1 - rho)^2), bootstrap 1/(R - 1), jkn of a
    sample without strata (R - 1)/R. ``rscales``, a number a column in the file's order, multiply it: a
    stratified jackknife needs them, (n_h - 1)/n_h of the stratum each replicate drops a unit of, and with
    a finite population correction (1 - n_h/N_h) (n_h - 1)/n_h. Without ``scale`` it is then 1.
    """

    columns: str  # a column name pattern, as "rw_*"
    method: Literal["brr", "fay", "jkn", "bootstrap"]
    rho: float | None = None
    scale: float | None = None
    rscales: tuple[float, ...] = ()


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
    """How the weights are made: the method and the margins they must meet.

    Of published figures it is a fact only, without totals; there, ``none`` means that nothing was weighted
    and ``unspecified`` that it is not published how.
    """

    method: Literal["given", "design", "poststratify", "rake", "linear", "logit", "none", "unspecified"]
    margins: tuple[tuple[str, ...], ...] = ()  # harmonised background variables
    totals: str = ""  # a CSV in warehouse/raw: margin, code, total
    bounds: tuple[float, float] | None = None  # of calibrated over start weight
    trim: tuple[float, float] | None = None  # of calibrated weight over its mean
    tolerance: float = 1e-10
    max_iterations: int = 100

    @property
    def calibrates(self) -> bool:
        """Whether the weights are made to meet margins."""
        return self.method in ("poststratify", "rake", "linear", "logit")


@dataclass(frozen=True)
class Correction:
    """A known error in the raw file. It must match at least one row, else it has expired."""

    column: str
    match: Mapping[str, str]
    value: str
    reason: str


@dataclass(frozen=True)
class Erratum:
    """A published figure that its owner replaced: both values, when, and where it says so."""

    indicator: str
    category: str
    domain: str
    domain_code: str
    was: float
    now: float
    corrected: date
    source: str
    published: date | None = None


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
    role: str = ""  # of the respondent, as a code: unit_leader
    note: str = ""
    errata: tuple[Erratum, ...] = ()

    @property
    def time_period(self) -> int:
        """The last calendar year of the reference period."""
        return self.reference_period.end.year

    @property
    def is_microdata(self) -> bool:
        """Whether units stand in the raw file, or only published figures."""
        return self.source.kind == "microdata"
