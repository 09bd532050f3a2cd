"""Rows are presented as types of the schema, each of whose attributes they must have: told when the program starts."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import strawberry

from app.graphql.customers import Customer
from app.graphql.presenting import Presenter
from app.models.addresses import Address


@dataclass
class Maker:
    name: str


@dataclass
class Product:
    id: str
    price: int
    makers: list[Maker] | None = None


def _label(root: strawberry.Parent[Product]) -> str:
    return root.id.upper()


@strawberry.type
class Price:
    id: strawberry.ID
    price: int
    label: str = strawberry.field(resolver=_label)


@strawberry.type
class NamedMaker:
    name: str


@strawberry.type
class Named:
    makers: list[NamedMaker] | None


@strawberry.type
class LocatedMaker:
    name: str
    city: str


@strawberry.type
class Located:
    makers: list[LocatedMaker] | None


class TestPresenter:
    def test_presents_the_row_itself(self) -> None:
        present, product = Presenter(Product, Price), Product("a", 1)
        presented: list[object] = [present(product), present.or_none(product), present.or_none(None)]
        assert presented == [product, product, None]

    def test_presents_each_of_many_as_a_list(self) -> None:
        products = (Product("a", 1), Product("b", 2))
        presented: object = Presenter(Product, Price).each(products)
        assert type(presented) is list
        assert presented == list(products)

    def test_names_what_the_row_lacks(self) -> None:
        with pytest.raises(TypeError, match=r"Customer shows active, anonymization_status, .* Address has no such"):
            Presenter(Address, Customer)

    def test_needs_no_attribute_for_what_has_a_resolver(self) -> None:
        shown: object = Presenter(Product, Price)(Product("a", 1))
        assert not hasattr(shown, "label")

    def test_looks_into_what_the_row_holds(self) -> None:
        Presenter(Product, Named)
        with pytest.raises(TypeError, match=r"Located shows makers\.city: Product has no such attribute"):
            Presenter(Product, Located)
