"""Value objects that are made anew for each request, and that nobody changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

Made = TypeVar("Made")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value_object(cls: type[Made]) -> type[Made]:
    """Make the class a dataclass whose attributes nobody sets but `__init__`.

    The type checker sees to that. A dataclass that is frozen sees to it itself, and takes four times as long to make:
    for what each request makes some of, that is a part of its time that counts.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)
