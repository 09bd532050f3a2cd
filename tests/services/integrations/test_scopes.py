"""What each scope of staff allows, in the words of the tenants file and of tokens, old and new."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from app.domain.scopes import Scope
from tests.harness.gateway import Gateway
from tests.harness.integrations import SECRET, basic, integration_token, post
from tests.harness.operations import USER_ERRORS
from tests.harness.staff import CREATE, CREATE_GROUP, RECORD_ORDER, RESET_TOKEN, UPDATE, Staff
from tests.harness.tenants import integration, shop, storefront

pytestmark = pytest.mark.anyio

CLIENTS: dict[str, Sequence[str]] = {
    "all-new": [scope.value for scope in Scope],
    "old": ["customers.read", "customers.manage", "customers.anonymize"],
    "manage": ["customers.manage"],
    "privacy": ["customers.privacy"],
}
LOGIN_ON_BEHALF = f"""mutation ($input: LoginOnBehalfInput!) {{
    loginOnBehalf(input: $input) {{ tokens {{ accessToken }} {USER_ERRORS} }}
}}"""
INSTRUMENTS = "{ id paymentInstruments { id } }"


@pytest.fixture
def environment(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """Return that of a shop with a client for each of the sets of scopes."""
    file = tmp_path / "tenants.toml"
    clients = [integration("shop", name, scopes=list(scopes), secret_env="SECRET") for name, scopes in CLIENTS.items()]
    file.write_text("\n".join((shop("shop"), storefront("shop", "demo-storefront"), *clients)))
    return {**environment, "TENANTS_FILE": str(file), "SECRET": SECRET}


async def scope_of(gateway: Gateway, client_id: str, **form: str) -> tuple[int, str]:
    response = await post(gateway, "token", basic(client_id), grant_type="client_credentials", **form)
    body = response.json()
    return response.status_code, body.get("scope") or body["error"]


class TestWords:
    @pytest.mark.parametrize(
        ("client", "asked", "answered"),
        [
            ("manage", "customers.write", "customers.write"),
            ("manage", "customers.read customers.credentials", "customers.credentials customers.read"),
            ("manage", "customers.manage", "customers.manage"),
            ("manage", "customers.manage customers.read", "customers.manage customers.read"),
            ("all-new", "customers.manage", "customers.manage"),
            ("all-new", "customers.anonymize", "customers.anonymize"),
            ("old", "customers.privacy", "customers.privacy"),
        ],
    )
    async def test_of_a_part_and_of_the_whole_may_be_asked_for(
        self, gateway: Gateway, client: str, asked: str, answered: str
    ) -> None:
        assert await scope_of(gateway, client, scope=asked) == (200, answered)

    @pytest.mark.parametrize(
        ("client", "asked"),
        [("manage", "customers.privacy"), ("manage", "payments.read"), ("privacy", "customers.manage")],
    )
    async def test_of_more_than_the_client_has_are_refused(self, gateway: Gateway, client: str, asked: str) -> None:
        assert await scope_of(gateway, client, scope=asked) == (400, "invalid_scope")

    async def test_are_those_of_the_file_where_none_are_asked_for(self, gateway: Gateway) -> None:
        assert await scope_of(gateway, "old") == (200, "customers.anonymize customers.manage customers.read")
        assert await scope_of(gateway, "privacy") == (200, "customers.privacy")

    async def test_are_told_by_introspection(self, gateway: Gateway) -> None:
        token = await integration_token(gateway, "manage", scope="customers.write")
        response = await post(gateway, "introspect", basic("manage"), token=token)
        assert response.json()["scope"] == "customers.write"


class TestWhatAScopeAllows:
    """Each operation with one scope alone, and with all the others."""

    async def calls(self, gateway: Gateway, staff: Staff) -> dict[str, bool]:
        """Return which operations are not FORBIDDEN."""
        person = await gateway.signed_up()
        find = f'{{ customer(id: "{person.id}") {{ id }} }}'
        answers = {
            "find": await staff.graphql(find),
            "list": await staff.graphql("{ customers { nodes { id } } }"),
            "groups": await staff.graphql("{ customerGroups { id } }"),
            "create": await staff.try_to(CREATE, email="new@example.com"),
            "create with a password": await staff.try_to(
                CREATE, email="newer@example.com", password="violet-harbour-42"
            ),
            "update": await staff.try_to(UPDATE, id=person.id, firstName="Ada"),
            "group": await staff.try_to(CREATE_GROUP, name="VIP", code="VIP"),
            "order": await staff.try_to(RECORD_ORDER, customerId=person.id, orderReference="1"),
            "reset token": await staff.try_to(RESET_TOKEN, customerId=person.id),
            "on behalf": await staff.try_to(LOGIN_ON_BEHALF, customerId=person.id, reason="Phone"),
        }
        return {name: answer.codes != ["FORBIDDEN"] for name, answer in answers.items()}

    @pytest.mark.parametrize(
        ("scope", "allowed"),
        [
            ("customers.read", {"find", "list", "groups"}),
            ("customers.write", {"create", "update", "group", "order"}),
            ("customers.write customers.credentials", {"create", "create with a password", "update", "group", "order"}),
            ("customers.credentials", set()),
            ("customers.impersonate", {"on behalf"}),
            ("customers.privacy", set()),
            ("payments.read", set()),
        ],
    )
    async def test_alone(self, gateway: Gateway, scope: str, allowed: set[str]) -> None:
        called = await self.calls(gateway, await Staff.of(gateway, "all-new", scope=scope))
        expected = allowed | ({"reset token"} if "credentials" in scope else set())
        assert {name for name, is_allowed in called.items() if is_allowed} == expected

    @pytest.mark.parametrize("client", ["manage", "old"])
    async def test_of_the_first_version_is_all_of_it(self, gateway: Gateway, client: str) -> None:
        called = await self.calls(gateway, await Staff.of(gateway, client))
        assert all(called.values()), called

    async def test_a_refused_password_makes_no_customer(self, gateway: Gateway) -> None:
        writer = await Staff.of(gateway, "all-new", scope="customers.write")
        refused = await writer.try_to(CREATE, email="new@example.com", password="violet-harbour-42")
        assert refused.codes == ["FORBIDDEN"]
        assert await (await Staff.of(gateway, "all-new")).find(email="new@example.com") is None


class TestPayments:
    """Who may see payment instruments."""

    def queries(self, customer_id: str) -> list[str]:
        return [
            f'{{ customer(id: "{customer_id}") {INSTRUMENTS} }}',
            f"{{ customers {{ nodes {INSTRUMENTS} }} }}",
            f"{{ customers {{ edges {{ node {{ ...f }} }} }} }} fragment f on Customer {INSTRUMENTS}",
            (
                f'{{ _entities(representations: [{{__typename: "Customer", id: "{customer_id}"}}]) '
                f"{{ ... on Customer {INSTRUMENTS} }} }}"
            ),
        ]

    async def test_needs_the_scope(self, gateway: Gateway) -> None:
        person = await gateway.signed_up()
        for query in self.queries(person.id):
            for client in ("manage", "old"):
                assert (await (await Staff.of(gateway, client)).graphql(query)).codes == ["FORBIDDEN"], query
            assert not (await (await Staff.of(gateway, "all-new")).graphql(query)).codes, query

    async def test_is_asked_for_before_anything_is_written(self, gateway: Gateway) -> None:
        staff = await Staff.of(gateway, "manage")
        create = f"""mutation ($input: CreateCustomerInput!) {{
            createCustomer(input: $input) {{ customer {INSTRUMENTS} {USER_ERRORS} }}
        }}"""
        assert (await staff.try_to(create, email="new@example.com")).codes == ["FORBIDDEN"]
        assert await staff.find(email="new@example.com") is None

    async def test_does_not_matter_for_what_is_skipped(self, gateway: Gateway) -> None:
        person = await gateway.signed_up()
        query = f"""query ($no: Boolean!) {{ customer(id: "{person.id}") {{
            id paymentInstruments @include(if: $no) {{ id }} ... @skip(if: true) {INSTRUMENTS}
        }} }}"""
        answer = await (await Staff.of(gateway, "manage")).graphql(query, {"no": False})
        assert answer["customer"] == {"id": person.id}

    async def test_are_the_customers_own(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        query = f"{{ me {INSTRUMENTS} }}"
        assert (await gateway.graphql(query, token=person.tokens.access))["me"]["paymentInstruments"] == []
        assert (await gateway.graphql(query, token=(await gateway.anonymous()).access))["me"] is None

    @pytest.mark.parametrize(("client", "codes"), [("manage", ["FORBIDDEN"]), ("all-new", [])])
    async def test_on_behalf_need_the_scope_of_who_acts(self, gateway: Gateway, client: str, codes: list[str]) -> None:
        person = await gateway.signed_up()
        staff = await Staff.of(gateway, client)
        begun = await staff.try_to(LOGIN_ON_BEHALF, customerId=person.id, reason="Phone")
        token = begun["loginOnBehalf"]["tokens"]["accessToken"]
        assert (await gateway.graphql(f"{{ me {INSTRUMENTS} }}", token=token)).codes == codes
        assert (await gateway.graphql("{ me { id } }", token=token))["me"] == {"id": person.id}
