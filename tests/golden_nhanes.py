"""Barometers over NHANES and over Stata's example of a population correction, for comparison with R."""

from __future__ import annotations

import csv
from pathlib import Path

from tests.barometers import pin
from tests.golden_barometers import API_WAVE, write_identity

NHANES_CODEBOOK = """
[variables.race]
label = "Race"
codes.r1 = "1"
codes.r2 = "2"
codes.r3 = "3"
codes.r4 = "4"
[variables.age]
label = "Age"
codes.a0 = "(0,19]"
codes.a20 = "(19,39]"
codes.a40 = "(39,59]"
codes.a60 = "(59,Inf]"
[variables.sex]
label = "Sex"
codes.s1 = "1"
codes.s2 = "2"
[questions.high]
type = "single"
base = "all"
text = "High cholesterol?"
codes.yes = "Yes"
codes.no = "No"
"""

NHANES_INDICATORS = """
[indicators.high]
label = "High cholesterol"
question = "high"
[indicators.high_total]
label = "People with high cholesterol"
total = "high"
"""

NHANES_DOMAINS = "[domains.total]\nby = []\n" + "".join(
    f'[domains.{name}]\nby = ["{name}"]\n' for name in ("race", "age", "sex")
)

AGES = {"(0,19]": "a0", "(19,39]": "a20", "(39,59]": "a40", "(59,Inf]": "a60"}

NHANES_CROSSWALK = [
    *(f"race,{code},race,r{code}," for code in "1234"),
    *(f'agecat,"{label}",age,{code},' for label, code in AGES.items()),
    *(f"RIAGENDR,{code},sex,s{code}," for code in "12"),
    "HI_CHOL,1,high,yes,",
    "HI_CHOL,0,high,no,",
]


def write_nhanes(root: Path, raw: Path, interval: str = "logit") -> Path:
    """NHANES: primary sampling units numbered 1, 2 within each stratum; the file has no id of its own."""
    return _write(
        root, raw, interval, (NHANES_CODEBOOK, NHANES_INDICATORS, NHANES_DOMAINS), NHANES_CROSSWALK,
        'strata = ["SDMVSTRA"]\npsu = "SDMVPSU"\nweight = "WTMEC2YR"',
    )  # fmt: skip


def write_stata(root: Path, raw: Path, population: str = "") -> Path:
    """The eight rows of Stata's manual, svy: fpc; ``population`` is the text of the file of counts."""
    design = 'strata = ["stratid"]\npsu = "psuid"\nweight = "weight"'
    if population:
        (root / "warehouse" / "raw").mkdir(parents=True)
        (root / "warehouse" / "raw" / "strata.csv").write_text(population, encoding="utf-8")
        design += '\npopulation = "strata.csv"'
    texts = (
        '[questions.x]\ntype = "numeric"\ntext = "x"\n',
        '[indicators.x]\nlabel = "Mean of x"\nmean = "x"\n',
        "[domains.total]\nby = []\n",
    )
    return _write(root, raw, "logit", texts, ["x,*,x,=,"], design)


def _write(
    root: Path, raw: Path, interval: str, texts: tuple[str, str, str], crosswalk: list[str], design: str
) -> Path:
    schemas = write_identity(root, interval)
    for name, text in zip(("codebook", "indicators", "domains"), texts, strict=True):
        (schemas / f"{name}.toml").write_text(text, encoding="utf-8")
    (schemas / "instruments" / "api.toml").write_text('language = "en"\n', encoding="utf-8")
    lines = ["source_variable,source_code,variable,code,note", *crosswalk]
    (schemas / "instruments" / "api.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with raw.open(encoding="utf-8", newline="") as opened:
        rows = [{"id": f"{number}", **row} for number, row in enumerate(csv.DictReader(opened), 1)]
    with (root / "warehouse" / "raw" / "api.csv").open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, list(rows[0]))
        writer.writeheader()
        writer.writerows(row for row in rows if float(row.get("WTMEC2YR", 1)) > 0)
    wave = API_WAVE.format(design=f'id = "id"\n{design}', weighting='method = "given"')
    (schemas / "waves" / "us-api-2000.toml").write_text(wave, encoding="utf-8")
    pin(root, "us-api-2000")
    return root
