"""Draws the samples of this folder: ``python tests/evidence/draw.py`` writes the committed files again.

Everybody in them is invented. ``random.Random(seed).random()`` gives the same numbers in every version of
Python, and nothing else of the module is used; so every file comes out the same to the byte.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random

SAMPLES = Path(__file__).parent / "samples"
SECTORS, REGIONS = ("care", "school", "admin"), ("north", "south", "west")
FRAME = {  # sector and size: workplaces in the frame, drawn; the last stratum is taken whole
    ("care", "small"): (620, 62), ("care", "large"): (140, 48), ("school", "small"): (480, 56),
    ("school", "large"): (90, 40), ("admin", "small"): (260, 50), ("admin", "large"): (24, 24),
}  # fmt: skip
CLUSTERS = {"n1": (31, 6), "n2": (24, 5), "s1": (18, 7), "s2": (12, 4), "w1": (9, 4)}  # in the frame, drawn
HADAMARD = [[(-1) ** bin(row & column).count("1") for column in range(8)] for row in range(8)]
PAIRS, BOOTSTRAPS, RHO = 7, 20, 0.3


class Draw:
    """Random numbers, and workplaces made of them."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def one(self, options: Iterable[tuple[str, float]]) -> str:
        """An option with its probability; the last where those do not sum to 1."""
        left, given = self.random.random(), list(options)
        for option, probability in given:
            left -= probability
            if left < 0:
                return option
        return given[-1][0]

    def below(self, most: int) -> int:
        """A whole number from 0 to ``most`` - 1."""
        return int(self.random.random() * most)

    def answers(self, sector: str, shift: float = 0.0) -> dict[str, str]:
        """Answers of a workplace; ``shift`` makes it likelier to innovate.

        Blank is no answer, of a routed question also not asked, of a tick not ticked.
        """
        lead = {"care": 0.05, "school": 0.12, "admin": -0.08}.get(sector, 0.0) + shift
        product = self.one([("yes", 0.45 + lead), ("no", 0.42 - lead), ("dk", 0.07), ("", 0.06)])
        service = self.one([("yes", 0.25 + lead), ("no", 0.60 - lead), ("dk", 0.05), ("", 0.10)])
        asked = "yes" in (product, service)
        novelty = self.one([("first", 0.22), ("copied", 0.55 - lead), ("dk", 0.13), ("", 0.10)])
        quality, savings = self.one([("1", 0.7), ("", 0.3)]), self.one([("1", 0.2 + lead), ("", 0.8)])
        large = 1 + 5 * (self.random.random() < 0.3)
        return {
            "product": product,
            "service": service,
            "novelty": novelty if asked else "",
            "quality": quality if asked else "",
            "savings": savings if asked else "",
            "staff": self.one([("", 0.08), (f"{(3 + self.below(40)) * large}.5", 0.92)]),
            "climate": self.one([*((str(score), 0.17) for score in range(1, 6)), ("9", 0.1), ("", 0.05)]),
            "rare": self.one([("yes", 0.03), ("no", 0.97)]),
            "never": "no",
            "always": "yes",
        }

    def quiet(self) -> dict[str, str]:
        """Answers of a workplace that did nothing: a domain of these has nobody whom a routed question
        asks.
        """
        return self.answers("care") | dict.fromkeys(("novelty", "quality", "savings"), "") | {"product": "no", "service": "no"}  # fmt: skip


def simple(draw: Draw) -> Iterator[dict[str, str]]:
    """240 of 2,000, at random, with weights of some who answered for others and 12 random groups left out
    in turn.
    """
    groups = 12
    for row in range(240):
        sector = draw.one([("care", 0.5), ("school", 0.35), ("admin", 0.15)])
        region = draw.one([("north", 0.3), ("south", 0.5), ("west", 0.2)])
        island = "quiet" if row % 60 == 7 else "far" if row % 40 == 3 else "main"
        answers = draw.quiet() if island == "quiet" else draw.answers(sector)
        weight = round(2000 / 240 * (0.7 + 0.6 * draw.random.random()), 4)
        group = (row * 7) % groups
        replicates = {
            f"jk_{number + 1}": "0" if number == group else f"{weight * groups / (groups - 1):.6f}"
            for number in range(groups)
        }
        yield {"id": f"a{row:03}", "sector": sector, "region": region, "island": island, **answers, "weight": f"{weight}", "probability": f"{1 / weight:.6f}", **replicates}  # fmt: skip


