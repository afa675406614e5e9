"""Published figures of a wave without microdata, checked against the catalogue and otherwise unchanged."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd

from pipeline.catalogue.fieldwork import Wave
from pipeline.catalogue.model import Catalogue
from pipeline.catalogue.questionnaire import Indicator, Question, is_confirmed, item_key
from pipeline.contracts import conform, table
from pipeline.problems import Problem, ProblemError, counted
from pipeline.sources import maybe_grouped, numbers, raw_file_name

FIGURE_KEY = ["indicator", "category", "domain", "domain_code"]
REQUIRED_COLUMNS = [*FIGURE_KEY, "value", "n", "note"]
OR_CONFIRM = "; if they are right, begin the notes of these rows with confirmed."
ABOVE_RARE = 10  # per cent: of a share as large, a breakdown hardly has cells of at most 1
ROUNDED = 0.5  # percentage points: how far a printed share may be from its own
PARTS_OVER = 0.01  # relative: how much the parts, each rounded or weighted, may exceed the whole
FRACTION_SUM = 0.05  # rounding of the fractions of a few answers


def harmonise_figures(raw: pd.DataFrame, wave: Wave, catalogue: Catalogue) -> pd.DataFrame:
    """The figures of a wave as their stored table, in the file's order; ``obs_status`` is A where not given.

    Raises ProblemError naming every line whose indicator, category, domain or code is unknown, whose
    percentage is outside 0-100, or that repeats an earlier one; that rests on nobody, on more units than
    answered, or on fewer than a part of it. So do shares that are fractions rather than percentages.
    """
    _require_columns(raw, wave)
    if len(raw):
        _require_own_file(wave, catalogue)
    frame = raw.reset_index(drop=True)
    if "obs_status" not in frame:
        frame = frame.assign(obs_status="A")
    frame["obs_status"] = frame["obs_status"].replace("", "A")
    problems = [
        problem
        for line, row in _numbered_rows(frame)
        for problem in _unknown_names(line, row, wave, catalogue)
    ]
    for line, row in _numbered_rows(frame[frame.duplicated(FIGURE_KEY)]):
        key = ",".join(row[name] for name in FIGURE_KEY)
        problems.append(_problem(wave, f"row {line}", "repeats an earlier figure", "Keep one of them.", key))
    problems += _grouped(frame, wave, catalogue)
    try:
        for name in ("value", "n"):
            frame[name] = numbers(frame[name], name, wave)
        problems += _out_of_range(frame, wave, catalogue)
        problems += _fractions(frame, wave, catalogue)
        problems += _below_their_parts(frame, wave, catalogue)
        own = frame[frame["value"].notna() & ~frame["note"].map(is_confirmed).astype("bool")]
        problems += _unsound_answers(own, wave, catalogue)
        problems += _unsound_breakdowns(own, wave, catalogue)
    except ProblemError as error:
        problems += error.problems
    if problems:
        raise ProblemError(problems)
    return conform(frame, "figures")


def _require_columns(raw: pd.DataFrame, wave: Wave) -> None:
    declared = [field["name"] for field in table("figures")["fields"]]
    problems = []
    for name in [name for name in REQUIRED_COLUMNS if name not in raw]:
        hint = f"The columns are {','.join(declared)}; obs_status may be left out."
        problems.append(
            Problem(raw_file_name(wave.source), f"column {name}", "is missing", hint, wave=wave.key)
        )
    for name in [name for name in raw.columns if name not in declared]:
        hint = "Remove the column, or move its content to the column note."
        problems.append(
            Problem(raw_file_name(wave.source), f"column {name}", "is not known", hint, wave=wave.key)
        )
    if problems:
        raise ProblemError(problems)


def _require_own_file(wave: Wave, catalogue: Catalogue) -> None:
    """Raises ProblemError where another wave has the same figures: only a file without any may be shared."""
    same = [
        other.key
        for other in catalogue.waves.values()
        if other.key != wave.key and not other.is_microdata and other.source.sha256 == wave.source.sha256
    ]
    if same:
        hint = "Name the file of each wave."
        message = f"holds the figures of {', '.join(same)} as well"
        raise ProblemError(Problem(raw_file_name(wave.source), "", message, hint, wave=wave.key))


def _numbered_rows(frame: pd.DataFrame) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows with their number in the file, counted from 1 after the header."""
    for position, row in zip(frame.index, frame.to_dict("records"), strict=True):
        yield int(position) + 1, {str(name): value for name, value in row.items()}


