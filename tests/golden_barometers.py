"""Barometers over real open survey files, for comparison with results computed in R's ``survey`` package."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from tests.barometers import pin

IDENTITY = """
id = "golden"
title = "Golden"
description = "Real open data, estimated elsewhere too."
languages = ["en"]
licence = "CC-BY-4.0"
version = "1.0.0"
released = 2026-11-30
[[contributors]]
title = "Test office"
role = "publisher"
[estimation]
proportion_ci = "{interval}"
lonely_psu = "{lonely}"
"""

API_CODEBOOK = """
[variables.stype]
label = "School type"
codes.E = "Elementary"
codes.M = "Middle"
codes.H = "High"
[variables.schwide]
label = "School-wide target met"
codes.Yes = "Yes"
codes.No = "No"
[variables.awarded]
label = "Awards, as a breakdown"
codes.Yes = "Yes"
codes.No = "No"
[questions.awards]
type = "single"
base = "all"
text = "Eligible for awards?"
codes.Yes = "Yes"
codes.No = "No"
[questions.school]
type = "single"
base = "all"
text = "School type, as a question"
codes.E = "Elementary"
codes.M = "Middle"
codes.H = "High"
[questions.met]
type = "single"
base = "all"
text = "School-wide target met?"
codes.Yes = "Yes"
codes.No = "No"
[questions.api00]
type = "numeric"
text = "Index 2000"
[questions.enroll]
type = "numeric"
text = "Enrolment"
"""

API_INDICATORS = """
[indicators.awards]
label = "Awards"
question = "awards"
[indicators.stype]
label = "School type"
question = "school"
[indicators.schw]
label = "Target met"
question = "met"
[indicators.api00]
label = "Mean index"
mean = "api00"
[indicators.enroll]
label = "Mean enrolment"
mean = "enroll"
[indicators.awards_total]
label = "Schools with awards"
total = "awards"
[indicators.stype_total]
label = "Schools by type"
total = "stype"
"""

API_DOMAINS = """
[domains.total]
by = []
[domains.stype]
by = ["stype"]
[domains.awards]
by = ["awarded"]
"""

API_CROSSWALK = "source_variable,source_code,variable,code,note\n" + "".join(
    f"{source},{code},{variable},{code},\n"
    for source, variable, codes in (
        ("stype", "stype", "EMH"),
        ("stype", "school", "EMH"),
        ("sch.wide", "schwide", ("Yes", "No")),
        ("sch.wide", "met", ("Yes", "No")),
        ("awards", "awards", ("Yes", "No")),
        ("awards", "awarded", ("Yes", "No")),
    )
    for code in codes
) + "api00,*,api00,=,\nenroll,*,enroll,=,\n"  # fmt: skip

API_WAVE = """
country = "US"
survey = "api"
edition = "2000"
instrument = "api"
unit = "school"
status = "official"
reference_period = {{ start = 1999-01-01, end = 2000-12-31 }}
[origin]
producer = "California Department of Education"
title = "Academic Performance Index, sample of R's survey package"
licence = "GPL"
[source]
kind = "microdata"
file = "api.csv"
sha256 = ""
bytes = 0
[design]
{design}
[weighting]
{weighting}
"""

API_MARGINS = {
    ("stype",): {"E": 4421, "M": 1018, "H": 755},
    ("schwide",): {"Yes": 5122, "No": 1072},
    ("awarded",): {"Yes": 4167, "No": 2027},
    ("stype", "schwide"): {"E*No": 472, "H*No": 334, "M*No": 266, "E*Yes": 3949, "H*Yes": 421, "M*Yes": 752},
}


def write_api(
    root: Path,
    raw: Path,
    design: str,
    weighting: str = 'method = "given"',
    strata: str = "",
    margins: Sequence[tuple[str, ...]] = (),
    interval: str = "logit",
    lonely: str = "certainty",
) -> Path:
    """A barometer of one wave over a sample of Californian schools (``apistrat``, ``apisrs``, ``apiclus1``).

    ``strata`` is the text of the file of population counts; ``margins`` are written from the known
    totals of the 6,194 schools.
    """
    for folder in ("schemas/waves", "schemas/instruments", "warehouse/raw"):
        (root / folder).mkdir(parents=True)
    schemas = root / "schemas"
    (schemas / "barometer.toml").write_text(
        IDENTITY.format(interval=interval, lonely=lonely), encoding="utf-8"
    )
    (schemas / "codebook.toml").write_text(API_CODEBOOK, encoding="utf-8")
    (schemas / "indicators.toml").write_text(API_INDICATORS, encoding="utf-8")
    (schemas / "domains.toml").write_text(API_DOMAINS, encoding="utf-8")
    (schemas / "instruments" / "api.toml").write_text('language = "en"\n', encoding="utf-8")
    (schemas / "instruments" / "api.csv").write_text(API_CROSSWALK, encoding="utf-8")
    shutil.copyfile(raw, root / "warehouse" / "raw" / "api.csv")
    if strata:
        (root / "warehouse" / "raw" / "strata.csv").write_text(strata, encoding="utf-8")
        design += '\npopulation = "strata.csv"'
    if margins:
        listed = ", ".join("[" + ", ".join(f'"{name}"' for name in margin) + "]" for margin in margins)
        weighting += f'\nmargins = [{listed}]\ntotals = "margins.csv"'
        rows = [
            f"{'*'.join(margin)},{code},{total}\n"
            for margin in margins
            for code, total in API_MARGINS[margin].items()
        ]
        (root / "warehouse" / "raw" / "margins.csv").write_text(
            "margin,code,total\n" + "".join(rows), encoding="utf-8"
        )
    wave = API_WAVE.format(design=design, weighting=weighting)
    (schemas / "waves" / "us-api-2000.toml").write_text(wave, encoding="utf-8")
    pin(root, "us-api-2000")
    return root


EAII_DIVISIONS = [
    *range(10, 34),
    35,
    36,
    38,
    39,
    *range(49, 54),
    55,
    56,
    *range(58, 67),
    *range(69, 76),
    *range(77, 83),
    86,
]


def write_eaii(root: Path, raw: Path) -> Path:
    """A barometer over Uruguay's innovation survey 2019-21, its official raw file untouched.

    The file has a byte order mark, CRLF, semicolons, decimal commas and line breaks inside quotes.
    """
    for folder in ("schemas/waves", "schemas/instruments", "warehouse/raw"):
        (root / folder).mkdir(parents=True)
    schemas = root / "schemas"
    divisions = EAII_DIVISIONS
    codes = "".join(f'codes.d{division} = "Division {division}"\n' for division in divisions)
    (schemas / "barometer.toml").write_text(
        IDENTITY.format(interval="logit", lonely="certainty"), encoding="utf-8"
    )
    (schemas / "codebook.toml").write_text(
        f"""
