"""Customer groups and their members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, delete, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from app.domain.rows import Reading
from app.models.groups import CustomerGroup, GroupMembership, GroupOfMember
from app.repositories.base import Repository, Rows, mine

_ALL = Rows(CustomerGroup, order_by=(col(CustomerGroup.code),))
_ONE = Rows(CustomerGroup, "id")
_MEMBER = Rows(GroupMembership, "group_id", "customer_id")


class _Code:
    code: str


class _Id:
    id: str


_CODES_OF = Reading(
    _Code,
    select(col(CustomerGroup.code))
    .join_from(
        GroupMembership.__table__,
        CustomerGroup.__table__,
        and_(mine(CustomerGroup), col(CustomerGroup.id) == col(GroupMembership.group_id)),
    )
    .where(mine(GroupMembership), col(GroupMembership.customer_id) == bindparam("customer_id"))
    .order_by(col(CustomerGroup.code)),
)


class GroupRepository(Repository):
    """The customer groups of one tenant."""

    async def list(self) -> Sequence[CustomerGroup]:
        """Return all groups by their code."""
        return await self._list(_ALL)

    async def list_of(self, *customer_ids: str) -> Mapping[str, Sequence[GroupOfMember]]:
        """Return the groups of each of these customers, by their code."""
        statement = (
            select(col(GroupMembership.customer_id).label("member_id"), CustomerGroup.__table__)
            .join_from(
                GroupMembership.__table__,
                CustomerGroup.__table__,
                and_(self._mine(CustomerGroup), col(CustomerGroup.id) == col(GroupMembership.group_id)),
            )
            .where(self._mine(GroupMembership, col(GroupMembership.customer_id).in_(customer_ids)))
            .order_by(col(CustomerGroup.code))
        )
        groups: dict[str, list[GroupOfMember]] = {customer_id: [] for customer_id in customer_ids}
        for row in await self._connection.read_anew(Reading(GroupOfMember, statement)):
            groups[row.member_id].append(row)
        return groups

    async def list_codes_of(self, customer_id: str) -> Sequence[str]:
        """Return the codes of a customer's groups."""
        return [row.code for row in await self._list(_CODES_OF, customer_id=customer_id)]

    async def find(self, group_id: str) -> CustomerGroup | None:
        """Return one group."""
        return await self._find(_ONE, id=group_id)

    async def lock(self, group_id: str) -> CustomerGroup | None:
        """Return one group, locked until the transaction ends."""
        return await self._lock(_ONE, id=group_id)

    async def find_existing(self, group_ids: Sequence[str]) -> set[str]:
        """Return which of these groups exist."""
        statement = select(col(CustomerGroup.id)).where(self._mine(CustomerGroup, col(CustomerGroup.id).in_(group_ids)))
        return {row.id for row in await self._connection.read_anew(Reading(_Id, statement))}

    async def find_by_codes(self, codes: Sequence[str]) -> Mapping[str, str]:
        """Return the id of each group that has one of these codes, by code."""
        those = self._mine(CustomerGroup, col(CustomerGroup.code).in_(codes))
        rows = await self._connection.read_anew(Reading(CustomerGroup, select(CustomerGroup.__table__).where(those)))
        return {row.code: row.id for row in rows}

    async def hold(self, group_ids: Sequence[str]) -> set[str]:
        """Return which of these groups exist, locked against deletion until the transaction ends."""
        statement = (
            select(col(CustomerGroup.id))
            .where(self._mine(CustomerGroup, col(CustomerGroup.id).in_(group_ids)))
            .order_by(col(CustomerGroup.id))
            .with_for_update(read=True, key_share=True)
        )
        await self._connection.begin()
        return {row.id for row in await self._connection.read_anew(Reading(_Id, statement))}

    async def add_unless_code_taken(self, group: CustomerGroup) -> bool:
        """Write a new group; False if another group has the code."""
        return await self._add_unless(group, "tenant_id", "code")

    async def change(self, group_id: str, now: datetime, **values: Any) -> bool:
        """Set columns of a group.

        If its new code is taken, returns False, and the transaction can only be rolled back.
        """
        try:
            await self._change(_ONE, {"id": group_id}, updated_at=now, **values)
        except IntegrityError:
            return False
        return True

    async def delete(self, group_id: str) -> None:
        """Delete a group whose row is locked, and its memberships."""
        # It may change many rows, so it is no constant statement.
        await self._connection.write_anew(
            delete(GroupMembership.__table__).where(
                self._mine(GroupMembership, col(GroupMembership.group_id) == group_id)
            )
        )
        await self._delete(_ONE, id=group_id)

    async def add_member(self, group_id: str, customer_id: str) -> None:
        """Put a customer into a group; nothing changes if the customer is in it already."""
        await self._add_unless(GroupMembership(tenant_id=self._tenant_id, group_id=group_id, customer_id=customer_id))

    async def remove_member(self, group_id: str, customer_id: str) -> None:
        """Take a customer out of a group."""
        await self._delete(_MEMBER, group_id=group_id, customer_id=customer_id)