def _unknown_names(row: int, figure: dict[str, Any], wave: Wave, catalogue: Catalogue) -> Iterator[Problem]:
    indicator = catalogue.indicators.get(figure["indicator"])
    if indicator is None:
        hint = "Name an indicator of indicators.toml."
        yield _problem(wave, f"row {row}, indicator", "is not known", hint, figure["indicator"])
    else:
        known = categories(indicator, catalogue)
        if figure["category"] not in known:
            hint = f"Use one of {', '.join(known)}."
            yield _problem(
                wave,
                f"row {row}, category",
                f"is not a category of {indicator.key}",
                hint,
                figure["category"],
            )
    domain = catalogue.domains.get(figure["domain"])
    if domain is None:
        hint = "Name a breakdown of domains.toml."
        yield _problem(wave, f"row {row}, domain", "is not known", hint, figure["domain"])
        return
    codes = figure["domain_code"].split("*") if figure["domain_code"] else []
    is_cell = len(codes) == len(domain.by) and all(
        code in catalogue.codes_of(variable) for variable, code in zip(domain.by, codes, strict=True)
    )
    if not is_cell:
        by = "*".join(domain.by)
        hint = f"Write the codes of {by}, joined by *." if by else "Leave it blank for the total."
        yield _problem(
            wave,
            f"row {row}, domain_code",
            f"is not a cell of the breakdown {domain.key}",
            hint,
            figure["domain_code"],
        )


def categories(indicator: Indicator, catalogue: Catalogue) -> tuple[str, ...]:
    """The categories that an indicator's figures may have."""
    indicator = catalogue.share_behind(indicator)
    if indicator.mean is not None:
        every = indicator.mean.endswith(".*")
        return tuple(map(item_key, catalogue.expand(indicator.mean))) if every else ("mean",)
    if indicator.question is None:
        return ("yes",)
    question = catalogue.questions[indicator.question]
    return tuple(question.items) or tuple(question.codes)


def _out_of_range(frame: pd.DataFrame, wave: Wave, catalogue: Catalogue) -> Iterator[Problem]:
    counts = wave.response
    named = (
        ("respondents", counts.respondents),
        ("sample", counts.sample),
        ("population", counts.population),
    )
    known, most_units = [(name, most) for name, most in named if most is not None], counts.population
    for row, figure in _numbered_rows(frame):
        indicator, value, n = catalogue.indicators.get(figure["indicator"]), figure["value"], figure["n"]
        highest = 100 if indicator and indicator.total is None else math.inf
        if math.isnan(value):
            yield _problem(wave, f"row {row}, value", "is blank", "Write the figure, or remove the row.", "")
        elif indicator and indicator.mean is None and not 0 <= value <= highest:
            hint = "Write a percentage from 0 to 100, or a total of 0 or more."
            yield _problem(wave, f"row {row}, value", "is out of range", hint, str(value))
        asked = catalogue.questions.get(indicator.mean) if indicator and indicator.mean else None
        if asked and asked.type == "numeric" and not _within(value, asked):
            hint = "Correct it, or minimum and maximum of the question."
            yield _problem(
                wave, f"row {row}, value", "is no mean of the question's numbers", hint, f"{value:g}"
            )
        if not math.isnan(n) and (n < 0 or not n.is_integer()):
            yield _problem(
                wave,
                f"row {row}, n",
                "is not a number of respondents",
                "Write a whole number of 0 or more.",
                str(n),
            )

        elif n == 0:
            hint = "Remove the row, or leave n blank where it is not known."
            yield _problem(wave, f"row {row}, n", "is 0, and the figure has a value", hint, "0")
        elif known and n > known[0][1]:
            name, most = known[0]
            message = f"is more than the {most} that answered"
            if name != "respondents":
                message = f"is more than response.{name}, {most}"
            hint = f"Correct it, or response.{name} in the wave file."
            yield _problem(wave, f"row {row}, n", message, hint, f"{n:g}")
        if indicator and indicator.total is not None and most_units is not None and value > most_units:
            message, hint = f"is more than response.population, {most_units}", "Correct one of the two."
            yield _problem(wave, f"row {row}, value", message, hint, f"{value:g}")


