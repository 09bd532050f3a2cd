"""Nonsense of every shape for every root field: whatever comes in, the answer is never our own failure."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import ceil
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    build_ast_schema,
    get_named_type,
    parse,
)
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.domain.tenants.rules import Limits
from app.graphql.schema import build_schema
from tests.factories import PASSWORD
from tests.fakes import MovableClock
from tests.harness.client import Person
from tests.harness.gateway import Gateway, run_gateway
from tests.harness.integrations import SECRET, integration_token
from tests.harness.postgresql import PostgresqlServer
from tests.harness.selections import everything

SCHEMA = build_ast_schema(parse(build_schema().as_str()))
CASES = {"sqlite": 2_000, "postgresql": 300}
KINDS = ("none", "anonymous", "customer", "customer", "on_behalf", "integration")
TENANT = """
[tenants.fuzz]
name = "Fuzzy shop"
signup = "open"
anonymization_by = ["integration", "customer"]
{lifetimes}
[tenants.fuzz.limits]
{limits}
[tenants.fuzz.sites.main]
url = "http://localhost:5173"
language = "en"
[[tenants.fuzz.clients]]
id = "fuzz-storefront"
kind = "storefront"
redirect_uris = ["http://localhost:5173/callback"]
[[tenants.fuzz.clients]]
id = "fuzz-backend"
kind = "integration"
secret_env = "FUZZ_SECRET"
scopes = ["customers.read", "customers.manage", "customers.anonymize"]
[[tenants.fuzz.social]]
provider = "demo"
issuer = "http://127.0.0.1:9"
client_id = "demo"
client_secret_env = "FUZZ_SECRET"
"""
LIFETIMES = ("access_token_seconds", "anonymous_access_token_seconds", "on_behalf_token_seconds")


def root_fields() -> Iterator[tuple[str, str, GraphQLField]]:
    for operation, root in (("query", SCHEMA.query_type), ("mutation", SCHEMA.mutation_type)):
        assert root is not None
        for name, field in root.fields.items():
            yield operation, name, field


FIELDS = {name: (operation, field) for operation, name, field in root_fields()}

# What the gateway takes, so that more is reached than the first check; KNOWN_ID stands for an id of the caller's own.
FITTING = (
    "KNOWN_ID",
    "KNOWN_EMAIL",
    "KNOWN_TOKEN",
    PASSWORD,
    "ada@example.com",
    "Ada",
    "DE",
    "en_US",
    "EUR",
    "main",
    "demo",
    "fuzz-storefront",
    "+49 30 12345678",
    "http://localhost:5173/callback",
    "2024-02-29",
    "2024-02-29T12:00:00Z",
    "0199f0a0-0000-7000-8000-000000000000",
)
NASTY = (
    "",
    " ",
    "\t\r\n",
    "x" * 70_000,
    "é" * 3_000,
    "a" * 300 + "@example.com",
    "@",
    '"><script>',
    "' OR 1=1 --",
    "%00",
    "{{7*7}}",
    "../../etc/passwd",
    "\u202e\u200b\ufeff",
    "\U0001f469\u200d\U0001f680" * 50,
    "e\u0301" * 100,
    "٣",
    "9" * 400,
    "-1",
    "0000-00-00",
    "9999-12-31T23:59:59.999999999+23:59",
    "0001-01-01T00:00:00+14:00",
    "ada@xn--a.example",
    "ada@[127.0.0.1]",
    "\x00",
    "\ud800",
)
NUMBERS = (0, 1, -1, 20, 100, 101, 2**31 - 1, 2**31, -(2**63), 2**64, 10**40, 0.5, 1e308)


def _nested(value: Any) -> Any:
    """Wrap a value in so many lists that a reader without a limit would fall over."""
    for _ in range(80):
        value = [value]
    return value


strings = st.one_of(st.sampled_from(FITTING), st.sampled_from(NASTY), st.text(max_size=40))
anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.sampled_from(NUMBERS), strings),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3), inner.map(_nested)
    ),
    max_leaves=5,
)
SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "String": strings,
    "ID": st.one_of(st.just("KNOWN_ID"), strings, st.integers()),
    "Boolean": st.booleans(),
    "Int": st.one_of(st.integers(0, 120), st.sampled_from(NUMBERS)),
    "Date": st.one_of(st.dates().map(str), strings),
    "DateTime": st.one_of(st.datetimes().map(lambda moment: f"{moment.isoformat()}Z"), strings),
    "JSON": st.one_of(st.dictionaries(st.text(max_size=8), anything, max_size=3), anything),
    "_Any": st.one_of(
        st.fixed_dictionaries({"__typename": st.sampled_from(("Customer", "Query", ""))}, optional={"id": strings}),
        anything,
    ),
}


def seldom(fitting: st.SearchStrategy[Any], other: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Give mostly what fits: a document with one thing wrong gets further than one where nothing is right."""
    return st.integers(0, 24).flatmap(lambda dice: other if dice == 24 else fitting)


