"""Scopes: the codes of variables (or the answers of questions) that a number is limited to, and as text.

As text a scope is ``name=code|code name=code``: so it is published, and so it is a key of the estimates on a
part of the population.
"""

from __future__ import annotations

from collections.abc import Mapping

# Background variable -> codes; of what is estimated again also question -> answers. In the codebook's order.
Scope = Mapping[str, tuple[str, ...]]


def scope_text(scope: Scope, *, as_declared: bool = False) -> str:
    """A scope as text, blank for no restriction; names in alphabetical order, or ``as_declared``."""
    parts = scope.items() if as_declared else sorted(scope.items())
    return " ".join(f"{name}={'|'.join(codes)}" for name, codes in parts)


def parsed_scope(text: str) -> dict[str, tuple[str, ...]]:
    """The scope that ``scope_text`` wrote."""
    parts = (part.partition("=") for part in text.split())
    return {name: tuple(codes.split("|")) for name, _, codes in parts}