def _within(value: float, question: Question) -> bool:
    low = -math.inf if question.minimum is None else question.minimum
    return low <= value <= (math.inf if question.maximum is None else question.maximum)


def _grouped(frame: pd.DataFrame, wave: Wave, catalogue: Catalogue) -> Iterator[Problem]:
    """Counts, which have no decimals, whose decimal mark may part thousands: 1.500 would be 1.5."""
    totals = frame["indicator"].isin([key for key, made in catalogue.indicators.items() if made.total])
    for name, counts in (("value", frame["value"][totals]), ("n", frame["n"])):
        if maybe_grouped(counts, wave.source):
            mark = wave.source.decimal
            other = "." if mark == "," else ","
            hint = (
                f"Set source.thousands = {mark!r} and source.decimal = {other!r}; or thousands = '' if not."
            )
            message = f"has three digits after every {mark!r}: thousands separator?"
            yield Problem(raw_file_name(wave.source), f"column {name}", message, hint, wave=wave.key)


def _fractions(frame: pd.DataFrame, wave: Wave, catalogue: Catalogue) -> Iterator[Problem]:
    """Shares that are fractions: all of the file at most 1, or the answers to a single choice adding up to 1.

    A file of nothing but rare answers is one whose notes say so: those that begin with ``confirmed``.
    """
    percents = [key for key, made in catalogue.indicators.items() if made.unit == "percent"]
    shares = frame[frame["indicator"].isin(percents) & frame["value"].notna()]
    shares = shares[~shares["note"].map(is_confirmed).astype("bool")]
    hint = (
        "Write percentages, 74 and not 0.74 (a workbook may show 74 % and hold 0.74); "
        "if they are right, begin the notes of these rows with confirmed."
    )
    if not shares.empty and shares["value"].max() <= 1 and (shares["value"] > 0).any():
        message = f"holds {counted(len(shares), 'share')}, none above 1: fractions, not percentages"
        yield _problem(wave, "column value", message, hint, f"{shares['value'].max():g}")
        return
    totals = shares[shares["domain"] == catalogue.total.key].drop_duplicates(FIGURE_KEY[:2])
    total_of = totals.set_index(FIGURE_KEY[:2])["value"].to_dict()
    for line, row in _numbered_rows(shares[(shares["value"] > 0) & (shares["value"] <= 1)]):
        total = total_of.get((row["indicator"], row["category"]), 0.0)
        if total >= ABOVE_RARE and abs(100 * row["value"] - total) < total / 2:
            message = f"is a fraction beside a total of {total:g} per cent"
            yield _problem(wave, f"row {line}, value", message, hint, f"{row['value']:g}")
    for (indicator, domain, code), cell in shares.groupby(["indicator", "domain", "domain_code"]):
        whole = catalogue.indicators[str(indicator)]
        single = _is_single_choice(whole, catalogue)
        if single and len(cell) > 1 and abs(cell["value"].sum() - 1) <= FRACTION_SUM:
            key = f"indicator {indicator}, {domain} {code}".strip()
            message = "has shares that add up to 1: fractions, not percentages"
            yield _problem(wave, key, message, hint, f"{cell['value'].sum():g}")


