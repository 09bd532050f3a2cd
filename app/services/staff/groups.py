"""Customer groups, by which other systems decide prices and markets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.domain.errors import DomainError, UserErrorCode, refuse
from app.domain.patches import Patch, Rules, by_value, check_patch
from app.domain.problems import Problems
from app.domain.references import parse_group_code
from app.domain.texts import required_line
from app.domain.topics import Topic
from app.models.groups import CustomerGroup, GroupOfMember
from app.services.outgoing.events import emit
from app.services.unit_of_work import UnitOfWork

_MARKET = required_line(100)
MOST = 500
MOST_MARKETS = 50


def _check_markets(markets: Sequence[str] | None) -> list[str]:
    problems, given = Problems(), markets or ()
    if len(given) > MOST_MARKETS:
        problems.add(UserErrorCode.LIMIT_REACHED, f"Please name at most {MOST_MARKETS} markets.")
    checked = [problems.check(_MARKET, market, str(index)) for index, market in enumerate(given[:MOST_MARKETS])]
    problems.raise_if_any()
    return list(dict.fromkeys(market for market in checked if market is not None))


# Each is a column.
GROUP: Rules = {
    "name": by_value(required_line(100)),
    "code": by_value(parse_group_code),
    "private_markets": by_value(_check_markets),
}


async def customer_groups(uow: UnitOfWork) -> Sequence[CustomerGroup]:
    """Return the shop's customer groups by their code."""
    return await uow.groups.list()


async def groups_of(uow: UnitOfWork, customer_ids: Sequence[str]) -> list[Sequence[GroupOfMember]]:
    """Return the groups of each of these customers, in the order of the customers."""
    groups = await uow.groups.list_of(*customer_ids)
    return [groups[customer_id] for customer_id in customer_ids]


async def create_customer_group(uow: UnitOfWork, patch: Patch) -> CustomerGroup:
    """Make a group. TAKEN for a code that another group has; LIMIT_REACHED when there are too many."""
    columns = _check(uow, {"name": None, "code": None, **patch})
    if len(await uow.groups.list()) >= MOST:
        raise refuse(UserErrorCode.LIMIT_REACHED, f"The shop has {MOST} groups already: delete one first.")
    group = CustomerGroup(
        tenant_id=uow.tenant.id,
        id=uow.tools.random.new_id(),
        **columns,
        created_at=uow.now,
        updated_at=uow.now,
    )
    if not await uow.groups.add_unless_code_taken(group):
        raise _code_taken()
    return group


async def update_customer_group(uow: UnitOfWork, group_id: str, patch: Patch) -> CustomerGroup:
    """Change a group: what is left out stays. NOT_FOUND, TAKEN."""
    if await uow.groups.lock(group_id) is None:
        raise _not_found()
    columns = _check(uow, patch)
    if columns and not await uow.groups.change(group_id, uow.now, **columns):
        raise _code_taken()
    changed = await uow.groups.find(group_id)
    if changed is None:
        raise _not_found()
    return changed


async def delete_customer_group(uow: UnitOfWork, group_id: str) -> str:
    """Remove a group with everyone in it, and return its id; one event tells, not one for each customer. NOT_FOUND."""
    if await uow.groups.lock(group_id) is None:
        raise _not_found()
    await uow.groups.delete(group_id)
    await emit(uow, Topic.CUSTOMER_GROUP_CHANGED, None, deletedGroupId=group_id)
    return group_id


def _check(uow: UnitOfWork, patch: Patch) -> dict[str, Any]:
    """Return the columns that the patch sets, checked and normalized; raises every fault at once."""
    problems = Problems()
    columns = check_patch(problems, patch, GROUP, uow.situation)
    problems.raise_if_any()
    return columns


def _not_found() -> DomainError:
    return refuse(UserErrorCode.NOT_FOUND, "The shop has no customer group with this id.", "id")


def _code_taken() -> DomainError:
    return refuse(UserErrorCode.TAKEN, "Another customer group has this code.", "code")
