"""The companies that customers buy for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlmodel import col

from app.domain.origins import Origin
from app.models.legal_entities import LegalEntityAssignment
from app.repositories.base import Repository, Rows

_OF_CUSTOMER = Rows(LegalEntityAssignment, "customer_id", order_by=(col(LegalEntityAssignment.id),))
_ONE = Rows(LegalEntityAssignment, "customer_id", "id")
_CLAIMED = Rows(
    LegalEntityAssignment,
    "customer_id",
    col(LegalEntityAssignment.confirmed).is_(False),
    col(LegalEntityAssignment.origin).is_(None),
)
_UNPROVEN = Rows(
    LegalEntityAssignment,
    "customer_id",
    col(LegalEntityAssignment.confirmed).is_(False),
    col(LegalEntityAssignment.origin) == Origin.UNPROVEN.value,
)
_CONFIRMED = Rows(
    LegalEntityAssignment, "customer_id", "legal_entity_id", col(LegalEntityAssignment.confirmed).is_(True)
)


class LegalEntityRepository(Repository):
    """The legal entities of one tenant's customers."""

    async def list(self, customer_id: str) -> Sequence[LegalEntityAssignment]:
        """Return a customer's legal entities in the order in which they came."""
        return await self._list(_OF_CUSTOMER, customer_id=customer_id)

    async def list_of(self, customer_ids: Sequence[str]) -> Sequence[LegalEntityAssignment]:
        """Return the legal entities of these customers, of each in the order in which they came."""
        return await self._list_of(_OF_CUSTOMER, customer_ids)

    async def find_confirmed(self, customer_id: str, legal_entity_id: str) -> LegalEntityAssignment | None:
        """Return the customer's place in a legal entity, if staff have confirmed it."""
        return await self._find(_CONFIRMED, customer_id=customer_id, legal_entity_id=legal_entity_id)

    async def add(self, assignment: LegalEntityAssignment) -> None:
        """Write a new assignment."""
        await self._add(assignment)

    async def change(self, customer_id: str, assignment_id: str, **values: Any) -> None:
        """Set columns of one of the customer's assignments."""
        await self._change(_ONE, {"customer_id": customer_id, "id": assignment_id}, **values)

    async def move(self, customer_id: str, assignment_id: str, to_customer_id: str) -> bool:
        """Give one of a customer's assignments to another one, who is not in the legal entity; False for none."""
        given = {"customer_id": customer_id, "id": assignment_id}
        return await self._change(_ONE, given, customer_id=to_customer_id) == 1

    async def mark_unproven(self, customer_id: str) -> int:
        """Note that those that only the customer named were named before the first proof; return how many they are."""
        return await self._change(_CLAIMED, {"customer_id": customer_id}, origin=Origin.UNPROVEN.value)

    async def delete_unproven(self, customer_id: str) -> None:
        """Remove those of a customer that were named before the first proof, and that staff have not confirmed."""
        await self._delete(_UNPROVEN, customer_id=customer_id)

    async def delete(self, customer_id: str, assignment_id: str) -> None:
        """Remove one of the customer's assignments."""
        await self._delete(_ONE, customer_id=customer_id, id=assignment_id)