def _below_their_parts(frame: pd.DataFrame, wave: Wave, catalogue: Catalogue) -> Iterator[Problem]:
    """Totals, and numbers of respondents, that are smaller than those of a cell of a breakdown."""
    total = catalogue.total.key
    whole = frame[frame["domain"] == total].drop_duplicates(FIGURE_KEY[:2]).set_index(FIGURE_KEY[:2])
    for row, figure in _numbered_rows(frame[frame["domain"] != total]):
        key = (figure["indicator"], figure["category"])
        if key not in whole.index or figure["indicator"] not in catalogue.indicators:
            continue
        names = ["n", "value"] if catalogue.indicators[figure["indicator"]].unit == "count" else ["n"]
        for name in names:
            most = float(whole.loc[key, name])
            if figure[name] > most:
                hint = "Correct one of the two: a part is not larger than the whole."
                message = f"is more than that of the total, {most:g}"
                yield _problem(wave, f"row {row}, {name}", message, hint, f"{figure[name]:g}")


def _unsound_answers(own: pd.DataFrame, wave: Wave, catalogue: Catalogue) -> Iterator[Problem]:
    """Shares of a single choice that add up to more than 100, or, where all are there, to less."""
    for (indicator, domain, code), cell in own.groupby(["indicator", "domain", "domain_code"]):
        whole = catalogue.indicators.get(str(indicator))
        if whole is None or not _is_single_choice(whole, catalogue):
            continue
        sum_of, rounded = float(cell["value"].sum()), ROUNDED * len(cell)
        complete = set(cell["category"]) == set(catalogue.questions[whole.question or ""].codes)
        message = "has shares of a single choice that add up to more than 100"
        if complete and 1 + FRACTION_SUM < sum_of < 100 - rounded:
            message = "has all shares of a single choice, and they do not add up to 100"
        elif sum_of <= 100 + rounded:
            continue
        key = f"indicator {indicator}, {domain} {code}".strip()
        yield _problem(wave, key, message, f"Correct them{OR_CONFIRM}", f"{sum_of:g}")


def _unsound_breakdowns(own: pd.DataFrame, wave: Wave, catalogue: Catalogue) -> Iterator[Problem]:
    """Cells of a breakdown that are more than the total together, or all above or all below it."""
    totals = own[own["domain"] == catalogue.total.key].drop_duplicates(FIGURE_KEY[:2])
    total_of = {(row["indicator"], row["category"]): row for _, row in _numbered_rows(totals)}
    for (indicator, category, domain), cells in own.groupby(["indicator", "category", "domain"]):
        made, total = catalogue.indicators.get(str(indicator)), total_of.get((indicator, category))
        if made is None or total is None or domain not in catalogue.domains or domain == catalogue.total.key:
            continue
        key = f"indicator {indicator}, category {category}, breakdown {domain}"
        hint = f"Correct one of them{OR_CONFIRM}"
        for name in ["n", "value"] if made.unit == "count" else ["n"]:
            parts = float(cells[name].sum())
            most = float(total[name])
            if cells[name].max() <= most and parts > most * (1 + PARTS_OVER) + len(cells):
                message = f"adds up to more than the total in column {name}, {most:g}"
                yield _problem(wave, key, message, hint, f"{parts:g}")
        low, high, whole = float(cells["value"].min()), float(cells["value"].max()), float(total["value"])
        complete = made.unit != "count" and len(cells) == _cells_of(str(domain), wave, catalogue)
        if complete and not low - 2 * ROUNDED <= whole <= high + 2 * ROUNDED:
            message = f"has values from {low:g} to {high:g}, and the total is outside"
            yield _problem(wave, key, message, hint, f"{whole:g}")


def _is_single_choice(indicator: Indicator, catalogue: Catalogue) -> bool:
    question = catalogue.questions.get(indicator.question or "")
    return question is not None and question.type == "single" and not indicator.codes


def _cells_of(domain: str, wave: Wave, catalogue: Catalogue) -> int:
    """How many cells a breakdown of a wave has."""
    by = catalogue.domains[domain].by
    return math.prod(len(wave.scope.get(name, catalogue.codes_of(name))) for name in by)


def _problem(wave: Wave, key: str, message: str, hint: str, value: str) -> Problem:
    return Problem(raw_file_name(wave.source), key, message, hint, value, wave.key)
