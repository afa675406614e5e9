"""Barometers over the samples of this folder: every design in the words of the product's declarations."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.barometers import pin
from tests.golden_barometers import write_identity

FOLDER = Path(__file__).parent

CODEBOOK = """
[variables.sector]
label = "Sector"
codes = { care = "Care", school = "School", admin = "Administration" }
[variables.region]
label = "Region"
codes = { north = "North", south = "South", west = "West" }
[variables.island]
label = "Island"
codes = { far = "Few, in one place", main = "Most", quiet = "Nobody innovates", nobody = "Nobody lives here" }
[variables.size]
label = "Size"
codes = { small = "Small", large = "Large" }
[questions.introduced]
type = "grid"
base = "all"
text = "Has your workplace introduced ..."
items = { product = "New products", service = "New services" }
codes = { yes = "Yes", no = "No", dk = "Don't know" }
nonresponse = ["dk"]
[questions.novelty]
type = "single"
base = "innovative"
text = "The newest one was ..."
codes = { first = "First", copied = "Copied", dk = "Don't know" }
nonresponse = ["dk"]
[questions.value]
type = "multiple"
nothing_ticked = "not_selected"
base = "innovative"
text = "What value did it bring?"
items = { quality = "Quality", savings = "Savings" }
[questions.staff]
type = "numeric"
text = "How many work here?"
[questions.turnover]
type = "numeric"
text = "What was the turnover?"
[questions.climate]
type = "single"
base = "all"
text = "How open is it to new ideas?"
codes = { c1 = "1", c2 = "2", c3 = "3", c4 = "4", c5 = "5", dk = "Don't know" }
nonresponse = ["dk"]
"""

INDICATORS = """
[bases.innovative]
any = ["introduced.*=yes"]
[bases.sizeable]
any = ["staff>20"]
[indicators.many_staff]
any = ["staff>=30", "staff<5"]
[indicators.few_staff]
none = ["staff>15", "staff<=3.5"]
[indicators.sizeable_innovation]
base = "sizeable"
any = ["introduced.*=yes"]
[indicators.product_score]
mean = "introduced.product"
scores = { yes = 3, no = -1 }
[indicators.scored]
mean = "introduced.*"
scores = { yes = 3, no = -1 }
[indicators.any_innovation]
base = "all"
any = ["introduced.*=yes"]
[indicators.introduced]
question = "introduced"
codes = ["yes"]
[indicators.novelty]
question = "novelty"
[indicators.novelty_said]
question = "novelty"
denominator = "substantive"
[indicators.value]
question = "value"
[indicators.staff_mean]
mean = "staff"
[indicators.climate_mean]
mean = "climate"
scores = { c1 = 1, c2 = 2, c3 = 3, c4 = 4, c5 = 5 }
[indicators.innovative_workplaces]
total = "any_innovation"
[indicators.newest]
total = "novelty"
"""

for name in ("rare", "never", "always"):
    CODEBOOK += f'[questions.{name}]\ntype = "single"\nbase = "all"\ntext = "{name}?"\ncodes = {{ yes = "Yes", no = "No" }}\n'
    INDICATORS += f'[indicators.{name}]\nquestion = "{name}"\n'

DOMAINS = "[domains.total]\nby = []\n" + "".join(
    f'[domains.{name}]\nby = ["{name}"]\n' for name in ("sector", "region", "island")
)

# Source column, its variable, and the codes they have: those that differ as source:code.
COLUMNS = {
    "sector": ("sector", "care school admin"),
    "region": ("region", "north south west"),
    "island": ("island", "far main quiet"),
    "product": ("introduced.product", "yes no dk"),
    "service": ("introduced.service", "yes no dk"),
    "novelty": ("novelty", "first copied dk"),
    "quality": ("value.quality", "1:selected :not_selected"),
    "savings": ("value.savings", "1:selected :not_selected"),
    "staff": ("staff", "*:="),
    "climate": ("climate", "1:c1 2:c2 3:c3 4:c4 5:c5 9:dk"),
    "rare": ("rare", "yes no"),
    "never": ("never", "yes no"),
    "always": ("always", "yes no"),
}
TURNOVER = {"turnover": ("turnover", "*:=")}
SIZE = {"size": ("size", "small large"), **TURNOVER}
INSTRUMENTS = {
    "stratified": COLUMNS | SIZE,
    "clustered": COLUMNS | TURNOVER,
}  # by the start of a sample's name


def _crosswalk(columns: dict[str, tuple[str, str]]) -> str:
    rows = ["source_variable,source_code,variable,code,note"]
    for column, (variable, codes) in columns.items():
        for code in codes.split(" "):
            source, _, made = code.rpartition(":")
            rows.append(f"{column},{source if ':' in code else made},{variable},{made},")
    return "\n".join(rows) + "\n"


@dataclass(frozen=True)
class Rules:
    """What a whole barometer holds to: the interval of a share, and strata with a single sampling unit.

    ``weight``: the further weight that all of its indicators name, if any.
    """

    interval: str
    lonely: str
    weight: str = ""


SECOND = "second"
LOGIT_SECOND, BETA_SECOND = Rules("logit", "certainty", SECOND), Rules("beta", "average", SECOND)
LOGIT, WALD, BETA = Rules("logit", "certainty"), Rules("wald", "adjust"), Rules("beta", "average")


@dataclass(frozen=True)
class Drawn:
    """A design: its sample, the tables ``[design]`` and ``[weighting]`` of its wave, and its rules."""

    sample: str
    design: str
    weighting: str
    rules: Rules = LOGIT


SCALED = 'method = "given"\nscale = "population"\n[response]\npopulation = 2000'
SIMPLE = 'population = "simple_population.csv"'
STRATA = 'strata = ["sector", "size"]'
PRIOR_SCORE = f'{STRATA}\npopulation = "stratified_population.csv"'
DELIVERED = f'{PRIOR_SCORE}\nweight = "weight"'
CLUSTERS = 'strata = ["stratum"]\npsu = "psu"\nweight = "weight"'
TOWNS = f'{CLUSTERS}\npopulation = "clustered_population.csv"'
LONELY = CLUSTERS.replace('"stratum"', '"lonely"')
MODULE, HOUSEHOLDS = (f'weights.{SECOND} = "{column}"' for column in ("module", "households"))
UNWEIGHTED = 'method = "none"'
BY_COUNTS, GIVEN = 'method = "design"', 'method = "given"'


def _calibrated(method: str, margins: str, totals: str = "totals.csv") -> str:
    return f'method = "{method}"\ntotals = "{totals}"\ntolerance = 1e-13\nmargins = {margins}'


def _replicates(declared: str) -> str:
    return f'weight = "weight"\nreplicate_weights = {{ {declared} }}'


MAIN = '[["sector"], ["region"]]'
SUMMED = '[["sector"], ["turnover"]]'
CROSSED = '[["sector", "size"], ["region"]]'
RSCALES = [scale for scale in (0.5, 0.45, 0.4, 0.5, 0.48, 0.35, 0.5) for _ in range(2)]

DESIGNS = {
    "simple_fpc": Drawn("simple", SIMPLE, BY_COUNTS),
    "simple_wald": Drawn("simple", SIMPLE, BY_COUNTS, WALD),
    "simple_beta": Drawn("simple", SIMPLE, BY_COUNTS, BETA),
    "simple_weighted": Drawn("simple", 'weight = "weight"', GIVEN),
    "simple_poststratified": Drawn("simple", SIMPLE, _calibrated("poststratify", '[["sector"]]', "simple_totals.csv")),
    "strata_fpc": Drawn("stratified", PRIOR_SCORE, BY_COUNTS),
    "strata_later": Drawn("stratified_later", PRIOR_SCORE, BY_COUNTS),
    "strata_no_fpc": Drawn("stratified", f'{STRATA}\nweight = "weight"', GIVEN),
    "strata_delivered": Drawn("stratified", DELIVERED, GIVEN, BETA),
    "strata_raked": Drawn("stratified", DELIVERED, _calibrated("rake", MAIN)),
    "strata_linear": Drawn("stratified", DELIVERED, _calibrated("linear", CROSSED, "crossed_totals.csv"), BETA),
    "strata_bounded": Drawn("stratified", PRIOR_SCORE, _calibrated("linear", CROSSED, "crossed_totals.csv") + "\nbounds = [0.953, 1.07]"),
    "strata_logit": Drawn("stratified", DELIVERED, _calibrated("logit", MAIN) + "\nbounds = [0.6, 1.6]", WALD),
    "strata_poststratified": Drawn(
        "stratified", f'{STRATA}\nweight = "weight"', _calibrated("poststratify", '[["sector", "region"]]', "joint_totals.csv")
    ),
    "simple_scaled": Drawn("simple", 'weight = "weight"', SCALED),
    "simple_unweighted": Drawn("simple", "", UNWEIGHTED),
    "simple_probability": Drawn("simple", 'probability = "probability"', GIVEN, WALD),
    "strata_census": Drawn("stratified", f"{STRATA}\ncensus = true", UNWEIGHTED),
    "strata_regressed": Drawn("stratified", DELIVERED, _calibrated("linear", SUMMED, "regressed_totals.csv")),
    "strata_regressed_raked": Drawn("stratified", DELIVERED, _calibrated("rake", SUMMED, "regressed_totals.csv"), WALD),
    "strata_regressed_logit": Drawn("stratified", DELIVERED, _calibrated("logit", SUMMED, "regressed_totals.csv") + "\nbounds = [0.6, 1.6]", BETA),
    "clusters_regressed": Drawn("clustered", TOWNS, _calibrated("rake", SUMMED, "towns_totals.csv")),
    "clusters_fpc": Drawn("clustered", TOWNS, GIVEN),
    "clusters_wald": Drawn("clustered", CLUSTERS, GIVEN, WALD),
    "clusters_raked": Drawn("clustered", TOWNS, _calibrated("rake", MAIN)),
    "lonely_certainty": Drawn("clustered", LONELY, GIVEN),
    "lonely_adjust": Drawn("clustered", LONELY, GIVEN, WALD),
    "lonely_average": Drawn("clustered", LONELY, GIVEN, BETA),
    "strata_trimmed": Drawn("stratified", DELIVERED, _calibrated("rake", MAIN) + "\ntrim = [0.2, 1.7]"),
    "lonely_raked_certainty": Drawn("clustered", LONELY, _calibrated("rake", MAIN)),
    "lonely_raked_adjust": Drawn("clustered", LONELY, _calibrated("rake", MAIN), WALD),
    "lonely_raked_average": Drawn("clustered", LONELY, _calibrated("rake", MAIN), BETA),
    "second_strata": Drawn("stratified_module", f"{PRIOR_SCORE}\n{MODULE}", BY_COUNTS, LOGIT_SECOND),
    "second_households": Drawn("stratified", f"{DELIVERED}\n{HOUSEHOLDS}", GIVEN, BETA_SECOND),
    "second_clusters": Drawn("clustered_module", f"{TOWNS}\n{MODULE}", _calibrated("rake", MAIN), LOGIT_SECOND),
    "second_lonely": Drawn("clustered_module", f"{LONELY}\n{MODULE}", GIVEN, BETA_SECOND),
    "replicates_jk1": Drawn("simple", _replicates('columns = "jk_*", method = "jkn"'), GIVEN),
    "replicates_brr": Drawn("paired", _replicates('columns = "brr_*", method = "brr"'), GIVEN),
    "replicates_fay": Drawn("paired", _replicates('columns = "fay_*", method = "fay", rho = 0.3'), GIVEN, WALD),
    "replicates_jkn": Drawn("paired", _replicates(f'columns = "jkn_*", method = "jkn", rscales = {RSCALES}'), GIVEN),
    "replicates_bootstrap": Drawn("paired", _replicates('columns = "boot_*", method = "bootstrap"'), GIVEN, BETA),
    "replicates_scaled": Drawn("paired", _replicates('columns = "boot_*", method = "bootstrap", scale = 0.04'), GIVEN),
}  # fmt: skip

WAVE = """
country = "DK"
survey = "evidence"
edition = "{edition}"
instrument = "{instrument}"
unit = "workplace"
status = "official"
panel = false
reference_period = {{ start = {year}-01-01, end = {year}-12-31 }}
[origin]
producer = "Nobody"
title = "An invented sample"
licence = "CC0-1.0"
[source]
kind = "microdata"
file = "{edition}.csv"
sha256 = ""
bytes = 0
[design]
id = "id"
{design}
[weighting]
{weighting}
"""


def key_of(design: str) -> str:
    """The key of a design's wave."""
    return design.replace("_", "-")


