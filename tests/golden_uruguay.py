"""A barometer over Uruguay's innovation survey, for comparison with results of R's ``survey`` package."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.barometers import pin
from tests.golden_barometers import write_identity

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
    schemas = write_identity(root)
    divisions = EAII_DIVISIONS
    codes = "".join(f'codes.d{division} = "Division {division}"\n' for division in divisions)
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
        f'[indicators.enterprises_{code}]\ntotal = "importance_{code}"\n'
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