def stratified(draw: Draw, letter: str = "b", shift: float = 0.0) -> Iterator[dict[str, str]]:
    """Strata of sector and size, drawn at rates from a tenth to all; the weight corrects for who did not
    answer. Turnover is known of everybody, and the weight of its households is another one.
    """
    number, own = 0, Draw(20266 + ord(letter))
    for (sector, size), (frame, drawn) in FRAME.items():
        for _ in range(drawn):
            number += 1
            region = draw.one([("north", 0.35), ("south", 0.4), ("west", 0.25)])
            island = "quiet" if number % 70 == 11 else "far" if number % 35 == 5 else "main"
            answers = draw.quiet() if island == "quiet" else draw.answers(sector, shift)
            weight = round(frame / drawn * (1 + 0.25 * draw.random.random()), 4)
            turnover = (4 + own.below(90)) * (6 if size == "large" else 1) + 0.25
            households = round(weight * (0.5 + 2 * own.random.random()), 4)
            yield {"id": f"{letter}{number:03}", "sector": sector, "size": size, "region": region, "island": island, **answers, "weight": f"{weight}", "turnover": f"{turnover}", "households": f"{households}"}  # fmt: skip


def clustered(draw: Draw) -> Iterator[dict[str, str]]:
    """Municipalities within strata, numbered anew in each; the island ``far`` lies in a single municipality.

    ``lonely`` are the same strata, but for a municipality that is a stratum by itself.
    """
    number, own = 0, Draw(20270)
    for stratum, (frame, drawn) in CLUSTERS.items():
        for psu in range(drawn):
            lead, size = 0.3 * (draw.random.random() - 0.5), 6 + draw.below(9)
            lonely = "alone" if (stratum, psu) == ("n1", 0) else stratum
            for member in range(size):
                number += 1
                sector = draw.one([("care", 0.45), ("school", 0.35), ("admin", 0.2)])
                far, quiet = (stratum, psu) == ("w1", 2), member == 0 and psu == 1
                island = "far" if far else "quiet" if quiet else "main"
                answers = draw.quiet() if island == "quiet" else draw.answers(sector, lead)
                weight = round(frame / drawn * (1.5 + 2 * draw.random.random()), 4)
                region = {"n": "north", "s": "south", "w": "west"}[stratum[0]]
                if draw.random.random() < 0.2:
                    region = draw.one([(name, 1 / 3) for name in REGIONS])
                yield {"id": f"c{number:03}", "stratum": stratum, "psu": str(psu), "lonely": lonely, "sector": sector, "region": region, "island": island, **answers, "weight": f"{weight}", "turnover": f"{(4 + own.below(90)) * 1.5}"}  # fmt: skip


def with_module(rows: Iterable[dict[str, str]], seed: int) -> Iterator[dict[str, str]]:
    """The same units with the weight of a module that was put to a part of them.

    Blank or 0 stands where it was not: in two of five at random, and in every seventh town. All on the small
    islands have it.
    """
    own = Draw(seed)
    for row in rows:
        asked, factor = own.random.random() < 0.6, 0.8 + 1.6 * own.random.random()
        asked &= row.get("psu") != "4" or row["stratum"] == "n1"
        weight = round(float(row["weight"]) * factor, 4) if asked or row["island"] != "main" else 0
        yield {**row, "module": f"{weight}" if weight else "0" if factor < 1.5 else ""}