[variables.sector]
label = "Sector"
codes.industry = "Manufacturing"
codes.services = "Services and other"
[variables.division]
label = "Division (ISIC)"
{codes}
[questions.innovative]
type = "single"
base = "all"
text = "Innovative enterprise?"
codes.yes = "Yes"
codes.no = "No"
[questions.activity]
type = "grid"
base = "all"
text = "Which innovation activities?"
{"".join(f'items.a{number} = "Activity {number}"{chr(10)}' for number in range(1, 10))}
codes.yes = "Yes"
codes.no = "No"
[questions.importance]
type = "grid"
base = "all"
text = "How important were these reasons?"
items.r1 = "Reason 1"
items.r5 = "Reason 5"
items.r10 = "Reason 10"
items.r15 = "Reason 15"
codes.c1 = "1"
codes.c2 = "2"
codes.c3 = "3"
codes.c4 = "4"
codes.unknown = "Not known"
nonresponse = ["unknown"]
""",
        encoding="utf-8",
    )
    importance = "".join(
        f'[indicators.importance_{code}]\nquestion = "importance"\ncodes = ["c{code}"]\ndenominator = "substantive"\n'
        for code in range(1, 5)
    )
    (schemas / "indicators.toml").write_text(
        f"""
[indicators.innovative]
question = "innovative"
[indicators.activity]
question = "activity"
codes = ["yes"]
[indicators.innovative_enterprises]
total = "innovative"
{importance}
""",
        encoding="utf-8",
    )
    (schemas / "domains.toml").write_text(
        '[domains.total]\nby = []\n[domains.sector]\nby = ["sector"]\n[domains.division]\nby = ["division"]\n',
        encoding="utf-8",
    )
    rows = ["source_variable,source_code,variable,code,note"]
    for division in divisions:
        rows.append(f"Division,{division},sector,{'industry' if 10 <= division <= 33 else 'services'},")
        rows.append(f"Division,{division},division,d{division},")
    rows += ["Innovativa,1,innovative,yes,", "Innovativa,2,innovative,no,"]
    for number in range(1, 10):
        rows += [f"B1_{number}_1,1,activity.a{number},yes,", f"B1_{number}_1,2,activity.a{number},no,"]
    for number in (1, 5, 10, 15):
        rows += [f"H1A_{number},{code},importance.r{number},c{code}," for code in range(1, 5)]
        rows.append(f"H1A_{number},999,importance.r{number},unknown,")
    (schemas / "instruments" / "eaii.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (schemas / "instruments" / "eaii.toml").write_text('language = "es"\n', encoding="utf-8")
    shutil.copyfile(raw, root / "warehouse" / "raw" / "eaii.csv")
    (schemas / "waves" / "uy-eaii-2021.toml").write_text(
        """
country = "UY"
survey = "uy-eaii"
edition = "2019-2021"
instrument = "eaii"
unit = "enterprise"
status = "official"
reference_period = { start = 2019-01-01, end = 2021-12-31 }
[origin]
producer = "ANII and INE"
title = "Encuesta de Actividades de Innovación 2019-2021"
licence = "Open data of Uruguay"
[source]
kind = "microdata"
file = "eaii.csv"
sha256 = ""
bytes = 0
delimiter = ";"
decimal = ","
[design]
id = "ID_Estadistico"
weight = "w_trans"
[weighting]
method = "given"
""",
        encoding="utf-8",
    )
    pin(root, "uy-eaii-2021")
    return root
