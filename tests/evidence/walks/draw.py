"""Draws the files of the walks: a survey of teachers with replicate weights, and a register of local units.

Everybody in them is invented. ``random.Random(seed).random()`` gives the same numbers in every version of
Python, and nothing else of the module is used. ``python tests/evidence/walks/draw.py FOLDER`` writes them as
``walks.R`` reads them.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

Row = dict[str, str]
RHO, FAY, BRR = 0.5, 96, 18
RESIDUES = {number * number % 11 for number in range(1, 11)}  # for Paley's matrix of order 12
ZONES = 20
MUNICIPALITIES = [f"{region:02d}{number:02d}" for region in (1, 2, 3) for number in range(1, 15)]


def hadamard(row: int, column: int) -> int:
    """An entry of a matrix of order 96 with orthogonal rows: Sylvester's of order 8 times Paley's of order 12."""
    (a, i), (b, j) = divmod(row, 12), divmod(column, 12)
    sylvester = (-1) ** bin(a & b).count("1")
    if i == 0 or i == j:
        return sylvester
    if j == 0:
        return -sylvester
    return sylvester if (j - i) % 11 in RESIDUES else -sylvester


def teachers(seed: int, shift: float = 0.0) -> Iterator[Row]:
    """Teachers of two schools in each of 20 variance zones, with Fay's replicate weights of rho 0.5.

    Codes as such studies have them: 6 not applicable, 9 omitted, 998 not reached, 999 omitted.
    """
    random = Random(seed).random
    for zone in range(1, ZONES + 1):
        for school in (1, 2):
            lead = 0.4 * (random() - 0.5) + shift
            for member in range(1, 7):
                weight = round(15 + 45 * random(), 4)
                active = "9" if random() < 0.05 else "1" if random() < 0.7 + lead else "2"
                ticks = ["1" if random() < share + lead else "2" for share in (0.6, 0.3)]
                if active != "1":
                    ticks = ["6", "6"]
                elif random() < 0.06:
                    ticks = ["9", "9"]
                hours = (
                    "998"
                    if random() < 0.03
                    else "999"
                    if random() < 0.05
                    else str(10 + int(20 * random() + 4 * lead))
                )
                agree = ["9" if random() < 0.05 else str(1 + int(4 * random())) for _ in range(2)]
                half = 3 - 2 * school
                yield {
                    "IDSCHOOL": str(1000 + 2 * zone + school), "IDTEACH": str(100 * (1000 + 2 * zone + school) + member),
                    "STRATUM": str(1 + zone * 3 // (ZONES + 1)), "VARZONE": str(zone), "VARUNIT": str(school),
                    "SEX": "1" if random() < 0.6 else "2", "PD": active, "PDTA": ticks[0], "PDTB": ticks[1],
                    "AGRA": agree[0], "AGRB": agree[1], "HOURS": hours,
                    "SCHWGT": f"{round(weight / 3, 4)}", "TCHWGT": f"{weight}",
                    **{f"W_REP{number}": f"{weight * (1 + RHO * half * hadamard(number - 1, zone)):.6f}" for number in range(1, FAY + 1)},
                }  # fmt: skip


def balanced(seed: int) -> Iterator[Row]:
    """Teachers with balanced half samples: 18, which no Hadamard matrix has."""
    for row in teachers(seed):
        half = 3 - 2 * int(row["VARUNIT"])
        kept = {name: cell for name, cell in row.items() if not name.startswith("W_REP")}
        weight, zone = float(row["TCHWGT"]), int(row["VARZONE"])
        yield kept | {f"BRR{number}": f"{weight * (1 + half * hadamard(number, zone)):.6f}" for number in range(1, BRR + 1)}  # fmt: skip


def factors(seed: int) -> Iterator[Row]:
    """Teachers with factors that the weight is yet to be multiplied by, in place of replicate weights."""
    for row in teachers(seed):
        weight = float(row["TCHWGT"])
        yield {
            name: f"{float(cell) / weight:.4f}" if name.startswith("W_REP") else cell
            for name, cell in row.items()
        }


def register(year: int, units: int = 1500) -> Iterator[Row]:
    """Local units of all municipalities: codes with leading zeros, dates, thousands, no unique column."""
    random, counted = Random(year).random, dict.fromkeys(MUNICIPALITIES, 0)
    for _ in range(units):
        municipality = MUNICIPALITIES[int(len(MUNICIPALITIES) * random() ** 1.5)]
        counted[municipality] += 1
        employees = int(2 + 3000 * random() ** 9)
        size = "0-9" if employees < 10 else "10-99" if employees < 100 else "100+"
        forms = ["01", "10", "20", "85"][: 3 + (year > 2023)]
        exports = "" if random() < 0.01 else "J" if random() < 0.2 else "N"
        research = "Y" if random() < 0.3 else "N"
        yield {
            "municipality": municipality,
            "unit_no": f"{counted[municipality]:05d}",
            "region": municipality[:2],
            "nace": f"{1 + int(12 * random()):02d}",
            "legal_form": forms[int(len(forms) * random())],
            "founded": f"{1985 + int(35 * random())}-0{1 + int(9 * random())}-1{int(10 * random())}",
            "size_class": size,
            "employees": f"{employees:,}",
            "turnover": f"{int(50_000 + 90_000_000 * random() ** 6):,}",
            "exporting" if year > 2023 else "export": exports,
            "rd_reported": research if size != "0-9" else "",
        }


FILES = {
    "teachers-2021": lambda: teachers(20281),
    "teachers-2025": lambda: teachers(20282, 0.1),
    "balanced-2022": lambda: balanced(20283),
    "factors-2023": lambda: factors(20284),
    "local-units-2023": lambda: register(2023),
    "local-units-2024": lambda: register(2024),
}


def write(folder: Path, name: str) -> Path:
    """Writes one of the files as CSV, columns parted by a semicolon as some of their cells hold commas."""
    rows, path = list(FILES[name]()), folder / f"{name}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=";", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


if __name__ == "__main__":
    for key in FILES:
        write(Path(sys.argv[1]), key)
