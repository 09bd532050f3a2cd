"""A one-time token is claimed once, for its purpose, in its time; and which others end with it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.domain.ports import Database
from app.domain.rows import Reading
from app.models.one_time_tokens import OneTimeToken, Purpose
from app.repositories.one_time_tokens import OneTimeTokenRepository
from tests.harness.rows import LATER, NOW, row_of
from tests.harness.transactions import AT_ONCE, at_once, transaction, write

pytestmark = pytest.mark.anyio

RESET = Purpose.RESET_PASSWORD


def token(word: str = "a", /, **values: Any) -> OneTimeToken:
    made = row_of(OneTimeToken, "shop", word, **{"purpose": RESET.value, "customer_id": "a", **values})
    assert isinstance(made, OneTimeToken)
    return made


async def claim(database: Database, purpose: Purpose = RESET) -> bool:
    async with transaction(database) as connection:
        return await OneTimeTokenRepository(connection, "shop").claim(b"a", purpose, "session", NOW)


async def open_tokens(database: Database) -> set[bytes]:
    table = OneTimeToken.__table__
    statement = select(table).where(table.c.revoked_at.is_(None), table.c.used_at.is_(None))
    return {row.token_hash for row in await database.connect().read_anew(Reading(OneTimeToken, statement))}


class TestClaim:
    async def test_of_sixteen_at_once_one_succeeds(self, database: Database) -> None:
        await write(database, token())
        claimed = await at_once(
            database,
            lambda connection: OneTimeTokenRepository(connection, "shop").claim(b"a", RESET, "session", NOW),
        )
        assert sorted(claimed) == [False] * (AT_ONCE - 1) + [True]

    async def test_remembers_the_session(self, database: Database) -> None:
        await write(database, token())
        assert await claim(database)
        (row,) = await database.connect().read_anew(Reading(OneTimeToken, select(OneTimeToken.__table__)))
        assert (row.used_at, row.used_in_session) == (NOW, "session")

    @pytest.mark.parametrize(
        "state", [{"used_at": NOW}, {"revoked_at": NOW}, {"expires_at": NOW}], ids=["used", "revoked", "expired"]
    )
    async def test_refuses_what_is_over(self, database: Database, state: dict[str, Any]) -> None:
        await write(database, token(**state))
        assert not await claim(database)

    async def test_refuses_another_purpose(self, database: Database) -> None:
        await write(database, token())
        assert not await claim(database, Purpose.CONFIRM_SIGNUP)


class TestRevoke:
    async def revoke(self, database: Database, *purposes: Purpose) -> set[bytes]:
        confirm = {"purpose": Purpose.CONFIRM_SIGNUP.value}
        await write(database, token("a"), token("b", **confirm), token("c", customer_id="c"))
        async with transaction(database) as connection:
            await OneTimeTokenRepository(connection, "shop").revoke("a", NOW, *purposes)
        return await open_tokens(database)

    async def test_ends_all_of_the_customer(self, database: Database) -> None:
        assert await self.revoke(database) == {b"c"}

    async def test_ends_only_those_for_a_purpose(self, database: Database) -> None:
        assert await self.revoke(database, RESET) == {b"b", b"c"}

    async def test_leaves_the_time_at_which_others_were_revoked(self, database: Database) -> None:
        await write(database, token(revoked_at=LATER))
        async with transaction(database) as connection:
            await OneTimeTokenRepository(connection, "shop").revoke("a", NOW)
        (row,) = await database.connect().read_anew(Reading(OneTimeToken, select(OneTimeToken.__table__)))
        assert row.revoked_at == LATER


class TestRevokeLater:
    async def test_ends_those_that_were_made_after_it_or_for_the_same_address(self, database: Database) -> None:
        used = token("a", credential_version=2, used_at=NOW)
        await write(
            database,
            used,
            token("b", credential_version=1),
            token("c", credential_version=3),
            token("d", credential_version=1, email_key="a"),
            token("e", credential_version=3, purpose=Purpose.CONFIRM_SIGNUP.value),
            token("f", credential_version=3, customer_id="f"),
        )
        async with transaction(database) as connection:
            await OneTimeTokenRepository(connection, "shop").revoke_later(used, NOW + timedelta(hours=1))
        assert await open_tokens(database) == {b"b", b"e", b"f"}
