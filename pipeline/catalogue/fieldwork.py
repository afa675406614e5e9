"""A wave with its dates, origin, file, design and weighting, as frozen records.

The types of the fields are the declaration of a wave file: its reader, its JSON Schema and its documentation
are made from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from pipeline.catalogue.kinds import (
    Columns,
    Country,
    Day,
    Doi,
    Encoding,
    Flag,
    InRaw,
    Link,
    Measure,
    Name,
    Note,
    Number,
    Percent,
    Sha256,
    SlugKey,
    SourceFile,
    Text,
    Units,
    Whole,
)

SUFFIXES = {
    "csv": "csv",
    "tsv": "csv",
    "txt": "csv",
    "xlsx": "xlsx",
    "xlsm": "xlsx",
    "sav": "sav",
    "zsav": "sav",
    "dta": "dta",
    "sas7bdat": "sas7bdat",
    "xpt": "xpt",
    "parquet": "parquet",
}
LABELLED = ("sav", "dta", "sas7bdat", "xpt")  # formats with labels of columns or codes
SYNTHETIC_SUFFIX = "-synthetic"  # of a synthetic wave's key, and of no other's
ROW = "row"  # in place of the columns of an identifier: the row's number in the file


def weight_column(name: str) -> str:
    """The microdata column of a weight by its name; of the main weight, which has none.

    No variable of a codebook can be called so: ``weight`` is no question there.
    """
    return f"weight.{name}" if name else "weight"


@dataclass(frozen=True)
class Period:
    """The first and the last day."""

    start: Annotated[Day, Field(description="the first day")]
    end: Annotated[Day, Field(description="the last day")]


@dataclass(frozen=True)
class Origin:
    """Who made the data, under what licence, and where it was found."""

    producer: Annotated[Text, Field(description="who made the data")]
    title: Annotated[Text, Field(description="the survey's or dataset's own title")]
    licence: Annotated[Text, Field(description="the licence it was delivered under")]
    accessed: Annotated[Day | None, Field(description="the day it was fetched")] = None
    url: Annotated[Link, Field(description="where it was found")] = ""
    doi: Annotated[Doi, Field(description="its DOI")] = ""
    citation: Annotated[Note, Field(description="how its producer wants it cited")] = ""


@dataclass(frozen=True)
class Source:
    """The raw file: where it is, its hash and size, and how to read it."""

    kind: Annotated[Literal["microdata", "figures"], Field(description="units, or published aggregates only")]
    file: Annotated[
        SourceFile,
        Field(description="a file in `warehouse/raw`, or an https:// or s3:// address that is fetched once"),
    ]
    sha256: Annotated[Sha256, Field(description="what the file must be")]
    bytes: Annotated[Whole | None, Field(description="its size", ge=0)] = None
    format: Annotated[
        Literal["", "csv", "xlsx", "sav", "zsav", "dta", "sas7bdat", "xpt", "parquet"],
        Field(description="from the file's name when left out"),
    ] = ""
    encoding: Annotated[
        Encoding,
        Field(description="of texts, as `cp1252`; UTF-8 when left out, else what the file says of itself"),
    ] = ""
    delimiter: Annotated[Note, Field(description="between the columns of a text file")] = ""
    decimal: Annotated[Literal[".", ","], Field(description="the decimal mark")] = "."
    thousands: Annotated[
        Literal["", ",", ".", " ", "'"] | None,
        Field(
            description='between groups of three digits; a space is any space, `""` says that there are none'
        ),
    ] = None
    sheet: Annotated[Note, Field(description="of a workbook; the first when left out")] = ""
    skip_rows: Annotated[Whole, Field(description="rows above the header, as titles", ge=0, le=1000)] = 0
    header_rows: Annotated[
        Whole, Field(description="rows of the header; several are joined by a dot", ge=1, le=1000)
    ] = 1
    name_row: Annotated[
        Whole, Field(description="which of them holds the names; the others are then left out", ge=0, le=1000)
    ] = 0
    label_row: Annotated[
        Whole, Field(description="which of them holds labels, as the questions' texts", ge=0, le=1000)
    ] = 0
    missing: Annotated[tuple[Note, ...], Field(description="texts that mean a blank cell")] = ()
    choices: Annotated[
        Mapping[Text, Annotated[str, Field(min_length=1, max_length=5)]],
        Field(description="a column whose cells hold several choices each, and the mark between them"),
    ] = field(default_factory=dict)
    rows: Annotated[
        Mapping[Text, Annotated[tuple[Note, ...], Field(min_length=1)]],
        Field(description="a column and its values: only the rows that have one of them are the wave's"),
    ] = field(default_factory=dict)

    @property
    def remote(self) -> bool:
        """Whether the file must be fetched."""
        return "://" in self.file

    @property
    def suffix(self) -> str:
        """How the file's name ends, in lower case and without the dot."""
        return self.file.split("?")[0].rpartition(".")[2].lower()

    @property
    def file_format(self) -> str:
        """csv, xlsx, sav, dta, sas7bdat, xpt or parquet: as declared, else by its name; "" for another."""
        return SUFFIXES.get(self.format or self.suffix, "")

    @property
    def labelled(self) -> bool:
        """Whether the file may say of itself what its columns and codes mean."""
        return self.file_format in LABELLED or self.label_row > 0


