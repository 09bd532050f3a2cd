"""One row per line of hostile or careless input, with the one answer that it gets."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.testclient import TestClient

JSON = {"Content-Type": "application/json"}
ECHO = "query E($t: String!) { echo(text: $t) }"


@dataclass
class Row:
    """A POST and what it must get: with `application/json` a refused document is still 200."""

    what: str
    body: bytes | Any
    status: int = 400
    code: str = "BAD_REQUEST"
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


def deep(levels: int) -> bytes:
    return b'{"query":"{ __typename }","variables":{"t":' + b"[" * levels + b"]" * levels + b"}}"


def logins(count: int) -> str:
    return " ".join(f'l{n}: login(input: {{email: "a", password: "b"}})' for n in range(count))


def nodes(levels: int) -> str:
    return "{ node " + "{ child " * levels + "{ name }" + " }" * levels + " }"


UTF8 = b'{"query":"{ __typename }"}'
ROWS = [
    Row("no body", b""),
    Row("body null", b"null"),
    Row("body a number", b"1"),
    Row("body a string", b'"{ __typename }"'),
    Row("a batch", b'[{"query":"{ __typename }"}]'),
    Row("an empty batch", b"[]"),
    Row("an empty object", b"{}"),
    Row("broken JSON", b'{"query":'),
    Row("text after the JSON", UTF8 + b"x"),
    Row("a comma too many", b'{"query":"{ __typename }",}'),
    Row("single quotes", b"{'query':'{ __typename }'}"),
    Row("NaN", b'{"query":"{ __typename }","variables":{"t":NaN}}'),
    Row("Infinity", b'{"query":"{ __typename }","variables":{"t":Infinity}}'),
    Row("a number beyond all doubles", b'{"query":"{ __typename }","variables":{"t":1e999}}'),
    Row("a duplicate key", b'{"query":"{ __typename }","query":"{ node { name } }"}'),
    Row("a duplicate key, one of them escaped", b'{"query":"{ __typename }","\\u0071uery":"{ node { name } }"}'),
    Row("a duplicate key in the variables", b'{"query":"{ __typename }","variables":{"t":{"a":1,"a":2}}}'),
    Row("a byte order mark", b"\xef\xbb\xbf" + UTF8),
    Row("UTF-16", UTF8.decode().encode("utf-16")),
    Row("UTF-32", UTF8.decode().encode("utf-32")),
    Row("Latin-1", '{"query":"{ echo(text: \\"é\\") }"}'.encode("latin-1")),
    Row("an overlong UTF-8 sequence", b'{"query":"\xc0\xaf"}'),
    Row("JSON 65 levels deep", deep(65)),
    Row("JSON 20,000 levels deep", deep(20_000)),
    Row("JSON of open brackets only", b"[" * 90_000),
    Row("a raw NUL", b'{"query":"{ __typename }\0"}'),
    Row("a NUL in a variable", {"query": ECHO, "variables": {"t": "a\0b"}}),
    Row("a NUL in a key", {"query": ECHO, "variables": {"t": "a", "\0": 1}}),
    Row("a NUL in the operation name", {"query": "query E { __typename }", "operationName": "E\0"}),
    Row("a NUL deep in a variable", {"query": ECHO, "variables": {"t": [{"a": ["\0"]}]}}),
    Row("a NUL in the document", {"query": '{ echo(text: "a\0b") }'}),
    Row("an escaped NUL in a literal", {"query": '{ echo(text: "a\\u0000b") }'}, status=200),
    Row("a NUL in braces in a literal", {"query": '{ echo(text: "a\\u{0}b") }'}, status=200),
    Row("a lone surrogate in a variable", b'{"query":"{ __typename }","variables":{"t":"\\ud800"}}'),
    Row("a lone low surrogate in a variable", b'{"query":"{ __typename }","variables":{"t":"\\udc00x"}}'),
    Row("a surrogate in raw bytes", b'{"query":"{ __typename }","variables":{"t":"\xed\xa0\x80"}}'),
    Row("a lone surrogate in the document", b'{"query":"{ echo(text: \\"\\ud800\\") }"}'),
    Row("an escaped lone surrogate in a literal", {"query": '{ echo(text: "\\uD800") }'}, status=200),
    Row("a surrogate in braces in a literal", {"query": '{ echo(text: "\\u{D800}") }'}, status=200),
    Row("no query", {"operationName": "E"}),
    Row("query null", {"query": None}),
    Row("query a number", {"query": 1}),
    Row("query a list", {"query": ["{ __typename }"]}),
    Row("variables a list", {"query": "{ __typename }", "variables": []}),
    Row("variables a string", {"query": "{ __typename }", "variables": "{}"}),
    Row("operationName a number", {"query": "{ __typename }", "operationName": 1}),
    Row("operationName a boolean", {"query": "{ __typename }", "operationName": False}),
    Row("extensions a list", {"query": "{ __typename }", "extensions": []}),
    Row("extensions a number", {"query": "{ __typename }", "extensions": 0}),
    Row("a gzipped body", b"\x1f\x8b", 415, headers={"Content-Encoding": "gzip"}),
    Row("a body said to be brotli", UTF8, 415, headers={"Content-Encoding": "br"}),
    Row("a form", b"query=%7B__typename%7D", 415, headers={"Content-Type": "application/x-www-form-urlencoded"}),
    Row("text/plain", UTF8, 415, headers={"Content-Type": "text/plain"}),
    Row("a multipart body", UTF8, 415, headers={"Content-Type": "multipart/form-data; boundary=x"}),
    Row("JSON in Latin-1", UTF8, 415, headers={"Content-Type": "application/json; charset=iso-8859-1"}),
    Row("100,001 bytes", UTF8 + b" " * (100_001 - len(UTF8)), 413),
    Row("ten megabytes", b" " * 10_000_000, 413),
    Row("an answer in XML wanted", UTF8, 406, headers={"Accept": "application/xml"}),
    Row("JSON expressly not wanted", UTF8, 406, headers={"Accept": "application/json;q=0"}),
    Row("an empty document", {"query": ""}, 200),
    Row("a document of blanks", {"query": " \n "}, 200),
    Row("a broken document", {"query": "{"}, 200),
    Row("an unknown field", {"query": "{ nothing }"}, 200),
    Row("a type definition", {"query": "type A { a: Int }"}, 200),
    Row("a subscription", {"query": "subscription { a }"}, 200),
    Row("two operations without a name", {"query": "query A { __typename } query B { __typename }"}, 200),
    Row("an unknown operation name", {"query": "query A { __typename }", "operationName": "B"}, 200),
    Row("an empty operation name", {"query": "query A { __typename }", "operationName": ""}, 200),
    Row("a missing variable", {"query": ECHO}, 200),
    Row("a variable of the wrong type", {"query": ECHO, "variables": {"t": {"a": 1}}}, 200),
    Row("a wrong enum value", {"query": "query($c: Color!) { paint(color: $c) }", "variables": {"c": "BLUE"}}, 200),
    Row("a circle of fragments", {"query": "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }"}, 200),
    Row("1,001 tokens", {"query": "{" + " __typename" * 999 + "}"}, 200, "QUERY_TOO_COMPLEX"),
    Row("a thousand comments", {"query": "#\n" * 1_001 + "{ __typename }"}, 200, "QUERY_TOO_COMPLEX"),
    Row("eleven levels", {"query": nodes(9)}, 200, "QUERY_TOO_COMPLEX"),
    Row("two hundred levels", {"query": nodes(200)}, 200),
    Row(
        "sixteen aliases",
        {"query": "{ node {" + " ".join(f"a{n}: name" for n in range(16)) + "} }"},
        200,
        "QUERY_TOO_COMPLEX",
    ),
    Row(
        "sixteen aliases by a fragment spread twice",
        {
            "query": "{ node { ...A child { ...A } } } fragment A on Node { "
            + " ".join(f"a{n}: name" for n in range(8))
            + "}"
        },
        200,
        "QUERY_TOO_COMPLEX",
    ),
    Row(
        "eleven root fields",
        {"query": "{" + " ".join(f'a{n}: echo(text: "")' for n in range(11)) + "}"},
        200,
        "QUERY_TOO_COMPLEX",
    ),
    Row("fifteen aliased logins", {"query": f"mutation {{ {logins(15)} }}"}, 200, "QUERY_TOO_COMPLEX"),
    Row("two logins", {"query": f"mutation {{ {logins(2)} }}"}, 200, "QUERY_TOO_COMPLEX"),
    Row(
        "two logins, one in a fragment",
        {"query": f"mutation {{ {logins(1)} ...F }} fragment F on Mutation {{ x: {logins(1).partition(': ')[2]} }}"},
        200,
        "QUERY_TOO_COMPLEX",
    ),
    Row(
        "five mutations",
        {
            "query": "mutation {"
            + " ".join(f'a{n}: createAddress(input: {{city: "", country: ""}})' for n in range(5))
            + "}"
        },
        200,
        "QUERY_TOO_COMPLEX",
    ),
    Row(
        "fragments that double thirty times",
        {
            "query": "{ node { ...F0 } } "
            + " ".join(f"fragment F{n} on Node {{ ...F{n + 1} child {{ ...F{n + 1} }} }}" for n in range(30))
            + " fragment F30 on Node { a: name }"
        },
        200,
        "QUERY_TOO_COMPLEX",
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.what)
class TestBadInput:
    def test_gets_its_answer(self, client: TestClient, row: Row) -> None:
        answer = client.post("/graphql", content=row.content, headers={**JSON, **row.headers})
        body = answer.json()
        assert answer.status_code == row.status
        assert "data" not in body
        assert {error["extensions"]["code"] for error in body["errors"]} == {row.code}
        assert all(isinstance(error["message"], str) and error["message"] for error in body["errors"])

    def test_is_never_2xx_for_clients_of_the_new_media_type(self, client: TestClient, row: Row) -> None:
        headers = {"Accept": "application/graphql-response+json", **JSON, **row.headers}
        answer = client.post("/graphql", content=row.content, headers=headers)
        assert 400 <= answer.status_code < 500


class TestGoodInput:
    """The other side of each limit, so that the rows above fail for their own reason."""

    @pytest.mark.parametrize(
        "body",
        [
            UTF8 + b" " * (100_000 - len(UTF8)),
            deep(62),
            b' { "query" : "{ __typename }" } ',
            json.dumps({"query": nodes(7)}).encode(),
            json.dumps({"query": "{ node {" + " ".join(f"a{n}: name" for n in range(15)) + "} }"}).encode(),
            json.dumps({"query": "{" + " ".join(f'a{n}: echo(text: "")' for n in range(10)) + "}"}).encode(),
            json.dumps({"query": f"mutation {{ {logins(1)} }}"}).encode(),
            json.dumps({"query": "#\n" * 997 + "{ __typename }"}).encode(),
            json.dumps({"query": ECHO, "variables": {"t": "back\\u0000slash"}}).encode(),
            json.dumps({"query": ECHO, "variables": {"t": "🏃"}}).encode(),
        ],
    )
    def test_passes(self, client: TestClient, body: bytes) -> None:
        answer = client.post("/graphql", content=body, headers=JSON)
        assert "errors" not in answer.json()

    def test_a_deep_variable_that_no_operation_reads_does_no_harm(self, client: TestClient) -> None:
        assert client.post("/graphql", content=deep(62), headers=JSON).json() == {"data": {"__typename": "Query"}}
