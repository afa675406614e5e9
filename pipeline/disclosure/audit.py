"""The audit of a release: everything published is attacked as an outsider could, before it is sealed.

It reads the declarations and published tables only: those of the candidate and of every earlier release that
was not withdrawn; narrowed estimates it takes from their comparisons. What it proves: under the attacker's
knowledge (``attack``), each cell that is hidden for its own sake, and a small remainder of a cell outside of
scopes (``scoped_view``), can be disclosed no closer than ``audit_width``, in points of 100 (a mean: of its
scores or, without them, of the largest mean shown; a count: of its base), and one that is hidden for others
no closer than ``secondary_width``. It also proves that no subtraction gives a cell of the first kind, that
nothing hidden now is shown in a release that is still published, that no number has more digits than
declared, and that beside a hidden cell every n is rounded and no design effect is shown (``checks``). What it
does not prove stands in ``docs/disclosure.md``. Neither a problem nor the report ever holds a hidden value,
or how far a cell can be disclosed.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from pipeline.arrays import Flags
from pipeline.catalogue.model import Catalogue, Disclosure
from pipeline.disclosure.attack import Attack, attack
from pipeline.disclosure.checks import beside, digits, named, numerators, still_shown
from pipeline.disclosure.linkage import Linkage, linkage
from pipeline.disclosure.published_view import PublishedView, views, with_earlier
from pipeline.disclosure.ranges import ENOUGH
from pipeline.disclosure.scope_sums import twins
from pipeline.disclosure.scoped_view import Scoped, needs, scoped, widened, with_counts
from pipeline.disclosure.sizes import known_sums, sizes_of
from pipeline.disclosure.sums import Sum
from pipeline.disclosure.tables import Tables, scoped_estimates
from pipeline.disclosure.unit_numbers import NUMBER, with_numbers
from pipeline.problems import Problem

WITHDRAW_OR = "Build the candidate again; if an earlier release discloses the cell, withdraw that release."
CLOSE_N = "is hidden, but its number of answers can be worked out more closely than n is rounded"
REMAINDER = "the rest of the cell outside this scope, which may have too few answers"
FEWER_ANSWERS = "is shown over some of the answers, but hidden over all of them"

Views = tuple[PublishedView, PublishedView | None]  # of a wave, and of its narrowed estimates


@dataclass(frozen=True)
class Audit:
    """``problems``: what an outsider could find out, none if the release is safe. ``report``: counts only.

    ``programmes``: linear programmes solved, which depends on the solver and so is not in the report.
    """

    problems: list[Problem]
    report: dict[str, Any]
    programmes: int = 0


def audit(published: Sequence[tuple[str, Tables]], catalogue: Catalogue) -> Audit:
    """Attack a candidate together with the releases that are already published.

    ``published``: (label, tables by name) of every release that is not withdrawn, in any order, and of the
    candidate, last; ``estimates``, and the tables that compare them. A label names the release in problems.
    """
    *earlier, (_, tables) = published
    candidate = tables["estimates"][tables["estimates"]["source_kind"] == "microdata"]
    problems = [*digits(candidate, catalogue), *digits(scoped_estimates(tables), catalogue)]
    for label, others in published:
        problems += still_shown(candidate, others, label, catalogue)
    linked, tally = linkage(catalogue), _Tally()
    before = [_views(others, catalogue) for _, others in earlier]
    for wave, both in _views(tables, catalogue).items():
        out = [every[wave] for every in before if wave in every]
        own = candidate[candidate["wave"] == wave]
        problems += _attacked(own, both, out, linked, catalogue, tally)
    return Audit(problems, tally.report(catalogue.barometer.disclosure, len(earlier)), tally.programmes)


@dataclass
class _Tally:
    """Counts over all waves. ``audited`` and ``disclosed``: by kind (``_kinds``), how many cells were
    attacked, and are under-protected; ``smallest``: the least width of a primary one.
    """

    programmes: int = 0
    alone_before: int = 0
    alone_after: int = 0
    audited: Counter[str] = field(default_factory=Counter)
    disclosed: Counter[str] = field(default_factory=Counter)
    close: int = 0
    smallest: float = np.inf

    def add(self, made: Attack, disclosed: Flags, kinds: Mapping[str, Flags], need: float) -> None:
        """Add one wave. ``disclosed``: under-protected cells; ``need``: the width that primary ones need."""
        self.programmes += made.programmes
        for kind, own in kinds.items():
            self.audited[kind] += int((own & np.isfinite(made.width)).sum())
            self.disclosed[kind] += int((own & disclosed).sum())
        self.close += int((made.width[kinds["secondary"]] < need - ENOUGH).sum())
        self.smallest = min(self.smallest, float(np.nanmin(made.width[kinds["cells"]], initial=np.inf)))

    def report(self, rules: Disclosure, earlier: int) -> dict[str, Any]:
        """The counts, and a width that every primary cell keeps: rounded down, at most ``audit_width``."""
        return {
            "audit_width": rules.audit_width,
            "audited_cells": self.audited["cells"],
            "pinned_cells": self.disclosed["cells"],
            "every_width_is_at_least": math.floor(min(self.smallest + ENOUGH, rules.audit_width)),
            "secondary_width": rules.secondary_width,
            "audited_secondary": self.audited["secondary"],
            "pinned_secondary": self.disclosed["secondary"],
            "secondary_closer_than_audit_width": self.close,
            "audited_numbers": self.audited["numbers"],
            "pinned_numbers": self.disclosed["numbers"],
            "audited_on_scopes": self.audited["on_scopes"],
            "pinned_on_scopes": self.disclosed["on_scopes"],
            "earlier_releases": earlier,
            "recovered_by_subtraction": {
                "primary_only": self.alone_before, "as_published": self.alone_after
            },
        }  # fmt: skip


def _kinds(seen: PublishedView, plain: int) -> dict[str, Flags]:
    """The cells (measures x cells) by kind; ``plain``: the number of the wave's own, which come first."""
    number = np.array([unit == NUMBER for unit in seen.unit])[:, None]
    own = np.arange(len(seen.cells)) < plain
    return {
        "cells": seen.primary & ~number & own,
        "secondary": seen.secondary & ~number & own,
        "numbers": number & own,
        "on_scopes": ~number & ~own,
    }