def write_evidence(root: Path, rules: Rules, designs: list[str]) -> Path:
    """A barometer with a wave for each of these designs, the earliest first."""
    schemas = write_identity(root, rules.interval, rules.lonely)
    share = re.compile(r"(\[indicators\.\w+\]\n)(?!total)")  # a total has the weight of its share
    indicators = share.sub(rf'\1weight = "{rules.weight}"\n', INDICATORS) if rules.weight else INDICATORS
    for name, text in (("codebook", CODEBOOK), ("indicators", indicators), ("domains", DOMAINS)):
        (schemas / f"{name}.toml").write_text(text, encoding="utf-8")
    for name, columns in {"plain": COLUMNS, **INSTRUMENTS}.items():
        (schemas / "instruments" / f"{name}.toml").write_text('language = "en"\n', encoding="utf-8")
        (schemas / "instruments" / f"{name}.csv").write_text(_crosswalk(columns), encoding="utf-8")
    for file in sorted((FOLDER / "samples").glob("*.csv")):
        shutil.copyfile(file, root / "warehouse" / "raw" / file.name)
    for number, name in enumerate(designs):
        of = DESIGNS[name]
        wave = WAVE.format(
            edition=name,
            instrument=next((name for name in INSTRUMENTS if of.sample.startswith(name)), "plain"),
            year=1990 + number,
            design=of.design,
            weighting=of.weighting,
        )
        (schemas / "waves" / f"{key_of(name)}.toml").write_text(wave, encoding="utf-8")
        sample = (FOLDER / "samples" / f"{of.sample}.csv").read_bytes()
        blank_lines = b"\n" * number  # no two waves of a survey have one file
        (root / "warehouse" / "raw" / f"{name}.csv").write_bytes(sample + blank_lines)
        pin(root, key_of(name))
    return root
