"""A shop that lists its operations: its storefronts run those and no others, whatever they leave out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.domain.operation_lists import hash_operation
from tests.harness import operations
from tests.harness.client import Answer
from tests.harness.gateway import Gateway
from tests.harness.integrations import BACKEND, integration_token, shops
from tests.harness.tenants import integration, shop, storefront

pytestmark = pytest.mark.anyio

ME = "query Me { me { email } }"
LISTED = [
    ME,
    operations.ANONYMOUS_LOGIN,
    operations.REFRESH,
    operations.SIGNUP,
    operations.LOGIN,
    operations.CONFIRM_SIGNUP,
]
LISTED_SHOP = (
    shop("listed", signup="confirm_email", operations_file="operations.json")
    + storefront("listed", "listed-storefront")
    + integration("listed", "listed-backend", secret_env="BACKEND_SECRET")
)


@pytest.fixture
def settings_environment(tmp_path: Path) -> dict[str, str]:
    variables = shops(tmp_path, BACKEND, LISTED_SHOP)
    listed = [{"id": hash_operation(text), "name": "x", "type": "query", "body": text} for text in LISTED]
    manifest = {"format": "apollo-persisted-query-manifest", "version": 1, "operations": listed}
    (tmp_path / "operations.json").write_text(json.dumps(manifest))
    return variables


async def by_hash(gateway: Gateway, text: str, variables: Any = None, token: str | None = None) -> Any:
    body = {
        "variables": variables or {},
        "extensions": {"persistedQuery": {"version": 1, "sha256Hash": hash_operation(text)}},
    }
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return (await gateway.http.post("/graphql", json=body, headers=headers)).json()


def is_refused(answer: Answer) -> bool:
    return answer.codes == ["OPERATION_NOT_ALLOWED"] and not any((answer.data or {}).values())


class TestCheckOperation:
    async def test_lets_a_storefront_run_what_is_listed(self, gateway: Gateway) -> None:
        person = await gateway.customer("listed-storefront")
        assert (await gateway.graphql(ME, token=person.tokens.access))["me"] == {"email": person.email}

    async def test_knows_what_is_listed_by_its_hash(self, gateway: Gateway) -> None:
        login = {"input": {"clientId": "listed-storefront"}}
        answer = await by_hash(gateway, operations.ANONYMOUS_LOGIN, login)
        token = answer["data"]["anonymousLogin"]["tokens"]["accessToken"]
        assert await by_hash(gateway, ME, token=token) == {"data": {"me": None}}

    @pytest.mark.parametrize(
        "text", ["{ me { email } }", ME + " ", "{ __typename }", "{ __schema { queryType { name } } }"]
    )
    async def test_refuses_a_storefront_everything_else(self, gateway: Gateway, text: str) -> None:
        tokens = await gateway.anonymous("listed-storefront")
        answer = await gateway.graphql(
            text, token=tokens.access, headers={"Accept": "application/graphql-response+json"}
        )
        assert is_refused(answer)
        assert answer.status == 403

    async def test_refuses_what_is_not_listed_without_a_token(self, gateway: Gateway) -> None:
        text = 'mutation { anonymousLogin(input: {clientId: "listed-storefront"}) { tokens { accessToken } } }'
        assert is_refused(await gateway.graphql(text))

    async def test_refuses_what_is_not_listed_with_the_token_of_another_shop(self, gateway: Gateway) -> None:
        text = 'mutation { anonymousLogin(input: {clientId: "listed-storefront"}) { tokens { accessToken } } }'
        other = await gateway.anonymous("shop-storefront")
        assert is_refused(await gateway.graphql(text, token=other.access))
        backend = await integration_token(gateway)
        assert is_refused(await gateway.graphql(text, token=backend))

    async def test_refuses_a_refresh_that_is_not_listed_and_leaves_the_token_alone(self, gateway: Gateway) -> None:
        tokens = await gateway.anonymous("listed-storefront")
        text = f'mutation {{ refresh(input: {{refreshToken: "{tokens.refresh}"}}) {{ tokens {{ accessToken }} }} }}'
        assert is_refused(await gateway.graphql(text))
        assert (await gateway.refresh(tokens.refresh)).session_id == tokens.session_id

    async def test_refuses_a_mailed_token_in_an_operation_that_is_not_listed(self, gateway: Gateway) -> None:
        person = await gateway.signed_up("listed-storefront")
        await gateway.deliver()
        (mail,) = gateway.mails(person.email)
        text = f'mutation {{ confirmSignup(input: {{token: "{mail.token}"}}) {{ customerId }} }}'
        assert is_refused(await gateway.graphql(text))
        listed = await gateway.graphql(
            operations.CONFIRM_SIGNUP, {"input": {"token": mail.token}}, person.tokens.access
        )
        assert listed["confirmSignup"]["customerId"] == person.id

    async def test_judges_each_field_of_a_document_by_itself(self, gateway: Gateway) -> None:
        text = """mutation {
            here: anonymousLogin(input: {clientId: "shop-storefront"}) { tokens { sessionId } }
            there: anonymousLogin(input: {clientId: "listed-storefront"}) { tokens { sessionId } }
        }"""
        answer = await gateway.graphql(text)
        assert answer.codes == ["OPERATION_NOT_ALLOWED"]
        assert answer.errors[0]["path"] == ["there"]

    async def test_leaves_the_integrations_of_the_shop_free(self, gateway: Gateway) -> None:
        token = await integration_token(gateway, "listed-backend")
        assert (await gateway.graphql("{ customers { nodes { id } } }", token=token))["customers"] == {"nodes": []}

    async def test_leaves_shops_without_a_list_free(self, gateway: Gateway) -> None:
        tokens = await gateway.anonymous("shop-storefront")
        assert (await gateway.graphql("{ me { email } }", token=tokens.access))["me"] is None

    async def test_leaves_staff_free_who_act_for_a_customer(self, gateway: Gateway) -> None:
        person = await gateway.customer("listed-storefront")
        backend = await integration_token(gateway, "listed-backend")
        wanted = f'{{customerId: "{person.id}", reason: "Phone order"}}'
        text = f"mutation {{ loginOnBehalf(input: {wanted}) {{ tokens {{ accessToken }} }} }}"
        begun = (await gateway.graphql(text, token=backend))["loginOnBehalf"]
        answer = await gateway.graphql("{ me { email } }", token=begun["tokens"]["accessToken"])
        assert answer["me"] == {"email": person.email}