def paired(draw: Draw) -> Iterator[dict[str, str]]:
    """Two municipalities in each of seven strata, with four sets of replicate weights.

    Balanced half samples, Fay's with rho 0.3, one municipality left out in turn, and Rao and Wu's bootstrap:
    one of the two drawn at random, twice the weight.
    """
    drawn = [[draw.below(2) for _ in range(PAIRS)] for _ in range(BOOTSTRAPS)]
    number = 0
    for stratum in range(PAIRS):
        for psu in range(2):
            lead = 0.3 * (draw.random.random() - 0.5)
            for member in range(9):
                number += 1
                sector = draw.one([("care", 0.45), ("school", 0.35), ("admin", 0.2)])
                island = "far" if (stratum, psu) == (3, 1) else "quiet" if member == 0 and psu == 0 and stratum < 4 else "main"  # fmt: skip
                answers = draw.quiet() if island == "quiet" else draw.answers(sector, lead)
                weight = round(4 + 6 * draw.random.random(), 4)
                region = draw.one([("north", 0.3), ("south", 0.5), ("west", 0.2)])
                halves = [1 if HADAMARD[half][stratum + 1] == 1 - 2 * psu else -1 for half in range(8)]
                replicates = {f"brr_{half + 1}": weight * (1 + kept) for half, kept in enumerate(halves)}
                replicates |= {f"fay_{half + 1}": weight * (1 + (1 - RHO) * kept) for half, kept in enumerate(halves)}  # fmt: skip
                replicates |= {
                    f"jkn_{out + 1}": weight * (1 if out // 2 != stratum else 2 * (out % 2 != psu))
                    for out in range(2 * PAIRS)
                }
                replicates |= {f"boot_{turn + 1}": weight * 2 * (chosen[stratum] == psu) for turn, chosen in enumerate(drawn)}  # fmt: skip
                yield {
                    "id": f"d{number:03}", "stratum": f"t{stratum}", "psu": str(psu), "sector": sector, "region": region,
                    "island": island, **answers, "weight": f"{weight}",
                    **{name: f"{round(value, 6):g}" if value in (0, weight) else f"{value:.6f}" for name, value in replicates.items()},
                }  # fmt: skip


def samples() -> dict[str, list[dict[str, str]]]:
    """Every sample by its file's name."""
    return {
        "simple": list(simple(Draw(20261))),
        "stratified": list(stratified(Draw(20262))),
        "stratified_later": list(stratified(Draw(20263), "e", 0.06)),
        "clustered": list(clustered(Draw(20264))),
        "paired": list(paired(Draw(20265))),
        "stratified_module": list(with_module(stratified(Draw(20266), "m"), 20267)),
        "clustered_module": list(with_module(clustered(Draw(20268)), 20269)),
    }


def counts() -> dict[str, list[dict[str, str]]]:
    """Population counts, and the totals that weights are calibrated to."""
    sizes = {
        code: sum(frame for (sector, _), (frame, _) in FRAME.items() if sector == code) for code in SECTORS
    }
    everybody = sum(sizes.values())
    regions = {"north": 600, "south": 650, "west": everybody - 1250}
    joint = {(s, r): round(sizes[s] * regions[r] / everybody) for s in SECTORS for r in REGIONS}
    crossed = {(s, size): frame for (s, size), (frame, _) in FRAME.items()}

    def margin(name: str, totals: dict[str, int]) -> list[dict[str, str]]:
        return [{"margin": name, "code": code, "total": str(total)} for code, total in totals.items()]

    towns = 0.97 * sum(float(row["weight"]) * float(row["turnover"]) for row in clustered(Draw(20264)))
    turnover = 1.04 * sum(FRAME[row["sector"], row["size"]][0] / FRAME[row["sector"], row["size"]][1] * float(row["turnover"]) for row in stratified(Draw(20262)))  # fmt: skip

    return {
        "simple_population": [{"population": "2000"}],
        "stratified_population": [{"sector": s, "size": size, "population": str(n)} for (s, size), n in crossed.items()],
        "clustered_population": [{"stratum": name, "population": str(frame)} for name, (frame, _) in CLUSTERS.items()],
        "totals": [*margin("sector", sizes), *margin("region", regions)],
        "regressed_totals": [
            *margin("sector", sizes), {"margin": "turnover", "code": "", "total": f"{round(turnover)}"},
        ],
        "towns_totals": [
            *margin("sector", sizes), {"margin": "turnover", "code": "", "total": f"{round(towns)}"},
        ],
        "crossed_totals": [
            *margin("sector*size", {"*".join(key): n for key, n in crossed.items()}), *margin("region", regions),
        ],
        "joint_totals": margin("sector*region", {"*".join(key): n for key, n in joint.items()}),
        "simple_totals": margin("sector", {"care": 1010, "school": 690, "admin": 300}),
    }  # fmt: skip


def write(folder: Path) -> None:
    """Writes every file below ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in (samples() | counts()).items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    write(SAMPLES)
