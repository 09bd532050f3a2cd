"""Who may call what: every root field is called by everyone, and is told what the table of the schema says."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from graphql import GraphQLField, GraphQLString

from app.domain.principal import TokenKind
from app.domain.scopes import Scope, SessionScope
from app.graphql.fields import Access
from tests.harness.access import Bearer, RootField, Verdict, declared_table, read_table, root_fields, rule_of, table
from tests.harness.arguments import document, least_arguments
from tests.harness.client import Answer
from tests.harness.gateway import Gateway
from tests.harness.two_shops import HERE, THERE, Shop, two_shops

TOKEN_INFO = "{ tokenInfo { kind } }"
# Answers that would hide what a bearer is told about access.
BLINDFOLDS = {"BAD_REQUEST", "RATE_LIMITED", "QUERY_TOO_COMPLEX", "SERVICE_BUSY"}
REASONS = {Bearer.NOBODY: "MISSING", Bearer.FORMER: "REVOKED"}
# What the smallest valid call needs beside what the schema says.
FURTHER_ARGUMENTS = {"customer": {"email": "nobody@example.com"}}


@pytest.fixture
def environment(sqlite_template: Path, tmp_path: Path) -> dict[str, str]:
    """Return that of SQLite only: access is decided before any statement that differs."""
    database = tmp_path / "gateway.db"
    shutil.copy(sqlite_template, database)
    return {"DATABASE_URL": f"sqlite:///{database}", "STATE_DIR": str(tmp_path / "state"), **two_shops(tmp_path)}


class Bearers:
    """Everyone who may come, each with a token that is as alive as theirs can be."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._shop, self._other_shop = Shop(gateway), Shop(gateway, THERE)
        self._tokens: dict[tuple[Bearer, str | None], str | None] = {}

    async def call(self, field: RootField, bearer: Bearer) -> Answer:
        """Call the field with the smallest valid arguments."""
        token = await self._token(bearer, field.rule.scope)
        self._shop.come_from_elsewhere()
        arguments = {**least_arguments(field.shown), **FURTHER_ARGUMENTS.get(field.name, {})}
        answer = await self._gateway.graphql(document(field.root, field.name, field.shown, arguments), arguments, token)
        if bearer not in REASONS and field.root == "Mutation" and await self._has_ended(token):
            self._tokens = {key: known for key, known in self._tokens.items() if known != token}
        return answer

    async def scope(self, bearer: Bearer) -> frozenset[str]:
        """Return what the bearer's token says that it may do."""
        answer = await self._gateway.graphql("{ tokenInfo { scope } }", token=await self._token(bearer, None))
        return frozenset(answer["tokenInfo"]["scope"])

    async def _token(self, bearer: Bearer, scope: str | None) -> str | None:
        key = (bearer, scope if bearer is Bearer.INTEGRATION else None)
        if key not in self._tokens:
            self._tokens[key] = await self._new_token(bearer, scope)
        return self._tokens[key]

    async def _new_token(self, bearer: Bearer, scope: str | None) -> str | None:
        shop = self._shop
        makers: dict[Bearer, Callable[[], Awaitable[str]]] = {
            Bearer.ANONYMOUS: shop.visitor,
            Bearer.INTEGRATION: lambda: shop.integration(*(each for each in Scope if each != scope), owned=False),
            Bearer.SCOPED_INTEGRATION: lambda: shop.integration(*Scope),
        }
        if bearer in makers:
            return await makers[bearer]()
        if bearer is Bearer.NOBODY:
            return None
        if bearer is Bearer.FORMER:
            return (await shop.former_customer()).tokens.access
        person = await (self._other_shop if bearer is Bearer.STRANGER else shop).customer()
        return await shop.on_behalf(person.id) if bearer is Bearer.ON_BEHALF else person.tokens.access

    async def _has_ended(self, token: str | None) -> bool:
        return "UNAUTHENTICATED" in (await self._gateway.graphql(TOKEN_INFO, token=token)).codes


