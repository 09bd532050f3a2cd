"""Two cannot have one address, and a credential is changed only as it was seen."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app.domain.errors import Refused
from app.domain.ports import Connection, Database
from app.models.credentials import Credential
from app.models.one_time_tokens import WAS_PROVEN, OneTimeToken, Purpose
from app.repositories.credentials import CredentialRepository
from tests.harness.rows import NOW, row_of
from tests.harness.transactions import AT_ONCE, at_once, transaction, write

pytestmark = pytest.mark.anyio


def credential(customer_id: str = "a", /, **values: Any) -> Credential:
    made = row_of(Credential, "shop", customer_id, **{"changed_at": NOW, **values})
    assert isinstance(made, Credential)
    return made


def way_back(customer_id: str, **values: Any) -> OneTimeToken:
    """Return the token by which a customer can come back to the address `b`."""
    kept = {"purpose": Purpose.REVERT_EMAIL_CHANGE.value, "customer_id": customer_id, "email_key": "b", **values}
    made = row_of(OneTimeToken, "shop", **kept)
    assert isinstance(made, OneTimeToken)
    return made


class TestAddUnlessEmailTaken:
    async def test_of_sixteen_that_write_the_same_customer_one_does(self, database: Database) -> None:
        for number in range(20):
            new = credential(f"c{number}", email_key=f"a{number}")

            async def add(connection: Connection, new: Credential = new) -> bool:
                return await CredentialRepository(connection, "shop").add_unless_email_taken(new)

            assert sum(await at_once(database, add)) == 1

    async def test_of_sixteen_at_once_one_gets_the_address(self, database: Database) -> None:
        customers = iter(range(AT_ONCE))

        async def add(connection: Connection) -> bool:
            new = credential(f"c{next(customers)}", email_key="a")
            return await CredentialRepository(connection, "shop").add_unless_email_taken(new)

        assert sorted(await at_once(database, add)) == [False] * (AT_ONCE - 1) + [True]

    async def test_takes_any_number_without_an_address(self, database: Database) -> None:
        async with transaction(database) as connection:
            credentials = CredentialRepository(connection, "shop")
            assert await credentials.add_unless_email_taken(credential("a", email_key=None))
            assert await credentials.add_unless_email_taken(credential("b", email_key=None))

    async def test_refuses_what_somebody_else_may_come_back_to(self, database: Database) -> None:
        await write(database, way_back("a"))
        async with transaction(database) as connection:
            assert not await CredentialRepository(connection, "shop").add_unless_email_taken(credential("b"))


class TestIsEmailTaken:
    async def taken(self, database: Database, customer_id: str) -> bool:
        return await CredentialRepository(database.connect(), "shop").is_email_taken("b", customer_id, NOW)

    async def test_is_no_for_a_free_one_and_for_ones_own(self, database: Database) -> None:
        assert not await self.taken(database, "a")
        await write(database, credential("b"))
        assert not await self.taken(database, "b")

    async def test_is_yes_for_another_customers(self, database: Database) -> None:
        await write(database, credential("b", email_verified_at=NOW))
        assert await self.taken(database, "a")

    async def test_is_no_for_one_that_another_customer_has_never_proved(self, database: Database) -> None:
        await write(database, credential("b"))
        assert not await self.taken(database, "a")

    async def test_is_no_for_one_that_another_customer_has_left_and_had_never_proved(self, database: Database) -> None:
        await write(database, way_back("b", data={WAS_PROVEN: False}))
        assert not await self.taken(database, "a")

    async def test_is_yes_while_another_customer_may_come_back_to_it(self, database: Database) -> None:
        await write(database, way_back("b"))
        assert await self.taken(database, "a")
        assert not await self.taken(database, "b")

    @pytest.mark.parametrize(
        "state",
        [{"used_at": NOW}, {"revoked_at": NOW}, {"expires_at": NOW}, {"purpose": Purpose.RESET_PASSWORD.value}],
        ids=["used", "revoked", "expired", "another purpose"],
    )
    async def test_is_no_when_the_way_back_is_over(self, database: Database, state: dict[str, Any]) -> None:
        await write(database, way_back("b", **state))
        assert not await self.taken(database, "a")


class TestChange:
    async def test_of_sixteen_at_once_one_changes_the_version_that_all_have_seen(self, database: Database) -> None:
        await write(database, credential())
        changed = await at_once(
            database,
            lambda connection: CredentialRepository(connection, "shop").change("a", 1, NOW, initial_password=True),
        )
        assert sorted(changed) == [False] * (AT_ONCE - 1) + [True]
        after = await CredentialRepository(database.connect(), "shop").find("a")
        assert after is not None
        assert (after.version, after.initial_password) == (2, True)


class TestChangeEmail:
    async def test_refuses_an_address_that_was_taken_between_the_check_and_the_change(self, database: Database) -> None:
        """The unique key decides, whatever was seen before."""
        await write(database, credential("a"), credential("b"))
        connection = database.connect()
        with pytest.raises(Refused, match="Another customer has got this address"):
            await _Blind(connection, "shop").change_email("a", 1, NOW, "b", "b")
        await connection.close()

    async def test_does_nothing_to_another_version(self, database: Database) -> None:
        await write(database, credential("a", version=2))
        async with transaction(database) as connection:
            assert not await CredentialRepository(connection, "shop").change_email("a", 1, NOW, "b", "b")


class _Blind(CredentialRepository):
    """One that has looked just before the other customer took the address."""

    async def is_email_taken(self, email_key: str, customer_id: str, now: Any) -> bool:
        return False


class TestRehash:
    async def test_spares_a_password_that_was_changed_meanwhile(self, database: Database) -> None:
        await write(database, credential(password_hash="changed"))
        async with transaction(database) as connection:
            await CredentialRepository(connection, "shop").rehash("a", "old", "new")
        after = await CredentialRepository(database.connect(), "shop").find("a")
        assert after is not None
        assert (after.password_hash, after.version) == ("changed", 1)


class TestConfirmEmail:
    @pytest.mark.parametrize(("version", "confirms"), [(1, True), (2, False)])
    async def test_confirms_the_version_that_the_link_was_made_for(
        self, database: Database, version: int, *, confirms: bool
    ) -> None:
        await write(database, credential(must_confirm=True, email_verified_at=None))
        later = NOW + timedelta(hours=1)
        async with transaction(database) as connection:
            assert await CredentialRepository(connection, "shop").confirm_email("a", version, later) is confirms
        after = await CredentialRepository(database.connect(), "shop").find("a")
        assert after is not None
        assert (after.must_confirm, after.email_verified_at) == ((False, later) if confirms else (True, None))
