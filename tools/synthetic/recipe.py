"""The recipe of a synthetic wave: ``tools/synthetic/recipes/<wave>.toml``, on top of ``common.toml``.

Here belong the keys of a recipe and their reading. A recipe holds shares and counts only; variables, codes,
routing and the layout of the raw file are declared in the codebook, the crosswalk and the wave.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.catalogue.hints import did_you_mean
from pipeline.catalogue.model import Catalogue
from pipeline.problems import Problem, ProblemError
from tools.synthetic.section import Section, opened

FOLDER = "tools/synthetic/recipes"
COMMON = "common.toml"

Shares = Mapping[str, float]


@dataclass(frozen=True)
class Background:
    """A column of the population register, with its shares: of everyone, or for each code of ``given``.

    ``name`` is a background variable of the codebook, or else a source column with its own codes.
    """

    name: str
    given: str
    shares: Mapping[str, Shares]  # keyed "" where ``given`` is blank


@dataclass(frozen=True)
class Clusters:
    """Primary sampling units inside each code of a register column: how many there are, and are drawn."""

    within: str
    number: Mapping[str, int]
    drawn: Mapping[str, int]


@dataclass(frozen=True)
class Goal:
    """One published figure that the weighted answers agree with, in percent."""

    indicator: str
    category: str
    domain: str
    domain_code: str
    value: float

    @property
    def key(self) -> tuple[str, str, str, str]:
        """The cell of the figure."""
        return self.indicator, self.category, self.domain, self.domain_code

    def __str__(self) -> str:
        return " ".join(part for part in self.key if part)


@dataclass(frozen=True)
class NumberRanges:
    """The range of a number: for each code of the register column ``by``, low and high."""

    by: str
    ranges: Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class FileLayout:
    """What a raw file carries beside its cells: labels for formats that hold labels, notes for workbooks.

    Keys of ``labels`` and ``missing`` are column name patterns such as ``Q7_*``.
    """

    label: str
    notes: tuple[str, ...]
    columns: Mapping[str, str]
    labels: Mapping[str, Mapping[str, str]]
    missing: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Recipe:
    """How one synthetic wave is drawn. ``shares`` is keyed by question, then code or item, then code."""

    path: str
    seed: int
    agree_with: str
    population: int
    invited: int
    respondents: int
    id: str
    register: tuple[Background, ...]
    clusters: Clusters | None
    rates: Mapping[str, Shares]  # relative chance to be sampled and answer, by register column
    effects: Mapping[str, Shares]  # on the propensity to answer yes, in standard deviations
    shares: Mapping[str, Any]
    exclusive: frozenset[str]  # items of multiple questions that rule out all others
    silence: Shares  # share that leaves a question unanswered; "" is the default, "*" breaks off for good
    numbers: Mapping[str, NumberRanges]
    extra: Mapping[str, Shares]  # source columns that nothing is mapped from
    goals: tuple[Goal, ...]  # beside those of ``agree_with``
    excepted: frozenset[tuple[str, str, str, str]]
    file: FileLayout


def read_recipe(catalogue: Catalogue, wave: str) -> Recipe:
    """The recipe of a wave. Raises ProblemError with every problem of its two files."""
    problems: list[Problem] = []
    root = catalogue.root
    path = root / FOLDER / f"{wave}.toml"
    common = (
        opened(path.with_name(COMMON), root, problems, wave) if path.with_name(COMMON).is_file() else None
    )
    own = opened(path, root, problems, wave)
    data = _merged(common.data, own.data) if common else own.data
    section = Section(data, own.file, problems, wave=wave)
    recipe = _recipe(section) if own.data else None
    if recipe:
        _check(recipe, section, catalogue)
    if problems or recipe is None:
        raise ProblemError(problems or Problem(own.file, "", "is empty", "Fill in the recipe.", wave=wave))
    return recipe


def _check(recipe: Recipe, section: Section, catalogue: Catalogue) -> None:
    """Checks that the parts of a recipe agree with each other."""
    known: list[str] = []
    for each in recipe.register:
        if each.given and each.given not in known:
            section.problem(
                f"register.{each.name}.given",
                "is not a register column declared above this one",
                "Put that column first.",
                each.given,
            )
        known.append(each.name)
        codes = catalogue.codes_of(each.name) if each.name in catalogue.variables else ()
        for code in {code for shares in each.shares.values() for code in shares} if codes else ():
            if code not in codes:
                hint = f"Use one of {', '.join(codes)}.{did_you_mean(code, codes)}"
                section.problem(f"register.{each.name}.shares", "is not a code of this variable", hint, code)
    named = [(f"rates.{name}", name) for name in recipe.rates]
    named += [(f"numbers.{name}.by", numbers.by) for name, numbers in recipe.numbers.items()]
    named += [("clusters.within", recipe.clusters.within)] if recipe.clusters else []
    for key, name in named:
        if name not in known:
            section.problem(key, "is not a column of the register", f"Use one of {', '.join(known)}.", name)
    for code, count in recipe.clusters.drawn.items() if recipe.clusters else ():
        if recipe.clusters and count > recipe.clusters.number.get(code, 0):
            section.problem(f"clusters.drawn.{code}", "is more than there are clusters", "Draw fewer.", count)
    if recipe.respondents > min(recipe.invited, recipe.population):
        hint = "Respondents are some of the invited, who are some of the population."
        section.problem(
            "respondents", "is more than were invited or are in the population", hint, recipe.respondents
        )


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(under)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = _merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def _recipe(section: Section) -> Recipe:
    recipe = Recipe(
        path=section.file,
        seed=section.integer("seed"),
        agree_with=section.text("agree_with", ""),
        population=section.integer("population"),
        invited=section.integer("invited"),
        respondents=section.integer("respondents"),
        id=section.text("id", "{}"),
        register=tuple(_background(name, part) for name, part in section.section("register", True).each()),
        clusters=_clusters(section.section("clusters")) if "clusters" in section else None,
        rates={name: _shares(part) for name, part in section.section("rates").each()},
        effects={name: _shares(part) for name, part in section.section("effects").each()},
        shares=section.section("shares", True).data,
        exclusive=frozenset(section.texts("exclusive", [])),
        silence=_shares(section.section("silence")),
        numbers={name: _numbers(part) for name, part in section.section("numbers").each()},
        extra={name: _shares(part) for name, part in section.section("extra").each()},
        goals=tuple(_goal(part, part.number("value")) for part in section.sections("goal")),
        excepted=frozenset(
            _goal(part, 0.0).key for part in section.sections("except") if part.text("reason")
        ),
        file=_file(section.section("file", True)),
    )
    section.done()
    return recipe


def _shares(part: Section) -> dict[str, float]:
    return {code: part.number(code) for code in part.data}


def _background(name: str, part: Section) -> Background:
    given, shares = part.text("given", ""), part.section("shares", True)
    split = {code: _shares(inner) for code, inner in shares.each()} if given else {"": _shares(shares)}
    part.done()
    return Background(name, given, split)


def _clusters(part: Section) -> Clusters:
    number, drawn = part.section("number", True), part.section("drawn", True)
    clusters = Clusters(
        within=part.text("within"),
        number={code: number.integer(code) for code in number.data},
        drawn={code: drawn.integer(code) for code in drawn.data},
    )
    part.done()
    return clusters


def _numbers(part: Section) -> NumberRanges:
    ranges = part.section("ranges", True)
    found = {code: ranges.numbers(code) or (0.0, 1.0) for code in ranges.data}
    numbers = NumberRanges(part.text("by"), found)
    part.done()
    return numbers


def _goal(part: Section, value: float) -> Goal:
    goal = Goal(
        part.text("indicator"),
        part.text("category", "yes"),
        part.text("domain", "total"),
        part.text("domain_code", ""),
        value,
    )
    part.done()
    return goal


def _file(part: Section) -> FileLayout:
    missing = part.section("missing")
    file = FileLayout(
        label=part.text("label"),
        notes=part.texts("notes", []),
        columns=part.mapping("columns"),
        labels={pattern: part.section("labels").mapping(pattern) for pattern in part.section("labels").data},
        missing={pattern: missing.texts(pattern) for pattern in missing.data},
    )
    part.done()
    return file