@st.composite
def values(draw: st.DrawFn, type_: GraphQLInputType) -> Any:
    """Return a JSON value for a variable of the type, mostly of the right shape."""
    return draw(seldom(_shaped(type_), anything))


def _shaped(type_: GraphQLInputType) -> st.SearchStrategy[Any]:
    if isinstance(type_, GraphQLNonNull):
        return _shaped(type_.of_type)
    if isinstance(type_, GraphQLList):
        return st.lists(st.deferred(lambda: values(type_.of_type)), max_size=4)
    if isinstance(type_, GraphQLEnumType):
        return seldom(st.sampled_from(sorted(type_.values)), strings)
    if isinstance(type_, GraphQLInputObjectType):
        return _objects(type_)
    return SCALARS[get_named_type(type_).name]


@st.composite
def _objects(draw: st.DrawFn, type_: GraphQLInputObjectType) -> dict[str, Any]:
    given_fields: dict[str, Any] = {}
    for name, field in type_.fields.items():
        is_required = isinstance(field.type, GraphQLNonNull)
        choice = draw(st.integers(0, 9))
        if choice < (9 if is_required else 5):
            given_fields[name] = draw(values(field.type))
        elif choice == 9:
            given_fields[name] = None
    if draw(st.integers(0, 30)) == 30:
        given_fields["unknownField"] = 1
    return given_fields


@st.composite
def cases(draw: st.DrawFn, name: str) -> tuple[str, dict[str, Any]]:
    """Return whose token, and the variables of one root field."""
    arguments = FIELDS[name][1].args
    variables = {
        argument: draw(values(shape.type))
        for argument, shape in arguments.items()
        if isinstance(shape.type, GraphQLNonNull) or draw(st.integers(0, 4)) > 0
    }
    return draw(st.sampled_from(KINDS)), variables


def document(name: str) -> str:
    """Return the operation that asks one root field for everything that it can give."""
    operation, field = FIELDS[name]
    declared = ", ".join(f"${argument}: {shape.type}" for argument, shape in field.args.items())
    passed = ", ".join(f"{argument}: ${argument}" for argument in field.args)
    named = get_named_type(field.type)
    selection = everything(named.name) if isinstance(named, GraphQLObjectType) else ""
    if named.name == "_Entity":
        selection = "{ __typename }"
    head = f"{operation} Fuzz({declared})" if declared else f"{operation} Fuzz"
    return f"{head} {{ {name}{f'({passed})' if passed else ''} {selection} }}"


DOCUMENTS = {name: document(name) for name in FIELDS}


