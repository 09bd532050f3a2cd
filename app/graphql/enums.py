"""Registers an enum with GraphQL, with a description of each value."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

Words = TypeVar("Words", bound=StrEnum)


def describe_enum(words: type[Words], description: str, values: Mapping[Words, str]) -> None:
    """Register the enum. Raises `ValueError` unless `values` describes every value of it and nothing else."""
    if set(values) != set(words):
        raise ValueError(f"{words.__name__}: describe every value, and no other: {sorted(set(words) ^ set(values))}.")
    registered: Any = strawberry.enum(words, description=description)
    definition: StrawberryEnumDefinition = registered.__strawberry_definition__
    for value in definition.values:
        value.description = values[words(value.value)]
