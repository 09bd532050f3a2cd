"""Statements about customer groups see one tenant."""

from __future__ import annotations

import pytest

from app.models.groups import CustomerGroup
from app.repositories.groups import GroupRepository
from tests.harness.gateway import Gateway

pytestmark = pytest.mark.anyio


async def repository(gateway: Gateway, tenant_id: str = "demo") -> GroupRepository:
    connection = gateway.tools.database.connect()
    await connection.begin()
    return GroupRepository(connection, tenant_id)


async def commit(groups: GroupRepository) -> None:
    await groups._connection.commit()
    await groups._connection.close()


@pytest.fixture
async def member(gateway: Gateway) -> str:
    """Put a new customer into the new group `g`, and return the customer's id."""
    person = await gateway.signup_confirmed()
    groups, now = await repository(gateway), gateway.clock.now()
    group = CustomerGroup(tenant_id="demo", id="g", name="Trade", code="trade", created_at=now, updated_at=now)
    assert await groups.add_unless_code_taken(group)
    await groups.add_member("g", person.id)
    await groups.add_member("g", person.id)
    await commit(groups)
    return person.id


class TestGroupRepository:
    async def test_finds_the_tenants_groups_and_their_members(self, gateway: Gateway, member: str) -> None:
        groups = GroupRepository(gateway.tools.database.connect(), "demo")
        assert [group.code for group in await groups.list()] == ["trade"]
        assert [group.id for group in (await groups.list_of(member, "nobody"))[member]] == ["g"]
        assert (await groups.list_of(member, "nobody"))["nobody"] == []
        assert list(await groups.list_codes_of(member)) == ["trade"]
        assert await groups.find_existing(["g", "x"]) == {"g"}
        assert await groups.find_by_codes(["trade", "x"]) == {"trade": "g"}

    async def test_finds_nothing_for_another_tenant(self, gateway: Gateway, member: str) -> None:
        groups = await repository(gateway, "open")
        assert await groups.list() == []
        assert (await groups.list_of(member))[member] == []
        assert list(await groups.list_codes_of(member)) == []
        assert await groups.find("g") is None
        assert await groups.lock("g") is None
        assert await groups.find_existing(["g"]) == set()
        assert await groups.find_by_codes(["trade"]) == {}
        assert await groups.hold(["g"]) == set()
        await commit(groups)

    async def test_writes_nothing_of_another_tenant(self, gateway: Gateway, member: str) -> None:
        groups = await repository(gateway, "open")
        assert await groups.change("g", gateway.clock.now(), name="Changed")
        await groups.remove_member("g", member)
        await groups.delete("g")
        await commit(groups)
        mine = GroupRepository(gateway.tools.database.connect(), "demo")
        assert [group.name for group in (await mine.list_of(member))[member]] == ["Trade"]
