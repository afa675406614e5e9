"""indicators.toml and domains.toml: bases, conditions, estimands and breakdowns."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.catalogue.hints import did_you_mean
from pipeline.catalogue.logic import Condition, Logic
from pipeline.catalogue.model import Catalogue
from pipeline.catalogue.questionnaire import Indicator, Question, question_key
from pipeline.problems import Problem

FILE = "schemas/indicators.toml"


def check_indicators(catalogue: Catalogue) -> Iterator[Problem]:
    """Bases, indicators and breakdowns: every name is known, and no base depends on itself."""
    for base in catalogue.bases.values():
        yield from _logic(base.logic, f"bases.{base.key}", catalogue)
    yield from _circular_bases(catalogue)
    for indicator in catalogue.indicators.values():
        yield from _indicator(indicator, catalogue)
    totals = [domain.key for domain in catalogue.domains.values() if not domain.by]
    if len(totals) > 1:
        hint = "Keep one: every breakdown by nothing is the total."
        yield Problem("schemas/domains.toml", "domains", "has more than one total", hint, ", ".join(totals))
    for domain in catalogue.domains.values():
        if len(set(domain.by)) < len(domain.by):
            hint = "Name each variable once."
            yield Problem(
                "schemas/domains.toml",
                f"domains.{domain.key}.by",
                "has a duplicate entry",
                hint,
                ", ".join(domain.by),
            )
        for name in domain.by:
            if name not in catalogue.variables:
                known = ", ".join(catalogue.variables) or "none is declared"
                hint = (
                    f"Name a background variable of codebook.toml ({known})."
                    f"{did_you_mean(name, list(catalogue.variables))}"
                )
                message = "is not known"
                if name in catalogue.questions:
                    message = "is a question, not a background variable"
                    hint += f" To break down by its answers declare [variables.{name}] in its place."
                yield Problem("schemas/domains.toml", f"domains.{domain.key}.by", message, hint, name)


def _indicator(indicator: Indicator, catalogue: Catalogue) -> Iterator[Problem]:
    key = f"indicators.{indicator.key}"
    if indicator.base not in catalogue.bases:
        hint = f"Declare [bases.{indicator.base}].{did_you_mean(indicator.base, list(catalogue.bases))}"
        yield Problem(FILE, f"{key}.base", "is not a base", hint, indicator.base)
    yield from _logic(indicator.logic, key, catalogue)
    if indicator.question is not None:
        yield from _share(indicator, key, catalogue)
    if indicator.mean is not None:
        yield from _mean(indicator, key, catalogue)
    if indicator.total is not None:
        share = catalogue.indicators.get(indicator.total)
        if share is None or share.total is not None or share.mean is not None:
            shares = [key for key, each in catalogue.indicators.items() if each.unit == "percent"]
            hint = f"Name an indicator that is a share.{did_you_mean(indicator.total, shares)}"
            yield Problem(FILE, f"{key}.total", "is not a share", hint, indicator.total)
        if indicator.weight:
            hint = f"Write it at [indicators.{indicator.total}]: a total has the weight of its share."
            yield Problem(FILE, f"{key}.weight", "is not a total's own", hint, indicator.weight)


def _first_answer(question: Question) -> str:
    """A code of a question that is a substantive answer; any of its codes where none is."""
    substantive = [code for code in question.codes if code not in question.nonresponse]
    return next(iter([*substantive, *question.codes]), "CODE")


def _share(indicator: Indicator, key: str, catalogue: Catalogue) -> Iterator[Problem]:
    question = catalogue.questions.get(indicator.question or "")
    if question is None:
        hint = (
            f"Name a question of codebook.toml."
            f"{did_you_mean(indicator.question or '', list(catalogue.questions))}"
        )
        yield Problem(FILE, f"{key}.question", "is not a question", hint, indicator.question)
    elif question.type == "numeric":
        yield Problem(
            FILE,
            f"{key}.question",
            "is a numeric question",
            "Declare its mean instead: mean = ...",
            indicator.question,
        )
    elif question.type == "grid" and not indicator.codes:
        yield Problem(
            FILE,
            f"{key}.codes",
            "is missing for a grid",
            f'Add the codes that count, such as codes = ["{_first_answer(question)}"].',
        )
    else:
        for code in indicator.codes:
            if code not in question.answer_codes:
                hint = f"Use codes of {question.key}: {', '.join(question.answer_codes)}."
                yield Problem(
                    FILE,
                    f"{key}.codes",
                    "is not known",
                    hint + did_you_mean(code, question.answer_codes),
                    code,
                )


def _mean(indicator: Indicator, key: str, catalogue: Catalogue) -> Iterator[Problem]:
    variable = indicator.mean or ""
    named = catalogue.questions.get(question_key(variable))
    if named is not None and named.items and variable == named.key:
        hint = f"Name one of its items, as {named.answers[0]}, or all of them: {named.key}.*"
        yield Problem(FILE, f"{key}.mean", "is a question of several items", hint, variable)
        return
    if variable not in catalogue.answers and not (named and named.items and variable == f"{named.key}.*"):
        hint = f"Name an answer variable of codebook.toml.{did_you_mean(variable, catalogue.answers)}"
        yield Problem(FILE, f"{key}.mean", "is not an answer variable", hint, variable)
        return
    question = catalogue.question_of(variable)
    if question.type == "multiple":
        hint = f'Declare the shares of its items instead: question = "{question.key}".'
        yield Problem(FILE, f"{key}.mean", "is ticked or not, and has no mean", hint, variable)
        return
    if question.type == "numeric":
        if indicator.scores:
            hint = "Remove scores, or name a question with codes."
            yield Problem(
                FILE, f"{key}.scores", "are for codes, and the question has numbers", hint, variable
            )
        return
    if not indicator.scores:
        yield Problem(
            FILE, f"{key}.scores", "is missing", "Give a number for every code that counts.", variable
        )
    for code in indicator.scores:
        if code not in question.codes:
            hint = f"Use codes of {question.key}.{did_you_mean(code, list(question.codes))}"
            yield Problem(FILE, f"{key}.scores.{code}", "is not a code", hint, code)
    unscored = [
        code for code in question.codes if code not in indicator.scores and code not in question.nonresponse
    ]
    if indicator.scores and unscored:
        hint = "Score them, or list them under nonresponse in codebook.toml."
        yield Problem(FILE, f"{key}.scores", "leaves out substantive answers", hint, ", ".join(unscored))


def _logic(logic: Logic | None, key: str, catalogue: Catalogue) -> Iterator[Problem]:
    for condition in logic.conditions() if logic else ():
        yield from _condition(condition, key, catalogue)


def _condition(condition: Condition, key: str, catalogue: Catalogue) -> Iterator[Problem]:
    known = {*catalogue.variables, *catalogue.answers}
    pattern = condition.pattern
    any_item = pattern.removesuffix(".*") in catalogue.questions and pattern.endswith(".*")
    if any_item and not catalogue.questions[pattern[:-2]].items:
        yield Problem(FILE, key, "has no items", f"Write {pattern[:-2]}=... without .*", str(condition))
        return
    if not any_item and pattern not in known:
        yield Problem(
            FILE,
            key,
            "names an unknown variable",
            f"Correct the name.{did_you_mean(pattern, sorted(known))}",
            str(condition),
        )
        return
    codes = catalogue.codes_of(catalogue.expand(pattern)[0])
    if codes and condition.comparison != "=":
        hint = f"Write {pattern}=code|code; only the answers to a numeric question have a size."
        yield Problem(FILE, key, "compares codes by their size", hint, str(condition))
        return
    if not codes and pattern in catalogue.variables:
        yield Problem(FILE, key, "names a variable without codes", "Give it codes.", str(condition))
    elif not codes and condition.numbers is None:
        hint = f"Write numbers, with a point as decimal mark, as {pattern}>=10 or {pattern}=0|1."
        yield Problem(FILE, key, "compares a number with what is none", hint, str(condition))
    for code in condition.codes:
        if codes and code not in codes:
            hint = f"Use one of {', '.join(codes)}.{did_you_mean(code, codes)}"
            yield Problem(FILE, key, f"names the unknown code {code!r}", hint, str(condition))


def _circular_bases(catalogue: Catalogue) -> Iterator[Problem]:
    """Bases that depend on themselves: a base follows from answers, these from a base."""
    needs = {
        base.key: {
            catalogue.question_of(condition.pattern).base
            for condition in (base.logic.conditions() if base.logic else ())
            if question_key(condition.pattern) in catalogue.questions
        }
        for base in catalogue.bases.values()
    }
    for start in needs:
        trail, waiting = {start}, [[start]]
        while waiting:
            path = waiting.pop()
            for needed in sorted(needs.get(path[-1], ())):
                if needed == start:
                    shown = " -> ".join([*path, start])
                    hint = "Define it by questions that do not depend on it."
                    yield Problem(FILE, f"bases.{start}", "depends on itself", hint, shown)
                elif needed not in trail:
                    trail.add(needed)
                    waiting.append([*path, needed])
