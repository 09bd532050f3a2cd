"""Patches: each field by its rule, and none without one."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any, cast

import pytest

from app.domain.errors import DomainError, FieldError, Refused, UserErrorCode, refuse
from app.domain.patches import (
    Rules,
    Situation,
    any_value,
    blank_clears,
    by_value,
    check_patch,
    null_clears,
    null_keeps,
)
from app.domain.problems import Problems
from app.domain.tenants import Tenant
from app.domain.texts import required_line

SITUATION = Situation(cast("Tenant", SimpleNamespace(id="demo")), date(2026, 11, 30), countries=("DE",))


def _not_to_come(day: date, situation: Situation) -> date:
    if day > situation.today:
        raise Refused(UserErrorCode.INVALID, "Please give a day that has been.")
    return day


def _parts(parts: list[str], _: Situation) -> list[str]:
    raise refuse(UserErrorCode.INVALID, "This is no part.", str(len(parts) - 1), "name")


RULES: Rules = {
    "first_name": by_value(required_line(5)),
    "born_on": null_clears(_not_to_come),
    "phone": blank_clears(lambda text, situation: f"{situation.countries[0]} {text}"),
    "active": null_keeps(any_value),
    "parts": _parts,
}


def check(*path: str, **patch: Any) -> dict[str, Any]:
    problems = Problems()
    columns = check_patch(problems, patch, RULES, SITUATION, *path)
    problems.raise_if_any()
    return columns


class TestCheckPatch:
    def test_returns_what_the_rules_make_of_what_was_given(self) -> None:
        assert check(first_name=" Ada ", active=False) == {"first_name": "Ada", "active": False}

    def test_returns_nothing_for_what_was_left_out(self) -> None:
        assert check() == {}

    @pytest.mark.parametrize("value", [None, "1815-12-10", date(1815, 12, 10)])
    def test_raises_for_a_field_that_has_no_rule_whatever_its_value(self, value: object) -> None:
        with pytest.raises(LookupError, match="date_of_birth, nick_name: there is no rule"):
            check(first_name="Ada", nick_name="", date_of_birth=value)

    def test_notes_every_fault_at_its_field(self) -> None:
        with pytest.raises(DomainError) as caught:
            check("customerDetails", first_name="Augusta", born_on=date(2026, 12, 1), parts=["a", "b"])
        assert caught.value.errors == (
            FieldError(UserErrorCode.TOO_LONG, ("customerDetails", "firstName"), "Please use at most 5 characters."),
            FieldError(UserErrorCode.INVALID, ("customerDetails", "bornOn"), "Please give a day that has been."),
            FieldError(UserErrorCode.INVALID, ("customerDetails", "parts", "1", "name"), "This is no part."),
        )

    def test_lets_a_rule_look_at_the_situation(self) -> None:
        assert check(born_on=date(2026, 11, 30), phone="030") == {"born_on": date(2026, 11, 30), "phone": "DE 030"}

    def test_clears_by_null_and_by_what_cannot_be_seen(self) -> None:
        assert check(born_on=None, phone=None) == {"born_on": None, "phone": None}
        assert check(phone=" \u200e") == {"phone": None}

    def test_keeps_by_null_what_cannot_be_cleared(self) -> None:
        assert check(active=None) == {}
