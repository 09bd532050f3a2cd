"""A merge patch of named fields (RFC 7396), and its rules: a field left out stays, null clears."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from functools import partial
from typing import Any

from app.domain.problems import Problems
from app.domain.tenants import Site, Tenant
from app.domain.texts import is_blank

# What the caller gave, by the names of the model; a field that was left out is not a key.
Patch = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Situation:
    """What a rule may look at besides the value.

    `site` is where the customer shops, None where that is not known. National phone numbers are read by `countries`
    (ISO 3166-1), the likeliest first. `so_far` has the values of the row that the patch is for.
    """

    tenant: Tenant
    today: date
    site: Site | None = None
    countries: tuple[str | None, ...] = ()
    so_far: Mapping[str, Any] = field(default_factory=dict)


class Kept(Enum):
    """What a rule returns for a value that changes nothing."""

    KEPT = "kept"


# Returns what is written in the place of the value, or `KEPT`. Raises `Refused`, or a `DomainError` with paths inside
# the value.
Rule = Callable[[Any, Situation], Any]
Rules = Mapping[str, Rule]


def check_patch(problems: Problems, patch: Patch, rules: Rules, situation: Situation, *path: str) -> dict[str, Any]:
    """Return what the patch sets, checked and normalized; each fault is noted under `path`.

    Raises `LookupError` for a field that has no rule: a fault of the program, which would accept it and drop it.
    """
    if unruled := sorted(patch.keys() - rules.keys()):
        raise LookupError(f"{', '.join(unruled)}: there is no rule for this, so it would be accepted and dropped.")
    columns: dict[str, Any] = {}
    for name, rule in rules.items():
        if name in patch:
            ruled = partial(_apply, rule, situation)
            columns[name] = problems.check(ruled, patch[name], *path, input_name(name))
    return {name: value for name, value in columns.items() if value is not Kept.KEPT}


def _apply(rule: Rule, situation: Situation, value: Any) -> Any:
    return rule(value, situation)


def by_value(rule: Callable[[Any], Any]) -> Rule:
    """Return the rule that looks at nothing but the value."""
    return lambda value, _: rule(value)


def null_clears(rule: Rule) -> Rule:
    """Return the rule for a value that may be null."""
    return lambda value, situation: None if value is None else rule(value, situation)


def blank_clears(rule: Rule) -> Rule:
    """Return the rule for a text that may be null; one of which nothing can be seen is null as well."""
    return lambda text, situation: None if text is None or is_blank(text) else rule(text, situation)


def null_keeps(rule: Rule) -> Rule:
    """Return the rule for a value that cannot be cleared: null changes nothing."""
    return lambda value, situation: Kept.KEPT if value is None else rule(value, situation)


def any_value(value: Any, _: Situation) -> Any:
    """Take a value whose type says all that there is to say."""
    return value


def input_name(name: str) -> str:
    """Return the name of a field in `input`: `firstName` for `first_name`."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)