def _attacked(
    candidate: pd.DataFrame,
    both: Views,
    before: Sequence[Views],
    linked: Linkage,
    catalogue: Catalogue,
    tally: _Tally,
) -> Iterator[Problem]:
    """The problems of one wave. ``both``, ``before``: its views, of the candidate and of earlier releases."""
    rules, (now, again) = catalogue.barometer.disclosure, both
    sums = known_sums(now, catalogue)
    yield from beside(candidate, now, sums, catalogue)
    yield from numerators(now, linked)
    shown = [cell for _, more in [*before, both] if more for cell in more.cells]
    own = scoped(now, sums, shown, catalogue)
    wide = widened(now, again, own.cells)
    known = _known(wide, before, sums, own, linked, catalogue)
    hidden = wide.hidden & ~known.shown[: len(wide.measures)]
    alone = _subtracted(wide, [*sums, *own.links], hidden) & wide.primary
    tally.alone_before += int((_subtracted(now, sums, now.primary) & now.primary).sum())
    tally.alone_after += int(alone.sum())
    if rules.secondary:
        yield from named(
            wide, alone, "is hidden, but can be recovered by subtraction in a sum it belongs to", WITHDRAW_OR
        )
    twin = np.array(twins(wide.cells, catalogue))
    other = (twin != np.arange(len(twin))) & (twin < own.plain)
    yield from named(wide, wide.shown & wide.hidden[:, twin] & other, FEWER_ANSWERS, WITHDRAW_OR)
    if not (now.hidden.any() or own.cells):
        return
    seen, held = with_counts(known, own, catalogue)
    sizes = sizes_of(seen, [*sums, *held], catalogue)
    wanted, kinds = needs(seen, sizes, own, None, catalogue), _kinds(seen, own.plain)
    need = np.where(kinds["secondary"], rules.audit_width, wanted)
    made = attack(seen, [*sums, *held], sizes, catalogue, need)
    disclosed = made.width < wanted - ENOUGH
    tally.add(made, disclosed, kinds, rules.audit_width)
    small = disclosed & kinds["on_scopes"]
    close = f"closer than {rules.audit_width:g} points (audit_width)"
    closest = f"closer than {rules.secondary_width:g} points (secondary_width)"
    for found, message in (
        (disclosed & kinds["cells"] | small & seen.primary, f"is hidden, but can be estimated {close}"),
        (disclosed & kinds["secondary"], f"is hidden, but can be estimated {closest}"),
        (small & ~seen.primary, f"discloses {REMAINDER}, {close}"),
        (disclosed & kinds["numbers"], CLOSE_N),
    ):
        yield from named(seen, found, message, WITHDRAW_OR)


def _known(
    wide: PublishedView,
    before: Sequence[Views],
    sums: list[Sum],
    own: Scoped,
    linked: Linkage,
    catalogue: Catalogue,
) -> PublishedView:
    """All that an outsider knows about a wave: what is and was published of it, with every n."""
    step, least = catalogue.barometer.rounding.n, catalogue.barometer.disclosure.min_n
    seen = with_numbers(wide, sums, linked, step, least)
    for plain, again in before:
        theirs = widened(plain, again, own.cells)
        numbered = with_numbers(theirs, known_sums(plain, catalogue), linked, step, least)
        seen = with_earlier(seen, numbered, step)
    return seen


def _views(tables: Tables, catalogue: Catalogue) -> dict[str, Views]:
    again = views(scoped_estimates(tables), catalogue)
    return {wave: (own, again.get(wave)) for wave, own in views(tables["estimates"], catalogue).items()}


def _subtracted(now: PublishedView, sums: list[Sum], hidden: Flags) -> Flags:
    """The cells found by subtraction: the only hidden one of a sum, then those found with it."""
    left: Flags = hidden & now.there
    while True:
        alone: Flags = np.zeros(left.shape, dtype=bool)
        for each in sums:
            members = list(each.members)
            alone[:, members] |= left[:, members] & (left[:, members].sum(axis=1) == 1)[:, None]
        if not alone.any():
            return hidden & now.there & ~left
        left = left & ~alone