class Crowd:
    """Callers of every kind; whoever a case has logged out, locked or erased is followed by somebody new."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._tokens: dict[str, str] = {}
        self._person: Person | None = None

    async def token(self, kind: str) -> str | None:
        """Return a token that was good when it was last used."""
        if kind == "none":
            return None
        if kind not in self._tokens:
            self._tokens[kind] = await self._new_token(kind)
        return self._tokens[kind]

    async def known(self) -> Mapping[str, str]:
        """Return what stands for the placeholders."""
        person = self._person or await self._new_person()
        return {"KNOWN_ID": person.id, "KNOWN_EMAIL": person.email, "KNOWN_TOKEN": person.tokens.refresh}

    def dismiss(self, kind: str) -> None:
        """Forget a token that has died, and with it the customer whose it was."""
        self._tokens.pop(kind, None)
        self._person = None

    async def _new_token(self, kind: str) -> str:
        if kind == "anonymous":
            return (await self._gateway.anonymous("fuzz-storefront")).access
        if kind == "integration":
            return await integration_token(self._gateway, "fuzz-backend")
        person = await self._new_person()
        if kind == "customer":
            return person.tokens.access
        staff = await integration_token(self._gateway, "fuzz-backend")
        wanted = {"input": {"customerId": person.id, "reason": "A call"}}
        answer = await self._gateway.graphql(
            "mutation ($input: LoginOnBehalfInput!) { loginOnBehalf(input: $input) { tokens { accessToken } } }",
            wanted,
            staff,
        )
        token: str = answer["loginOnBehalf"]["tokens"]["accessToken"]
        return token

    async def _new_person(self) -> Person:
        person = await self._gateway.customer("fuzz-storefront", password=PASSWORD)
        self._person = person
        return person


class Fuzzer:
    """Sends cases to one gateway, in an event loop of its own."""

    def __init__(self, gateway: Gateway, runner: asyncio.Runner) -> None:
        self._gateway = gateway
        self._runner = runner
        self._crowd = Crowd(gateway)
        self.sent = 0
        self.asked: set[str] = set()
        self.answered: set[str] = set()

    def send(self, kind: str, name: str, variables: dict[str, Any]) -> None:
        """Send one case and check what is true of every answer."""
        self._runner.run(self._send(kind, name, variables))

    async def _send(self, kind: str, name: str, variables: dict[str, Any]) -> None:
        token = await self._crowd.token(kind)
        body = json.dumps({"query": DOCUMENTS[name], "variables": variables})
        for placeholder, value in (await self._crowd.known()).items():
            body = body.replace(placeholder, value)
        headers = {"Content-Type": "application/json", "Accept": "application/graphql-response+json"}
        response = await self._gateway.http.post(
            "/graphql", content=body, headers={**headers, **({"Authorization": f"Bearer {token}"} if token else {})}
        )
        assert response.status_code < 500, response.text
        answer = response.json()
        codes = [error["extensions"]["code"] for error in answer.get("errors", ())]
        assert "INTERNAL" not in codes, answer
        assert "SERVICE_BUSY" not in codes, answer
        self.sent += 1
        self.asked.add(name)
        if not codes:
            self.answered.add(name)
        if "UNAUTHENTICATED" in codes and token:
            self._crowd.dismiss(kind)


@contextmanager
def run_fuzzer(database_url: str, folder: Path) -> Iterator[Fuzzer]:
    """Run a gateway whose limits are out of the way: they would hide what is behind them."""
    kept = {"password_max_length", "refresh_children", "social_answer_max_bytes"}
    wide = {
        name: 1_000_000
        for name in Limits.model_fields
        if name not in kept and "_per_customer" not in name and "_per_product_list" not in name
    }
    tenants = folder / "tenants.toml"
    tenants.write_text(
        TENANT.format(
            limits="\n".join(f"{name} = {value}" for name, value in wide.items()),
            lifetimes="\n".join(f"{name} = 86400" for name in LIFETIMES),
        )
    )
    environment = {
        "DATABASE_URL": database_url,
        "STATE_DIR": str(folder / "state"),
        "TENANTS_FILE": str(tenants),
        "FUZZ_SECRET": SECRET,
    }
    with asyncio.Runner() as runner:
        running = run_gateway(environment, MovableClock())
        gateway = runner.run(running.__aenter__())
        try:
            yield Fuzzer(gateway, runner)
        finally:
            runner.run(running.__aexit__(None, None, None))


def fuzz_field(fuzzer: Fuzzer, name: str, amount: int) -> None:
    """Send so many cases for one root field, the same ones in every run; fewer where there are no more."""

    @settings(
        max_examples=amount,
        derandomize=True,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases(name))
    def send(case: tuple[str, dict[str, Any]]) -> None:
        kind, variables = case
        fuzzer.send(kind, name, variables)

    send()


def fuzz(fuzzer: Fuzzer, amount: int) -> None:
    """Send at least so many cases, as many for one root field as for another."""
    with_arguments = [name for name, (_, field) in FIELDS.items() if field.args]
    for name in FIELDS:
        fuzz_field(fuzzer, name, ceil(amount / len(with_arguments)))
    assert fuzzer.asked == set(FIELDS)
    assert fuzzer.sent >= amount


@pytest.mark.slow
class TestFuzz:
    def test_finds_no_failure_of_ours_on_sqlite(self, sqlite_template: Path, tmp_path: Path) -> None:
        database = tmp_path / "gateway.db"
        shutil.copy(sqlite_template, database)
        with run_fuzzer(f"sqlite:///{database}", tmp_path) as fuzzer:
            fuzz(fuzzer, CASES["sqlite"])
            # Whoever is refused at the door sees nothing of what is behind it: most fields must have been gone through.
            assert len(fuzzer.answered) > len(FIELDS) // 2

    def test_finds_no_failure_of_ours_on_postgresql(
        self, postgresql: PostgresqlServer, postgresql_template: str, tmp_path: Path
    ) -> None:
        name = postgresql.create_database(postgresql_template)
        with run_fuzzer(postgresql.url(name), tmp_path) as fuzzer:
            fuzz(fuzzer, CASES["postgresql"])
        postgresql.drop_database(name)
