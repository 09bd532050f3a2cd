"""Our own fields as columns, and maps from other names."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.moving.own import flatten, in_order, is_own_column, map_records, read_map
from app.domain.moving.records import Record


def mapped(content: dict[str, Any], **columns: str) -> dict[str, Any] | None:
    (record,) = map_records(lambda: iter([Record(1, content)]), columns)
    return record.content


class TestMapRecords:
    def test_makes_of_cells_what_they_stand_for(self) -> None:
        cells = {
            "email": "ada@example.com",
            "emailVerified": "Yes",
            "active": "0",
            "orderCount": "3.0",
            "createdAt": "2020-01-02 03:04:05",
            "groups": "gold, wholesale,",
            "mixins": '{"loyalty": {"level": 3}}',
            "mixins.old.note": "likes tea",
            "addresses.1.street": "Second 2",
            "addresses.0.street": "First 1",
            "addresses.0.tags": "billing,shipping",
            "addresses.0.isDefault": "true",
            "addresses.0.defaultFor": "Billing, SHIPPING",
            "contactEmail": "null",
            "preferredLanguage": "null",
            "title": "null",
            "legalEntities.0.name": "Engines Ltd",
            "contactPhone": "+49 30 1",
        }
        assert mapped(cells, **{name: name for name in cells}) == {
            "email": "ada@example.com",
            "emailVerified": True,
            "active": False,
            "orderCount": 3,
            "createdAt": "2020-01-02T03:04:05+00:00",
            "groups": ["gold", "wholesale"],
            "mixins": {"loyalty": {"level": 3}, "old": {"note": "likes tea"}},
            "addresses": [
                {"street": "First 1", "tags": ["billing", "shipping"], "isDefault": True}
                | {"defaultFor": ["BILLING", "SHIPPING"]},
                {"street": "Second 2"},
            ],
            "legalEntities": [{"name": "Engines Ltd"}],
            "contactPhone": "+49 30 1",
            # Nothing is made for these two; anywhere else it is a word.
            "contactEmail": None,
            "preferredLanguage": None,
            "title": "null",
        }

    def test_leaves_what_stands_for_nothing_to_the_rules(self) -> None:
        assert mapped({"a": "maybe", "b": "many"}, active="a", orderCount="b") == {
            "active": "maybe",
            "orderCount": "many",
        }

    def test_reads_an_address_as_a_spreadsheet_has_it(self) -> None:
        cells = {"a": "Ada", "b": "Lovelace", "c": "'01067", "d": "Deutschland", "e": "'+49 351 1"}
        address = {"c": "zipCode", "d": "country", "e": "contactPhone"}
        columns = {f"addresses.0.{name}": column for column, name in address.items()}
        assert mapped(cells, firstName="a", lastName="b", **columns) == {
            "firstName": "Ada",
            "lastName": "Lovelace",
            "addresses": [
                {"zipCode": "01067", "country": "DE", "contactPhone": "+49 351 1", "contactName": "Ada Lovelace"}
            ],
        }

    def test_reads_numbers_that_were_fractions_for_a_while(self) -> None:
        cells = {"a": "1234.0", "b": "10115.0", "c": "20.0", "d": "4930123456.0", "e": "1234.0"}
        address = {"zipCode": "b", "streetNumber": "c", "contactPhone": "d"}
        columns = {f"addresses.0.{name}": column for name, column in address.items()}
        assert mapped(cells, shopperReference="a", **columns, **{"mixins.old.rate": "e"}) == {
            "shopperReference": "1234",
            "mixins": {"old": {"rate": "1234.0"}},
            "addresses": [{"zipCode": "10115", "streetNumber": "20", "contactPhone": "4930123456"}],
        }

    @pytest.mark.parametrize("field", ["addresses.0.zipCode", "contactPhone", "legalEntities.1.id", "customerNumber"])
    @pytest.mark.parametrize("written", ["1.234E+03", "4.9301234567e+10"])
    def test_names_each_number_that_was_rounded_and_stores_none(self, field: str, written: str) -> None:
        columns = {"email": "email", field: "number", "mixins.old.rate": "number"}
        content = {"email": "ada@example.com", "number": written}
        (record,) = map_records(lambda: iter([Record(7, content)]), columns)
        assert record.content == {"email": "ada@example.com", "mixins": {"old": {"rate": written}}}
        assert [remark.field for remark in record.remarks] == [tuple(field.split("."))]

    def test_leaves_out_a_number_that_a_spreadsheet_has_rounded(self) -> None:
        content = {"email": "ada@example.com", "id": "6.54E+12"}
        (record,) = map_records(lambda: iter([Record(1, content)]), {"email": "email", "shopperReference": "id"})
        assert record.content == {"email": "ada@example.com"}
        assert [remark.field for remark in record.remarks] == [("shopperReference",)]

    def test_finds_a_member_by_its_path(self) -> None:
        content = {"contact": {"mails": [{"value": "ada@example.com"}]}, "a.b": 1}
        assert mapped(content, email="contact.mails.0.value", customerNumber="a.b", company="contact.none.x") == {
            "email": "ada@example.com",
            "customerNumber": "1",
        }


class TestReadMap:
    def test_takes_names_in_quotes_and_dotted_ones(self) -> None:
        toml = (
            'email = "E-Mail"\n"addresses.0.street" = "Street"\naddresses.0.city = "City"\nmixins.old.tags = "Tags"\n'
        )
        assert read_map(toml) == {
            "email": "E-Mail",
            "addresses.0.street": "Street",
            "addresses.0.city": "City",
            "mixins.old.tags": "Tags",
        }

    @pytest.mark.parametrize(
        ("toml", "says"),
        [
            ("email = ", "is no TOML"),
            ('email = "E"\nphone = "P"\naddresses.0.road = "R"', "no field of a customer: addresses.0.road, phone"),
            ("email = 1", "in quotes, for email"),
            ('firstName = "F"', "which column is the e-mail address"),
        ],
    )
    def test_says_what_is_wrong(self, toml: str, says: str) -> None:
        with pytest.raises(ValueError, match=says):
            read_map(toml)


class TestFlatten:
    def test_is_the_reverse_of_reading(self) -> None:
        customer = {
            "email": "ada@example.com",
            "contactEmail": None,
            "active": False,
            "orderCount": 3,
            "groups": ["gold", "wholesale"],
            "mixins": {"loyalty": {"level": 3, "of": ["a"]}},
            "addresses": [
                {"street": "First 1", "tags": ["BILLING"], "isDefault": True},
                {"street": "Second", "defaultFor": ["BILLING", "SHIPPING"]},
            ],
            "legalEntities": [{"name": "Engines Ltd", "confirmed": False}],
        }
        cells = flatten(customer)
        assert all(map(is_own_column, cells))
        assert mapped(cells, **{name: name for name in cells}) == customer

    def test_has_an_order(self) -> None:
        names = ["addresses.10.city", "addresses.2.city", "addresses.2.street", "mixins", "firstName", "email"]
        assert in_order(names) == [
            "email",
            "firstName",
            "mixins",
            "addresses.2.street",
            "addresses.2.city",
            "addresses.10.city",
        ]
