"""The operations in GraphiQL: they fit the schema, and work in their order with what the page fills in."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLType,
    OperationDefinitionNode,
    build_schema,
    is_non_null_type,
    parse,
    type_from_ast,
    validate,
)
from pyotp import TOTP

from tests.fakes import MovableClock
from tests.harness.gateway import Gateway, run_gateway
from tests.harness.graphiql import Known, put, sources_of
from tests.harness.server import ROOT

pytestmark = pytest.mark.anyio

GROUPS = ["Visit", "Account", "Credentials", "Shopper", "Privacy", "Staff"]
STEPS: list[dict[str, Any]] = [
    {**step, "group": group["group"]}
    for group in json.loads((ROOT / "app/http/graphiql/journey.json").read_text())
    for step in group["steps"]
]
SCHEMA = build_schema((ROOT / "schema.graphql").read_text())
WRITTEN = [step for step in STEPS if "again" not in step]


@pytest.fixture
def database_url(tmp_path: Path, sqlite_template: Path) -> str:
    """Use SQLite only: what the operations do is tested elsewhere, on both databases."""
    shutil.copy(sqlite_template, tmp_path / "gateway.db")
    return f"sqlite:///{tmp_path / 'gateway.db'}"


def missing(kind: GraphQLType | None, value: Any) -> list[str]:
    """Return the fields of an input that may not be null and are left out, at any depth."""
    inner = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
    if isinstance(inner, GraphQLList):
        return [name for item in value for name in missing(inner.of_type, item)]
    if not isinstance(inner, GraphQLInputObjectType):
        return []
    here = [name for name, field in inner.fields.items() if is_non_null_type(field.type) and name not in value]
    return here + [name for key in value for name in missing(inner.fields[key].type, value[key])]


class Walker:
    """Runs the operations as the page does: with the tokens, ids and tickets of earlier answers, and the mails."""

    def __init__(self, gateway: Gateway, journey: dict[str, Any]) -> None:
        self._gateway = gateway
        self._journey = journey
        self._known = Known(journey)
        self._tokens: dict[str, Any] = {}
        self._customer: dict[str, Any] = {}
        self._staff: str | None = None

    async def get_staff_token(self) -> None:
        client = self._journey["staff"]
        answer = await self._gateway.http.post(
            "/oauth/token",
            data={"grant_type": "client_credentials"},
            auth=(client["clientId"], client["clientSecret"]),
        )
        self._staff = answer.json()["access_token"]

    async def run(self, step: dict[str, Any]) -> dict[str, Any]:
        self._gateway.clock.advance(seconds=1)
        await self._gateway.deliver()
        mails = await self._gateway.http.get("/dev/mail/latest.json")
        self._known.tell_mails(mails.json()["links"])
        variables = self._known.fill(step, lambda secret: TOTP(secret).at(self._gateway.clock.now()))
        token = self._staff if step.get("token") == "staff" else self._tokens.get("accessToken")
        answer = await self._gateway.graphql(step["query"], variables, token)
        assert answer.errors == [], (step["name"], variables, answer.errors)
        assert answer.data is not None
        for payload in answer.data.values():
            if isinstance(payload, dict):
                assert payload.get("userErrors", []) == [], (step["name"], variables, payload)
                self._remember(payload)
        self._known.tell(answer.data)
        return answer.data

    def _remember(self, payload: dict[str, Any]) -> None:
        if payload.get("loggedOut"):
            self._tokens = {}
        tokens = payload.get("tokens")
        if tokens is None:
            return
        if tokens["accessToken"].startswith("cg_ca_"):
            if self._customer and self._customer["sessionId"] != tokens["sessionId"]:
                self._known.tell({"earlier": self._customer})
            self._customer = tokens
        self._tokens = tokens
        self._known.tell({"tokens": tokens})


class TestFile:
    def test_has_the_groups_in_their_order(self) -> None:
        assert list(dict.fromkeys(step["group"] for step in STEPS)) == GROUPS

    @pytest.mark.parametrize("step", WRITTEN, ids=lambda step: step["name"])
    def test_has_operations_that_fit_the_schema(self, step: dict[str, Any]) -> None:
        document = parse(step["query"])
        faults: list[GraphQLError] = validate(SCHEMA, document)
        assert faults == []
        (operation,) = document.definitions
        assert isinstance(operation, OperationDefinitionNode)
        assert operation.name is not None
        assert {variable.variable.name.value for variable in operation.variable_definitions or ()} >= set(
            step["variables"]
        )

    @pytest.mark.parametrize("step", WRITTEN, ids=lambda step: step["name"])
    def test_gives_what_has_a_default_too_for_graphiql_marks_it_as_missing(self, step: dict[str, Any]) -> None:
        (operation,) = parse(step["query"]).definitions
        assert isinstance(operation, OperationDefinitionNode)
        for variable in operation.variable_definitions or ():
            name = variable.variable.name.value
            if name in step["variables"]:
                assert missing(type_from_ast(SCHEMA, variable.type), step["variables"][name]) == []

    def test_names_each_operation_once(self) -> None:
        names = [parse(step["query"]).definitions[0].name.value for step in WRITTEN]  # type: ignore[attr-defined]
        assert sorted(set(names)) == sorted(names)
        assert len({step["name"] for step in WRITTEN}) == len(WRITTEN)
        assert {step["again"] for step in STEPS if "again" in step} <= {step["name"] for step in WRITTEN}

    def test_fills_in_only_variables_that_are_there(self) -> None:
        for step in WRITTEN:
            for path, rule in step.get("fill", {}).items():
                assert sources_of(rule)
                put(step["variables"], path, "anything")


class TestJourney:
    async def test_works_in_its_order_with_what_the_page_fills_in(
        self, environment: dict[str, str], clock: MovableClock
    ) -> None:
        async with run_gateway(environment, clock) as gateway:
            journey = (await gateway.http.get("/playground/journey.json")).json()
            assert len(journey["steps"]) == len(STEPS)
            walker = Walker(gateway, journey)
            await walker.get_staff_token()
            answers = {step["name"].split(" ", 1)[1]: await walker.run(step) for step in journey["steps"]}
            assert answers["Revoke device"]["revokeSession"]["revoked"] is True
            assert answers["Second factor"]["completeLogin"]["tokens"] is not None
            assert answers["Revert e-mail"]["revertEmailChange"]["email"] == "grace@example.com"
            assert answers["Preview merge"]["mergeAccounts"]["merged"]["addresses"] == 2
            assert answers["Stay"]["cancelAnonymization"]["anonymizationInfo"]["status"] == "CANCELED"
            assert answers["Put into group"]["updateCustomer"]["customer"]["groups"] == [{"code": "admirals"}]
            assert answers["Me"]["tokenInfo"]["kind"] == "ON_BEHALF"
            assert answers["Me"]["me"]["email"] == "grace@example.com"
