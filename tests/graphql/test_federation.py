"""The subgraph: customers by their key for those who may see them, and its SDL for the composition."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import ConstDirectiveNode, NullValueNode, Visitor, build_ast_schema, parse, visit

from app.graphql.schema import build_schema
from tests.harness.client import Answer
from tests.harness.gateway import Gateway
from tests.harness.staff import ENVIRONMENT, Staff

pytestmark = pytest.mark.anyio

ENTITIES = """query ($representations: [_Any!]!) {
    _entities(representations: $representations) { __typename ... on Customer { id email groups { code } } }
}"""
UNKNOWN = "00000000-0000-7000-8000-000000000000"


@pytest.fixture
def settings_environment() -> dict[str, str]:
    return ENVIRONMENT


async def ask(gateway: Gateway, token: str | None, *ids: str) -> Answer:
    representations = [{"__typename": "Customer", "id": each} for each in ids]
    return await gateway.graphql(ENTITIES, {"representations": representations}, token)


def emails(answer: Answer) -> list[str | None]:
    return [each and each["email"] for each in answer["_entities"]]


class TestEntities:
    async def test_gives_an_integration_the_customers_in_the_order_of_the_question(self, gateway: Gateway) -> None:
        staff = await Staff.of(gateway)
        ada, bob = [await staff.create(email=f"{name}@example.com") for name in ("ada", "bob")]
        answer = await ask(gateway, staff.token, bob["id"], UNKNOWN, ada["id"], bob["id"])
        assert emails(answer) == ["bob@example.com", None, "ada@example.com", "bob@example.com"]
        assert answer["_entities"][0]["__typename"] == "Customer"

    async def test_reads_a_hundred_customers_by_one_statement(self, gateway: Gateway) -> None:
        staff = await Staff.of(gateway)
        ids = [(await staff.create())["id"] for _ in range(3)]
        await ask(gateway, staff.token, ids[0])
        query = "query ($r: [_Any!]!) { _entities(representations: $r) { ... on Customer { email } } }"
        representations = [{"__typename": "Customer", "id": each} for each in (ids * 34)[:100]]
        with gateway.count_statements() as statements:
            answer = await gateway.graphql(query, {"r": representations}, staff.token)
        assert len(answer["_entities"]) == 100
        # The other one is that which looks up the token.
        assert len(statements) == 2

    async def test_refuses_more_than_a_hundred(self, gateway: Gateway) -> None:
        staff = await Staff.of(gateway)
        assert (await ask(gateway, staff.token, *[UNKNOWN] * 101)).codes == ["BAD_REQUEST"]

    async def test_gives_nothing_for_nothing(self, gateway: Gateway) -> None:
        staff = await Staff.of(gateway)
        assert (await ask(gateway, staff.token))["_entities"] == []

    async def test_gives_a_customer_nobody_else(self, gateway: Gateway) -> None:
        ada, bob = await gateway.customer(), await gateway.customer()
        assert emails(await ask(gateway, ada.tokens.access, bob.id, ada.id, UNKNOWN)) == [None, ada.email, None]

    async def test_gives_an_anonymous_session_nobody(self, gateway: Gateway) -> None:
        ada = await gateway.customer()
        tokens = await gateway.anonymous()
        assert emails(await ask(gateway, tokens.access, ada.id)) == [None]

    async def test_gives_nobody_of_another_shop(self, gateway: Gateway) -> None:
        staff, others = await Staff.of(gateway), await Staff.of(gateway, "open-backend")
        ada = await staff.create()
        assert emails(await ask(gateway, others.token, ada["id"])) == [None]

    async def test_needs_the_scope(self, gateway: Gateway) -> None:
        writer = await Staff.of(gateway, scope="customers.write")
        assert (await ask(gateway, writer.token, UNKNOWN)).codes == ["FORBIDDEN"]

    async def test_needs_a_token(self, gateway: Gateway) -> None:
        assert (await ask(gateway, None, UNKNOWN)).codes == ["UNAUTHENTICATED"]

    @pytest.mark.parametrize(
        "representation",
        [
            {"__typename": "Order", "id": "1"},
            {"id": "1"},
            {"__typename": "Customer"},
            {"__typename": "Customer", "id": 7},
            "x",
            [],
        ],
    )
    async def test_refuses_what_represents_no_customer(self, gateway: Gateway, representation: Any) -> None:
        staff = await Staff.of(gateway)
        answer = await gateway.graphql(ENTITIES, {"representations": [representation]}, staff.token)
        assert answer.codes == ["BAD_REQUEST"]


class NullArguments(Visitor):
    """Counts the directives of a document, and names the arguments of theirs that are null."""

    def __init__(self) -> None:
        super().__init__()
        self.applied = 0
        self.null: list[str] = []

    def enter_directive(self, node: ConstDirectiveNode, *_: object) -> None:
        self.applied += 1
        self.null += [
            f"@{node.name.value}({argument.name.value}:)"
            for argument in node.arguments or ()
            if isinstance(argument.value, NullValueNode)
        ]


class TestService:
    async def test_tells_an_integration_the_sdl_with_the_keys(self, gateway: Gateway) -> None:
        staff = await Staff.of(gateway)
        sdl = (await staff.graphql("{ _service { sdl } }"))["_service"]["sdl"]
        assert 'type Customer @key(fields: "id") {' in sdl
        assert "type PageInfo @shareable {" in sdl
        # The lowest version that has both directives, so that every composition can read it.
        link = 'schema @link(url: "https://specs.apollo.dev/federation/v2.0", import: ["@key", "@shareable"]) {'
        assert link in sdl

    async def test_tells_a_storefront_nothing(self, gateway: Gateway) -> None:
        tokens = await gateway.anonymous()
        assert (await gateway.graphql("{ _service { sdl } }", token=tokens.access)).codes == ["FORBIDDEN"]
        assert (await gateway.graphql("{ _service { sdl } }")).codes == ["UNAUTHENTICATED"]


class TestSubgraphSchema:
    def test_prints_no_null_argument_of_a_directive(self) -> None:
        found = NullArguments()
        visit(parse(build_schema().subgraph_sdl), found)
        assert found.applied > 50
        assert found.null == []

    def test_shows_clients_nothing_that_their_tools_cannot_read(self) -> None:
        sdl = build_schema().as_str()
        build_ast_schema(parse(sdl))
        assert "@key" not in sdl
        assert "specs.apollo.dev" not in sdl

    def test_differs_in_the_directives_of_federation_only(self) -> None:
        schema = build_schema()
        without = schema.subgraph_sdl.replace(' @key(fields: "id")', "").replace(" @shareable", "")
        head, _, tail = without.partition("schema @link")
        assert head + tail.partition("}\n\n")[2] == schema.as_str()
