"""A statement returns what its rows are said to have, or is refused when it is made."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from sqlalchemy import select, update

from app.domain.rows import Reading, attributes_of
from app.models.customers import Customer, CustomerProfile
from app.models.groups import CustomerGroup

_TABLE = CustomerGroup.__table__


class Code:
    code: str


class CodeAndName(Code):
    name: str


@dataclass(frozen=True, slots=True)
class Counted:
    amount: int


class TestReading:
    def test_takes_a_statement_that_returns_all_that_a_row_has(self) -> None:
        assert Reading(CustomerGroup, select(_TABLE)).row is CustomerGroup
        assert Reading(Code, select(_TABLE)).row is Code
        assert Reading(CustomerGroup, update(_TABLE).values(name="b").returning(*_TABLE.c)).row is CustomerGroup

    def test_names_what_the_statement_does_not_return(self) -> None:
        with pytest.raises(TypeError, match="returns no name, which CodeAndName has"):
            Reading(CodeAndName, select(_TABLE.c.code))
        with pytest.raises(TypeError, match=r"returns no credential_version, email, .* which CustomerProfile has"):
            Reading(CustomerProfile, select(Customer.__table__))

    def test_takes_no_write_that_returns_nothing(self) -> None:
        with pytest.raises(TypeError, match="returns no code"):
            Reading(Code, update(_TABLE).values(name="b"))


class TestAttributesOf:
    def test_are_the_columns_of_a_model_and_the_annotations_of_any_other_class(self) -> None:
        assert attributes_of(CustomerGroup) == set(_TABLE.c.keys())
        assert attributes_of(CodeAndName) == {"code", "name"}
        assert attributes_of(Counted) == {"amount"}
        assert attributes_of(object) == set()
