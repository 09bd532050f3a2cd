"""The endpoint: methods, media types, status codes, errors and the time limit."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from app.domain.errors import AccessCode, AccessError, BusyError, UnauthenticatedReason, unauthenticated
from tests.http.example import Gateway

GRAPHQL_RESPONSE = "application/graphql-response+json"
# Seconds, of which the resolver needs some to begin, on a busy machine too.
LONG_ENOUGH_TO_BEGIN = 0.25
LOGIN = "mutation L($input: LoginInput!) { login(input: $input) }"


def post(client: TestClient, query: str, **variables: object) -> Any:
    return client.post("/graphql", json={"query": query, "variables": variables}).json()


class TestMethod:
    def test_answers_a_query_by_get(self, client: TestClient) -> None:
        parameters = {"query": "query($t: String!) { echo(text: $t) }", "variables": '{"t":"ü"}'}
        answer = client.get("/graphql", params=parameters)
        assert (answer.status_code, answer.json()) == (200, {"data": {"echo": "ü"}})

    def test_refuses_a_mutation_by_get_and_names_post(self, client: TestClient, gateway: Gateway) -> None:
        parameters = {"query": 'mutation { login(input: {email: "a", password: "b"}) }'}
        answer = client.get("/graphql", params=parameters)
        assert (answer.status_code, answer.headers["allow"], gateway.journal) == (405, "POST", [])

    def test_judges_the_chosen_operation_of_a_get(self, client: TestClient) -> None:
        text = 'query A { __typename } mutation B { login(input: {email: "a", password: "b"}) }'
        statuses = [client.get("/graphql", params={"query": text, "operationName": name}).status_code for name in "AB"]
        assert statuses == [200, 405]

    def test_takes_an_empty_operation_name_of_a_get_for_none(self, client: TestClient) -> None:
        answer = client.get("/graphql", params={"query": "query A { __typename }", "operationName": ""})
        assert answer.json() == {"data": {"__typename": "Query"}}

    @pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"])
    def test_refuses_all_others(self, client: TestClient, method: str) -> None:
        answer = client.request(method, "/graphql")
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")

    @pytest.mark.parametrize(
        "query_string",
        [
            "",
            "query=%7B__typename%7D&query=%7Bnode%7D",
            "query=%FF",
            "query=%7B__typename%7D&variables=%7B",
            "query=%7B__typename%7D&variables=%5B%5D",
            "query=%7B__typename%7D&variables=%7B%22a%22%3A1%2C%22a%22%3A2%7D",
            "query=%7B__typename%7D&extensions=1",
            "query=%7B__typename%00%7D",
            "&".join(["query=%7B__typename%7D", *(f"a{n}=" for n in range(20))]),
        ],
    )
    def test_refuses_a_malformed_query_string(self, client: TestClient, query_string: str) -> None:
        answer = client.get(f"/graphql?{query_string}", headers={"Accept": GRAPHQL_RESPONSE})
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"

    @pytest.mark.anyio
    async def test_refuses_a_query_string_that_is_too_long(self, gateway: Gateway) -> None:
        assert await _drive(gateway, [], announced=None, query_string=b"query=" + b"x" * 100_000) == (414, 0)


class TestToken:
    def test_is_read_from_the_authorization_header(self, client: TestClient) -> None:
        answer = client.post("/graphql", json={"query": "{ facts }"}, headers={"Authorization": "bearer  abc "})
        assert answer.json()["data"]["facts"][3] == "abc"

    @pytest.mark.parametrize("name", ["access_token", "token", "Authorization", "authorization"])
    def test_is_never_read_from_the_query_string(self, client: TestClient, name: str) -> None:
        answer = client.get("/graphql", params={"query": "{ facts }", name: "Bearer abc"})
        assert answer.json()["data"]["facts"][3] is None

    def test_of_another_scheme_is_none(self, client: TestClient) -> None:
        answer = client.post("/graphql", json={"query": "{ facts }"}, headers={"Authorization": "Basic abc"})
        assert answer.json()["data"]["facts"][3] is None

    def test_that_comes_twice_is_refused(self, client: TestClient) -> None:
        headers = [("Authorization", "Bearer a"), ("Authorization", "Bearer b")]
        assert client.post("/graphql", json={"query": "{ facts }"}, headers=headers).status_code == 400


class TestUserAgent:
    def test_is_cut_and_cleaned(self, client: TestClient) -> None:
        headers = {"User-Agent": "Shop\t1" + "x" * 600}
        answer = client.post("/graphql", json={"query": "{ facts }"}, headers=headers)
        assert answer.json()["data"]["facts"][2] == ("Shop1" + "x" * 600)[:511]


class TestMediaType:
    @pytest.mark.parametrize(
        ("accept", "content_type"),
        [
            ("", "application/json"),
            ("*/*", "application/json"),
            ("application/*", "application/json"),
            ("application/json", "application/json"),
            ("application/json; charset=utf-8", "application/json"),
            (GRAPHQL_RESPONSE, GRAPHQL_RESPONSE),
            (f"{GRAPHQL_RESPONSE}, application/json", GRAPHQL_RESPONSE),
            (f"application/json, {GRAPHQL_RESPONSE}", GRAPHQL_RESPONSE),
            (f"{GRAPHQL_RESPONSE};q=0.5, application/json", "application/json"),
            (f"{GRAPHQL_RESPONSE}, */*;q=0.1", GRAPHQL_RESPONSE),
            ("text/html, */*;q=0.1", "application/json"),
            ("APPLICATION/JSON", "application/json"),
            (f"application/json;q=0, {GRAPHQL_RESPONSE};q=0.1", GRAPHQL_RESPONSE),
        ],
    )
    def test_follows_accept(self, client: TestClient, accept: str, content_type: str) -> None:
        answer = client.post("/graphql", json={"query": "{ __typename }"}, headers={"Accept": accept})
        assert answer.headers["content-type"] == f"{content_type}; charset=utf-8"

    @pytest.mark.parametrize(
        "accept", ["text/html", "application/xml", "application/json;charset=latin1", "text/*", "*/*;q=0", "*/*;q=x"]
    )
    def test_refuses_what_we_do_not_speak(self, client: TestClient, accept: str) -> None:
        answer = client.post("/graphql", json={"query": "{ __typename }"}, headers={"Accept": accept})
        assert answer.status_code == 406

    def test_gives_a_browser_the_playground(self, gateway: Gateway) -> None:
        gateway.playground = True
        accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
        answer = gateway.client().get("/graphql", headers={"Accept": accept})
        assert answer.text == "<html>"

    def test_gives_a_program_no_playground(self, gateway: Gateway) -> None:
        gateway.playground = True
        answer = gateway.client().get("/graphql", params={"query": "{ __typename }"}, headers={"Accept": "*/*"})
        assert answer.json() == {"data": {"__typename": "Query"}}


class TestStatus:
    @pytest.mark.parametrize(
        "body",
        [
            {"query": "{"},
            {"query": "{ nothing }"},
            {"query": "query A { __typename } query B { __typename }"},
            {"query": "query($t: String!) { echo(text: $t) }"},
        ],
    )
    def test_of_a_refused_document_depends_on_the_media_type(self, client: TestClient, body: object) -> None:
        statuses = [
            client.post("/graphql", json=body, headers={"Accept": accept}).status_code
            for accept in ("application/json", GRAPHQL_RESPONSE)
        ]
        assert statuses == [200, 400]

    @pytest.mark.parametrize("accept", ["application/json", GRAPHQL_RESPONSE])
    def test_of_partial_data_is_200(self, client: TestClient, accept: str) -> None:
        answer = client.post("/graphql", json={"query": "{ refused __typename }"}, headers={"Accept": accept})
        assert (answer.status_code, answer.json()["data"]) == (200, {"refused": None, "__typename": "Query"})

    @pytest.mark.parametrize(
        ("error", "new", "old"),
        [
            (unauthenticated(UnauthenticatedReason.EXPIRED), 401, 200),
            (AccessError(AccessCode.RATE_LIMITED, "Too many.", retry_after=7), 429, 200),
            (BusyError("Busy."), 503, 503),
            (OSError("database at 10.0.0.1 is gone"), 500, 500),
        ],
    )
    def test_of_a_failed_authentication(self, gateway: Gateway, error: Exception, new: int, old: int) -> None:
        gateway.context_error = error
        client = gateway.client()
        statuses = [
            client.post("/graphql", json={"query": "{ __typename }"}, headers={"Accept": accept}).status_code
            for accept in (GRAPHQL_RESPONSE, "application/json")
        ]
        assert statuses == [new, old]

    @pytest.mark.parametrize(
        ("accept", "challenge"), [(GRAPHQL_RESPONSE, 'Bearer realm="graphql"'), ("application/json", None)]
    )
    def test_of_401_says_how_to_authenticate(self, gateway: Gateway, accept: str, challenge: str | None) -> None:
        gateway.context_error = unauthenticated(UnauthenticatedReason.EXPIRED)
        answer = gateway.client().post("/graphql", json={"query": "{ __typename }"}, headers={"Accept": accept})
        assert answer.headers.get("www-authenticate") == challenge


class TestErrors:
    def test_of_access_keep_their_extensions(self, client: TestClient) -> None:
        assert post(client, "{ refused }") == {
            "errors": [
                {
                    "message": "Not for you.",
                    "locations": [{"line": 1, "column": 3}],
                    "path": ["refused"],
                    "extensions": {"code": "FORBIDDEN"},
                }
            ],
            "data": {"refused": None},
        }

    def test_of_ours_are_masked_and_logged(self, client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
        answer = client.post("/graphql", json={"query": "{ broken }"})
        request_id = answer.headers["x-request-id"]
        (error,) = answer.json()["errors"]
        assert (error["message"], error["extensions"]) == (
            "Internal error",
            {"code": "INTERNAL", "requestId": request_id},
        )
        assert "hunter2" not in answer.text
        (record,) = [each for each in caplog.records if each.name == "app.http.errors"]
        assert record.exc_info is not None
        assert str(record.exc_info[1]) == "the password is hunter2"
        assert vars(record)["request_id"] == request_id

    def test_of_ours_while_authenticating_are_masked_too(self, gateway: Gateway) -> None:
        gateway.context_error = OSError("database at 10.0.0.1 is gone")
        answer = gateway.client().post("/graphql", json={"query": "{ __typename }"})
        assert answer.json()["errors"][0]["message"] == "Internal error"
        assert "10.0.0.1" not in answer.text

    def test_of_a_value_that_json_cannot_carry_are_masked(self, gateway: Gateway) -> None:
        answer = gateway.client().post("/graphql", json={"query": "{ unprintable }"})
        assert answer.status_code == 500
        assert answer.json()["errors"][0]["extensions"]["code"] == "INTERNAL"

    def test_with_seconds_to_wait_set_the_header_to_the_longest(self, client: TestClient) -> None:
        answer = client.post("/graphql", json={"query": "{ a: limited(seconds: 3) b: limited(seconds: 12) refused }"})
        assert answer.headers["retry-after"] == "12"

    def test_without_seconds_to_wait_set_no_header(self, client: TestClient) -> None:
        assert "retry-after" not in client.post("/graphql", json={"query": "{ refused }"}).headers


class TestVariables:
    """What does not fit is named by path and type, and its value is never repeated."""

    @pytest.mark.parametrize(
        ("variables", "message"),
        [
            ({}, "'input': Expected a value of non-null type 'LoginInput!' to be provided."),
            ({"input": None}, "'input': Expected value of non-null type 'LoginInput!' not to be None."),
            ({"input": "hunter2"}, "'input': Expected value of type 'LoginInput' to be an object."),
            (
                {"input": {"password": "hunter2"}},
                "'input': Expected value of type 'LoginInput' to include required field 'email'.",
            ),
            ({"input": {"email": "a", "password": ["hunter2"]}}, "'input.password': Expected value of type 'String!'."),
            (
                {"input": {"email": "a", "password": "hunter2", "adress": 1}},
                "'input': Expected value of type 'LoginInput' not to include unknown field 'adress'.",
            ),
            (
                {
                    "input": {
                        "email": "a",
                        "password": "hunter2",
                        "address": {"city": {"a": "hunter2"}, "country": "DE"},
                    }
                },
                "'input.address.city': Expected value of type 'String!'.",
            ),
        ],
    )
    def test_are_refused(self, production: TestClient, variables: dict[str, object], message: str) -> None:
        answer = production.post("/graphql", json={"query": LOGIN, "variables": variables})
        assert "hunter2" not in answer.text
        (error,) = answer.json()["errors"]
        assert error["message"] == f"Variable '$input' has an invalid value at {message}"
        assert error["extensions"] == {"code": "BAD_REQUEST"}

    def test_are_all_reported_at_once(self, client: TestClient) -> None:
        answer = post(client, LOGIN, input={"email": 1, "password": 2})
        assert len(answer["errors"]) == 2

    def test_are_refused_when_null_is_given_for_what_may_only_be_left_out(self, client: TestClient) -> None:
        answer = post(client, LOGIN, input={"email": "a", "password": "hunter2", "nickname": None})
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_REQUEST"]

    def test_of_a_literal_are_not_repeated_either(self, client: TestClient) -> None:
        answer = client.post("/graphql", json={"query": 'mutation { login(input: {password: "hunter2"}) }'})
        assert answer.json()["errors"][0]["message"] == (
            "Expected value of type 'LoginInput' to include required field 'email'."
        )


class TestProduction:
    @pytest.mark.parametrize(
        "query",
        [
            "{ ech }",
            '{ echo(txt: "a") }',
            '{ echo(text: "a") @skp(if: true) }',
            "{ paint(color: GREN) }",
            'mutation { createAddress(input: {citty: "a", city: "a", country: "b"}) }',
            "query($c: Colr!) { paint(color: $c) }",
            "{ node { ...on Nod { name } } }",
        ],
    )
    def test_suggests_nothing(self, production: TestClient, client: TestClient, query: str) -> None:
        answer = production.post("/graphql", json={"query": query})
        assert answer.json()["errors"]
        assert "mean" not in answer.text

    @pytest.mark.parametrize(
        ("kind", "value"), [("Color!", "GREN"), ("AddressInput!", {"citty": "a", "city": "a", "country": "b"})]
    )
    def test_suggests_nothing_for_variables(self, production: TestClient, kind: str, value: object) -> None:
        field = "paint(color: $v)" if kind == "Color!" else "createAddress(input: $v)"
        operation = "query" if kind == "Color!" else "mutation"
        query = f"{operation}($v: {kind}) {{ {field} }}"
        answer = production.post("/graphql", json={"query": query, "variables": {"v": value}})
        assert answer.json()["errors"]
        assert "mean" not in answer.text

    @pytest.mark.parametrize("query", ["{ __schema { queryType { name } } }", '{ __type(name: "Query") { name } }'])
    def test_has_no_introspection(self, production: TestClient, query: str) -> None:
        assert "data" not in production.post("/graphql", json={"query": query}).json()

    def test_still_answers_typename(self, production: TestClient) -> None:
        assert production.post("/graphql", json={"query": "{ __typename }"}).json() == {"data": {"__typename": "Query"}}


class TestDevelopment:
    def test_suggests(self, client: TestClient) -> None:
        assert "Did you mean 'echo'" in client.post("/graphql", json={"query": "{ ech }"}).text

    def test_lets_graphiql_read_the_schema(self, client: TestClient) -> None:
        assert "errors" not in client.post("/graphql", json={"query": INTROSPECTION}).json()


class TestTimeout:
    def test_cancels_a_query(self, gateway: Gateway) -> None:
        gateway.timeout_seconds = LONG_ENOUGH_TO_BEGIN
        answer = gateway.client().post("/graphql", json={"query": "{ endless }"})
        assert (answer.status_code, gateway.journal) == (503, ["cancelled"])
        assert answer.json()["errors"][0]["extensions"] == {
            "code": "SERVICE_BUSY",
            "outcome": "NOT_DONE",
            "retryAfter": 1,
        }
        assert answer.headers["Retry-After"] == "1"

    def test_cancels_a_mutation_inside_its_resolver_and_runs_no_further_one(self, gateway: Gateway) -> None:
        gateway.timeout_seconds = LONG_ENOUGH_TO_BEGIN
        query = 'mutation { endlessWrite login(input: {email: "a", password: "b"}) }'
        assert gateway.client().post("/graphql", json={"query": query}).status_code == 503
        assert gateway.journal == ["cancelled"]


class TestLargeBody:
    """Driven message by message, to see how much is read."""

    @pytest.mark.anyio
    async def test_that_is_announced_is_not_read_at_all(self, gateway: Gateway) -> None:
        status, read = await _drive(gateway, [b"x"] * 10, announced=b"100001")
        assert (status, read) == (413, 0)

    @pytest.mark.anyio
    async def test_that_comes_in_pieces_is_read_up_to_the_limit(self, gateway: Gateway) -> None:
        status, read = await _drive(gateway, [b" " * 30_000] * 10, announced=None)
        assert (status, read) == (413, 4)

    @pytest.mark.anyio
    async def test_that_fits_may_come_in_pieces(self, gateway: Gateway) -> None:
        pieces = [b'{"query":', b'"{ __type', b'name }"}']
        assert await _drive(gateway, pieces, announced=None) == (200, 3)

    @pytest.mark.anyio
    async def test_announced_with_nonsense_is_not_read(self, gateway: Gateway) -> None:
        assert await _drive(gateway, [b"{}"], announced=b"-1") == (413, 0)


async def _drive(
    gateway: Gateway, pieces: list[bytes], announced: bytes | None, query_string: bytes | None = None
) -> tuple[int, int]:
    """Send the pieces of a body as they are asked for; return the status and the number of pieces read."""
    read = 0
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        nonlocal read
        read += 1
        return {"type": "http.request", "body": pieces[read - 1], "more_body": read < len(pieces)}

    async def send(message: Any) -> None:
        sent.append(message)

    length = [(b"content-length", announced)] if announced is not None else []
    scope = {
        "type": "http",
        "method": "POST" if query_string is None else "GET",
        "path": "/graphql",
        "query_string": query_string or b"",
        "client": ("203.0.113.9", 1),
        "headers": [(b"content-type", b"application/json"), *length],
    }
    await gateway.build()(scope, receive, send)
    return sent[0]["status"], read


INTROSPECTION = """
query IntrospectionQuery { __schema { queryType { name } mutationType { name } types { ...FullType }
  directives { name args { ...InputValue } } } }
fragment FullType on __Type { kind name fields(includeDeprecated: true) { name args { ...InputValue }
  type { ...TypeRef } } inputFields { ...InputValue } interfaces { ...TypeRef } possibleTypes { ...TypeRef } }
fragment InputValue on __InputValue { name type { ...TypeRef } defaultValue }
fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
  ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } } }
"""