@dataclass(frozen=True)
class Response:
    """What is known of the sample and its response; None where it is unknown."""

    population: Annotated[Units | None, Field(description="units in the population")] = None
    sample: Annotated[Units | None, Field(description="units drawn")] = None
    respondents: Annotated[Units | None, Field(description="units that answered")] = None
    rate: Annotated[Percent | None, Field(description="the response rate as published, in percent")] = None

    @property
    def known_rate(self) -> float | None:
        """The response rate in percent: as published, else the share of the sample that answered."""
        if self.rate is None and self.sample and self.respondents:
            return 100.0 * self.respondents / self.sample
        return self.rate


@dataclass(frozen=True)
class ReplicateWeights:
    """Delivered replicate weights, and the scale of each one's squared deviation.

    Without ``scale`` it is the method's own: brr 1/R, fay 1/(R (1 - rho)^2), bootstrap 1/(R - 1), jkn of a
    sample without strata (R - 1)/R. ``rscales``, a number a column in the file's order, multiply it: a
    stratified jackknife needs them, (n_h - 1)/n_h of the stratum each replicate drops a unit of, and with
    a finite population correction (1 - n_h/N_h) (n_h - 1)/n_h. Without ``scale`` it is then 1.
    """

    columns: Annotated[Text, Field(description="a column name pattern, as `rw_*`")]
    method: Annotated[
        Literal["brr", "fay", "jkn", "bootstrap"], Field(description="how the replicates were made")
    ]
    rho: Annotated[Number | None, Field(description="of `fay`, as its producer documents it", ge=0, lt=1)] = (
        None
    )
    scale: Annotated[
        Number | None,
        Field(description="of every squared deviation; the method's own when left out", gt=0, le=1e12),
    ] = None
    rscales: Annotated[
        tuple[Annotated[Number, Field(ge=0, le=1e12)], ...],
        Field(description="of each replicate, in the file's order"),
    ] = ()
    combined: Annotated[
        Flag,
        Field(description="`false`: factors, yet to be multiplied by the base weight; else full weights"),
    ] = True


@dataclass(frozen=True)
class Design:
    """How the sample was drawn; names are source columns."""

    id: Annotated[
        Columns,
        Field(description="what tells units apart: a column, a list of columns, or `row`, the row's number"),
    ]
    strata: Annotated[tuple[Text, ...], Field(description="the columns that make the strata")] = ()
    psu: Annotated[Note, Field(description="the column of the primary sampling unit")] = ""
    weight: Annotated[Note, Field(description="the column of a delivered weight")] = ""
    weights: Annotated[
        Mapping[Name, Text],
        Field(description='further delivered weights that indicators name, as `{ household = "COLUMN" }`'),
    ] = field(default_factory=dict)
    zero_weights: Annotated[
        Literal["refuse", "exclude"] | None,
        Field(description="units with a delivered weight of exactly 0; refused when left out"),
    ] = None
    probability: Annotated[
        Note, Field(description="in place of a weight: the column of selection probabilities p; weight 1/p")
    ] = ""
    census: Annotated[
        Flag, Field(description="every unit of the population was asked and answered: no sampling error")
    ] = False
    population: Annotated[
        InRaw,
        Field(
            description="a CSV in `warehouse/raw`: the strata columns and `population`, the units drawn from"
        ),
    ] = ""
    replicate_weights: Annotated[
        ReplicateWeights | None, Field(description="delivered replicate weights")
    ] = None

    @property
    def delivered(self) -> str:
        """The column that the start weights come from: of weights or of selection probabilities."""
        return self.weight or self.probability

    @property
    def further_weights(self) -> dict[str, str]:
        """The source column of each further weight, by its microdata column."""
        return {weight_column(name): column for name, column in self.weights.items()}


@dataclass(frozen=True)
class Weighting:
    """How the weights are made: the method and the margins they must meet.

    With ``none`` every unit counts 1. Of published figures it is a fact only, without totals, and
    ``unspecified`` means that it is not published how.
    """

    method: Annotated[
        Literal["given", "design", "poststratify", "rake", "linear", "logit", "none", "unspecified"],
        Field(description="`none`: every unit counts 1; `unspecified` is of published figures only"),
    ]
    margins: Annotated[
        tuple[Annotated[tuple[Name, ...], Field(min_length=1)], ...],
        Field(description='variables to meet, as `[["sector"], ["region"]]`; of a number, alone, its sum'),
    ] = ()
    totals: Annotated[
        InRaw,
        Field(description="a CSV in `warehouse/raw`: `margin,code,total`; the code of a number is blank"),
    ] = ""
    scale: Annotated[
        Literal["", "population"],
        Field(
            description="delivered weights (or 1/p) are multiplied until they add up to `response.population`"
        ),
    ] = ""
    bounds: Annotated[
        tuple[Measure, Measure] | None, Field(description="least and most of calibrated over start weight")
    ] = None
    trim: Annotated[
        tuple[Measure, Measure] | None, Field(description="least and most of a weight over the mean weight")
    ] = None
    tolerance: Annotated[
        Number, Field(description="relative: how near every margin is met", gt=0, le=1e-9)
    ] = 1e-10
    max_iterations: Annotated[Whole, Field(description="of the calibration", ge=1, le=1_000_000)] = 100

    @property
    def calibrates(self) -> bool:
        """Whether the weights are made to meet margins."""
        return self.method in ("poststratify", "rake", "linear", "logit")


