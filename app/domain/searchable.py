"""What is stored of a customer for the staff's search: order key, all words, and the rows of the index."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol, Self

from app.domain.search_words import (
    order_key,
    without_beginnings,
    words_of_codes,
    words_of_emails,
    words_of_names,
    words_of_phones,
    words_of_texts,
    words_of_whole_name,
)

# Of a longer common beginning the index does not know more.
MOST_SHARED = 7


class SearchedProfile(Protocol):
    """What is searched of a customer's row."""

    first_name: str | None
    middle_name: str | None
    last_name: str | None
    company: str | None
    contact_email: str | None
    contact_phone: str | None


class SearchedAddress(Protocol):
    """What is searched of an address."""

    contact_name: str
    company_name: str | None
    street: str
    street_number: str | None
    street_appendix: str | None
    extra_line1: str | None
    extra_line2: str | None
    extra_line3: str | None
    extra_line4: str | None
    zip_code: str | None
    state: str | None
    contact_phone: str | None

    @property
    def city(self) -> str | None:
        """The city, where the country has any."""
        ...


@dataclass(frozen=True, slots=True)
class WordRow:
    """A row of the index: a word, how many letters it has in common with the beginning of the order key, and that key.

    A search by no more letters than those finds the customer by the order key already.
    """

    shared: int
    word: str
    key: str


@dataclass(frozen=True, slots=True)
class Searchable:
    """A customer as staff search find them. `text` has three lines: words of profile, login address and addresses."""

    key: str = ""
    profile: str = ""
    login: str = ""
    addresses: str = ""

    @classmethod
    def of_text(cls, key: str, text: str) -> Self:
        """Return what was stored."""
        profile, login, addresses, *_ = [*text.split("\n"), "", ""]
        return cls(key, profile, login, addresses)

    @property
    def text(self) -> str:
        """The words, each behind a space."""
        text = f"{self.profile}\n{self.login}\n{self.addresses}"
        return text if text.strip() else ""

    def with_profile(self, customer: SearchedProfile) -> Searchable:
        """Return it with the words of this profile."""
        names = (customer.last_name, customer.first_name, customer.middle_name)
        words = [
            *words_of_names(names),
            *words_of_whole_name(customer.last_name, customer.first_name),
            *words_of_names([customer.company]),
            *words_of_emails([customer.contact_email]),
            *words_of_phones([customer.contact_phone]),
        ]
        return replace(self, key=order_key(customer.last_name, customer.first_name), profile=_line(words))

    def with_login(self, email: str | None) -> Searchable:
        """Return it with the words of this login address."""
        return replace(self, login=_line(words_of_emails([email])))

    def with_addresses(self, addresses: Iterable[SearchedAddress]) -> Searchable:
        """Return it with the words of these addresses, in place of all others."""
        return replace(self, addresses=_line([word for each in addresses for word in _words_of_address(each)]))

    @property
    def rows(self) -> frozenset[WordRow]:
        """The rows of the index; a word that begins the order key has none, for it is found by that."""
        rows = (WordRow(_shared(word, self.key), word, self.key) for word in without_beginnings(self.text.split()))
        return frozenset(row for row in rows if not self.key.startswith(row.word))


def _words_of_address(address: SearchedAddress) -> Iterable[str]:
    yield from words_of_names([address.contact_name, address.company_name])
    yield from words_of_texts(
        [
            address.street,
            address.street_number,
            address.street_appendix,
            address.extra_line1,
            address.extra_line2,
            address.extra_line3,
            address.extra_line4,
            address.city,
            address.state,
        ]
    )
    yield from words_of_codes([address.zip_code])
    yield from words_of_phones([address.contact_phone])


def _line(words: Iterable[str]) -> str:
    return "".join(f" {word}" for word in without_beginnings(words))


def _shared(word: str, key: str) -> int:
    """Return how many letters both begin with, counted to seven."""
    count = 0
    for one, other in zip(word[:MOST_SHARED], key, strict=False):
        if one != other:
            break
        count += 1
    return count
