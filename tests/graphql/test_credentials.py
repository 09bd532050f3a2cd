"""A new password from who knows the old one: `changePassword`."""

from __future__ import annotations

import pytest

from tests.factories import PASSWORD
from tests.harness import operations
from tests.harness.client import Answer, Person, Tokens
from tests.harness.gateway import Gateway

pytestmark = pytest.mark.anyio

NEW_PASSWORD = "copper-lantern-77"


async def change(
    gateway: Gateway, token: str, current: str | None = PASSWORD, new: str | None = NEW_PASSWORD
) -> Answer:
    given = {"currentPassword": current, "newPassword": new}
    return await gateway.graphql(operations.CHANGE_PASSWORD, {"input": given}, token)


async def drop_password(gateway: Gateway, person: Person) -> None:
    """Make a customer one who only ever came by a social login."""
    await gateway.write("UPDATE credential SET password_hash = NULL WHERE customer_id = :id", id=person.id)


class TestChangePassword:
    @pytest.fixture
    async def person(self, gateway: Gateway) -> Person:
        return await gateway.customer()

    async def test_sets_the_password(self, gateway: Gateway, person: Person) -> None:
        assert (await change(gateway, person.tokens.access))["changePassword"]["userErrors"] == []
        await gateway.login(person.email, NEW_PASSWORD)

    async def test_gives_the_session_new_tokens(self, gateway: Gateway, person: Person) -> None:
        tokens = Tokens.of((await change(gateway, person.tokens.access))["changePassword"]["tokens"])
        assert tokens.session_id == person.tokens.session_id
        assert (await gateway.graphql("{ me { id } }", token=tokens.access))["me"] == {"id": person.id}
        assert (await gateway.refresh(tokens.refresh)).session_id == person.tokens.session_id

    async def test_makes_the_tokens_so_far_worthless(self, gateway: Gateway, person: Person) -> None:
        await change(gateway, person.tokens.access)
        assert (await gateway.graphql("{ me { id } }", token=person.tokens.access)).reason == "REVOKED"
        refreshed = await gateway.graphql(operations.REFRESH, {"input": {"refreshToken": person.tokens.refresh}})
        assert refreshed.user_errors("refresh") == [("TOKEN_INVALID", "refreshToken")]

    async def test_goes_on_when_the_dead_refresh_token_is_tried(self, gateway: Gateway, person: Person) -> None:
        tokens = Tokens.of((await change(gateway, person.tokens.access))["changePassword"]["tokens"])
        await gateway.graphql(operations.REFRESH, {"input": {"refreshToken": person.tokens.refresh}})
        assert (await gateway.graphql("{ me { id } }", token=tokens.access))["me"] == {"id": person.id}

    async def test_ends_the_other_sessions(self, gateway: Gateway, person: Person) -> None:
        other = await gateway.login(person.email)
        await change(gateway, person.tokens.access)
        assert (await gateway.graphql("{ me { id } }", token=other.access)).reason == "REVOKED"

    async def test_tells_the_customer_by_mail(self, gateway: Gateway, person: Person) -> None:
        before = len(gateway.mails(person.email))
        await change(gateway, person.tokens.access)
        await gateway.deliver()
        assert len(gateway.mails(person.email)) == before + 1

    async def test_refuses_a_wrong_password(self, gateway: Gateway, person: Person) -> None:
        answer = await change(gateway, person.tokens.access, "wrong-lantern-77")
        assert answer.user_errors("changePassword") == [("INVALID_CREDENTIALS", "currentPassword")]
        await gateway.login(person.email, PASSWORD)

    async def test_wants_the_password_so_far(self, gateway: Gateway, person: Person) -> None:
        answer = await change(gateway, person.tokens.access, None)
        assert answer.user_errors("changePassword") == [("REQUIRED", "currentPassword")]

    async def test_refuses_the_same_password_again(self, gateway: Gateway, person: Person) -> None:
        answer = await change(gateway, person.tokens.access, PASSWORD, PASSWORD)
        assert answer.user_errors("changePassword") == [("INVALID", "newPassword")]

    async def test_refuses_a_password_of_the_customers_name(self, gateway: Gateway) -> None:
        person = await gateway.customer(customerDetails={"firstName": "Wilhelmina", "middleName": "Augustine"})
        for name in ("Wilhelmina1", "augustine99"):
            answer = await change(gateway, person.tokens.access, PASSWORD, name)
            assert answer.user_errors("changePassword") == [("PASSWORD_TOO_PERSONAL", "newPassword")]

    async def test_refuses_a_common_password(self, gateway: Gateway, person: Person) -> None:
        answer = await change(gateway, person.tokens.access, PASSWORD, "password123")
        assert answer.user_errors("changePassword") == [("PASSWORD_TOO_COMMON", "newPassword")]

    async def test_lets_who_has_none_set_the_first_one_after_a_login(self, gateway: Gateway, person: Person) -> None:
        await drop_password(gateway, person)
        assert (await change(gateway, person.tokens.access, None))["changePassword"]["userErrors"] == []
        await gateway.login(person.email, NEW_PASSWORD)

    async def test_wants_a_login_not_long_ago_for_the_first_one(self, gateway: Gateway, person: Person) -> None:
        await drop_password(gateway, person)
        gateway.clock.advance(minutes=10, seconds=1)
        answer = await change(gateway, person.tokens.access, None)
        assert answer.codes == ["REAUTHENTICATION_REQUIRED"]

    async def test_clears_the_mark_of_an_initial_password(self, gateway: Gateway, person: Person) -> None:
        await gateway.write("UPDATE credential SET initial_password = true WHERE customer_id = :id", id=person.id)
        refreshed = await gateway.refresh(person.tokens.refresh)
        assert refreshed.all["initialPassword"] is True
        tokens = (await change(gateway, refreshed.access))["changePassword"]["tokens"]
        assert tokens["initialPassword"] is False

    async def test_is_not_for_visitors(self, gateway: Gateway) -> None:
        assert (await change(gateway, (await gateway.anonymous()).access)).codes == ["FORBIDDEN"]