def verdict_of(answer: Answer, bearer: Bearer) -> Verdict:
    """Return what the bearer was told."""
    assert not BLINDFOLDS.intersection(answer.codes), answer.errors
    for verdict in (Verdict.UNAUTHENTICATED, Verdict.FORBIDDEN):
        if verdict.name in answer.codes:
            assert answer.codes == [verdict.name]
            assert answer.reason == (REASONS.get(bearer) if verdict is Verdict.UNAUTHENTICATED else None)
            return verdict
    return Verdict.ALLOWED


class TestAccess:
    @pytest.mark.anyio
    async def test_is_what_the_table_in_the_readme_says(self, gateway: Gateway) -> None:
        bearers = Bearers(gateway)
        told = [
            (field, {bearer: verdict_of(await bearers.call(field, bearer), bearer) for bearer in Bearer})
            for field in root_fields()
        ]
        assert table(told).splitlines() == read_table().splitlines()

    def test_is_declared_as_the_table_in_the_readme_says(self) -> None:
        assert read_table().splitlines() == declared_table().splitlines(), "Run scripts/schema."


SESSIONS = (Bearer.ANONYMOUS, Bearer.CUSTOMER, Bearer.ON_BEHALF)


def says_nothing(answer: Answer) -> bool:
    """Tell whether the answer is null, or a list of nulls."""
    (value,) = (answer.data or {}).values()
    return value is None or (isinstance(value, list) and set(value) == {None})


class TestScopeOfASession:
    @pytest.mark.anyio
    @pytest.mark.parametrize("bearer", SESSIONS)
    async def test_has_the_word_of_a_field_exactly_where_the_field_may_be_called(
        self, gateway: Gateway, bearer: Bearer
    ) -> None:
        bearers = Bearers(gateway)
        scope = await bearers.scope(bearer)
        used = set()
        for field in root_fields():
            if not field.rule.kinds:
                continue
            answer = await bearers.call(field, bearer)
            if field.session_scope in scope:
                used.add(field.session_scope)
                assert verdict_of(answer, bearer) is Verdict.ALLOWED, field.name
            else:
                assert verdict_of(answer, bearer) is Verdict.FORBIDDEN or says_nothing(answer), field.name
        assert scope == used | {f"tenant={HERE}"}


class TestRule:
    """What `@query` and `@mutation` refuse when the program starts."""

    def test_refuses_a_field_that_a_session_may_call_without_a_word(self) -> None:
        with pytest.raises(ValueError, match="are not those whose tokens say None"):
            Access((TokenKind.CUSTOMER,), None)

    def test_refuses_a_word_that_others_have_too(self) -> None:
        with pytest.raises(ValueError, match=r"are not those whose tokens say profile\.write"):
            Access((TokenKind.CUSTOMER,), None, session_scope=SessionScope.PROFILE_WRITE)

    def test_refuses_a_kind_that_lacks_the_word(self) -> None:
        kinds = (TokenKind.CUSTOMER, TokenKind.ON_BEHALF)
        with pytest.raises(ValueError, match="are not those whose tokens say privacy"):
            Access(kinds, None, session_scope=SessionScope.PRIVACY)

    def test_refuses_guests_unless_they_get_null(self) -> None:
        kinds = (TokenKind.ANONYMOUS, TokenKind.CUSTOMER, TokenKind.ON_BEHALF)
        with pytest.raises(ValueError, match=r"are not those whose tokens say profile\.read"):
            Access(kinds, None, session_scope=SessionScope.PROFILE_READ)
        Access(kinds, None, session_scope=SessionScope.PROFILE_READ, null_for_guests=True)

    def test_takes_no_word_of_a_session_for_a_scope_of_an_integration(self) -> None:
        assert not {scope.value for scope in Scope} & {scope.value for scope in SessionScope}


class TestRuleOf:
    def test_refuses_a_field_that_has_none(self) -> None:
        with pytest.raises(ValueError, match=r"Query\.secrets does not declare who may call it"):
            rule_of("Query", "secrets", GraphQLField(GraphQLString))
