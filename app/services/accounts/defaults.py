"""The default among a customer's addresses, or payment instruments: exactly one, as soon as there is any.

But for what was there before somebody else proved to own the account: nothing of that is a default any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from app.domain.errors import UserErrorCode
from app.domain.origins import Origin
from app.domain.problems import Problems


class MayBeDefault(Protocol):
    """A row that is the default, or not."""

    @property
    def id(self) -> str:
        """The row's id."""
        ...

    @property
    def is_default(self) -> bool:
        """Whether it is the default."""
        ...

    @property
    def origin(self) -> str | None:
        """Whose it is, where that is not the owner's word."""
        ...


class WithDefault(Protocol):
    """The repository of such rows."""

    async def list(self, customer_id: str) -> Sequence[MayBeDefault]:
        """Return a customer's rows, the default first, then the oldest first."""
        ...

    async def change(self, customer_id: str, row_id: str, now: datetime, **values: Any) -> None:
        """Set columns of one of the customer's rows."""
        ...

    async def clear_default(self, customer_id: str, now: datetime) -> None:
        """Take the default away from the row that has it."""
        ...


async def keep_one_default(
    rows: WithDefault, customer_id: str, now: datetime, columns: dict[str, Any], so_far: Sequence[MayBeDefault]
) -> None:
    """Make a row that is about to be added the default if it wants to be, or none is."""
    columns["is_default"] = bool(columns.get("is_default")) or not any(each.is_default for each in so_far)
    if columns["is_default"] and so_far:
        await rows.clear_default(customer_id, now)


def check_default_stays(problems: Problems, columns: dict[str, Any], so_far: MayBeDefault, noun: str) -> None:
    """Note that a default cannot be given up, only given to another."""
    if columns.get("is_default") is False and so_far.is_default:
        problems.add(UserErrorCode.INVALID, f"Make another {noun} the default instead.", "isDefault")


async def move_default(
    rows: WithDefault, customer_id: str, now: datetime, columns: dict[str, Any], so_far: MayBeDefault
) -> None:
    """Take the default from the row that has it, where a row that is about to be changed becomes it."""
    if columns.get("is_default") and not so_far.is_default:
        await rows.clear_default(customer_id, now)


async def pass_default_on(rows: WithDefault, customer_id: str, now: datetime, gone: MayBeDefault) -> None:
    """Make the oldest row that is left the default, where the one that is gone was it; none of before a proof."""
    every = await rows.list(customer_id) if gone.is_default else ()
    remaining = [each for each in every if each.origin != Origin.UNPROVEN]
    if remaining:
        await rows.change(customer_id, remaining[0].id, now, is_default=True)