@dataclass(frozen=True)
class Correction:
    """A known error in the raw file. It must match at least one row, else it has expired."""

    column: Annotated[Text, Field(description="the column that is wrong")]
    match: Annotated[Mapping[Text, Note], Field(description="column = value: the rows it is wrong in")]
    value: Annotated[Note, Field(description="what belongs there; blank for a blank cell")]
    reason: Annotated[Text, Field(description="who confirmed it, and when")]


@dataclass(frozen=True)
class Exclusion:
    """Rows of the raw file that are no units of the wave. It must match at least one, else it has expired."""

    column: Annotated[Text, Field(description="the column that tells them")]
    values: Annotated[
        tuple[Note, ...], Field(min_length=1, description="what it holds there; blank for a blank cell")
    ]
    reason: Annotated[Text, Field(description="why they are left out, and who decided it")]


@dataclass(frozen=True)
class Erratum:
    """A published figure that its owner replaced: both values, when, and where it says so."""

    indicator: Annotated[Name, Field(description="of the figure")]
    category: Annotated[Text, Field(description="of the figure")] = field(default="yes", kw_only=True)
    domain: Annotated[Note, Field(description="its breakdown; the total when left out")] = field(
        default="", kw_only=True
    )
    domain_code: Annotated[Note, Field(description="its cell of the breakdown")] = field(
        default="", kw_only=True
    )
    was: Annotated[Measure, Field(description="the figure that was published first")]
    now: Annotated[Measure, Field(description="the figure in the file")]
    corrected: Annotated[Day, Field(description="the day it was replaced")]
    source: Annotated[Text, Field(description="where its owner says so")]
    published: Annotated[Day | None, Field(description="the day the first one was published")] = None


@dataclass(frozen=True, kw_only=True)
class Wave:
    """One country's fieldwork of one survey for one edition."""

    key: SlugKey
    country: Annotated[Country, Field(description="ISO 3166-1 alpha-2")]
    survey: Annotated[Name, Field(description="the series the wave belongs to: trends run inside it")]
    edition: Annotated[Text, Field(description="the label its owner prints on the wave; never a date")]
    instrument: Annotated[Name, Field(description="its questionnaire in `instruments/`")]
    unit: Annotated[Name, Field(description="what answered: `workplace`, `organisation` ...")]
    status: Annotated[
        Literal["official", "synthetic"], Field(description="a synthetic wave's key ends in `-synthetic`")
    ] = "official"
    reference_period: Annotated[Period, Field(description="the days the questions are about")]
    fieldwork: Annotated[Period | None, Field(description="the days they were asked on")] = None
    scope: Annotated[
        Mapping[Name, tuple[Name, ...]],
        Field(description="a background variable and the codes of it that the wave covers"),
    ] = field(default_factory=dict)
    origin: Annotated[Origin, Field(description="who made the data")]
    source: Annotated[Source, Field(description="the raw file")]
    response: Annotated[Response, Field(description="what is known of sample and response")] = field(
        default_factory=Response
    )
    design: Annotated[Design | None, Field(description="how the sample was drawn: microdata only")] = None
    weighting: Annotated[
        Weighting | None, Field(description="how the weights are made; of published figures, were made")
    ] = None
    corrections: Annotated[
        tuple[Correction, ...], Field(alias="correction", description="known errors in the raw file")
    ] = ()
    panel: Annotated[
        Flag | None,
        Field(description="whether units of the survey's other waves answered; seen in the ids if left out"),
    ] = None
    exclusions: Annotated[
        tuple[Exclusion, ...], Field(alias="exclusion", description="rows that are left out")
    ] = ()
    mode: Annotated[Note, Field(description="how it was asked: `web`, `post`, `telephone` ...")] = ""
    respondent: Annotated[Note, Field(description="who answered for the unit, in words")] = ""
    role: Annotated[Note, Field(description="of the respondent, as a code: `unit_leader`")] = ""
    note: Annotated[Note, Field(description="what a reader should know")] = ""
    errata: Annotated[
        tuple[Erratum, ...], Field(alias="erratum", description="published figures that their owner replaced")
    ] = ()

    @property
    def is_census(self) -> bool:
        """Whether every unit of the population was asked and answered, so that there is no sampling error."""
        return self.design is not None and self.design.census

    def responded(self, units: int) -> Response:
        """What is known of sample and response: of a census that all of its ``units`` answered."""
        return Response(units, units, units, 100.0) if self.is_census else self.response

    @property
    def time_period(self) -> int:
        """The last calendar year of the reference period."""
        return self.reference_period.end.year

    @property
    def is_microdata(self) -> bool:
        """Whether the raw file holds units, or only published figures."""
        return self.source.kind == "microdata"
