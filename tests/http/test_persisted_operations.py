"""Automatic persisted queries: an operation is sent once as text, and from then on as its hash."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from tests.http.example import Gateway

ECHO = "query($t: String!) { echo(text: $t) }"
LOGIN = 'mutation { login(input: {email: "a", password: "b"}) }'
STRICT = {"Accept": "application/graphql-response+json"}


def hashed(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def persisted(known_as: object, version: object = 1) -> dict[str, Any]:
    return {"persistedQuery": {"version": version, "sha256Hash": known_as}}


def post(client: TestClient, text: str | None, known_as: object, **more: Any) -> httpx2.Response:
    body = {"extensions": persisted(known_as), "variables": {"t": "ü"}, **more}
    return client.post("/graphql", json=body if text is None else {"query": text, **body})


def get(client: TestClient, known_as: str, **more: str) -> httpx2.Response:
    parameters = {"extensions": json.dumps(persisted(known_as)), "variables": '{"t": "ü"}', **more}
    return client.get("/graphql", params=parameters)


def error(answer: httpx2.Response) -> tuple[str, str]:
    (entry,) = answer.json()["errors"]
    return entry["extensions"]["code"], entry["message"]


class TestPersistedQuery:
    def test_of_an_unknown_hash_asks_for_the_text(self, client: TestClient) -> None:
        answer = post(client, None, hashed(ECHO))
        assert answer.status_code == 200
        assert error(answer) == ("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")

    def test_of_an_unknown_hash_is_400_for_a_client_that_reads_statuses(self, client: TestClient) -> None:
        answer = client.post("/graphql", json={"extensions": persisted(hashed(ECHO))}, headers=STRICT)
        assert answer.status_code == 400

    def test_is_known_as_soon_as_its_text_was_sent(self, client: TestClient) -> None:
        first, second = post(client, ECHO, hashed(ECHO)), post(client, None, hashed(ECHO))
        assert first.json() == second.json() == {"data": {"echo": "ü"}}

    def test_works_by_get(self, client: TestClient) -> None:
        assert error(get(client, hashed(ECHO)))[0] == "PERSISTED_QUERY_NOT_FOUND"
        assert get(client, hashed(ECHO), query=ECHO).json() == {"data": {"echo": "ü"}}
        assert get(client, hashed(ECHO)).json() == {"data": {"echo": "ü"}}

    def test_takes_the_hash_in_any_case(self, client: TestClient) -> None:
        post(client, ECHO, hashed(ECHO).upper())
        assert post(client, None, hashed(ECHO)).json() == {"data": {"echo": "ü"}}

    def test_of_the_wrong_hash_is_refused_and_kept_nowhere(self, client: TestClient) -> None:
        assert error(post(client, ECHO, hashed(LOGIN)))[0] == "BAD_REQUEST"
        assert error(post(client, None, hashed(LOGIN)))[0] == "PERSISTED_QUERY_NOT_FOUND"

    def test_that_is_not_valid_is_kept_nowhere(self, client: TestClient) -> None:
        assert error(post(client, "{ missing }", hashed("{ missing }")))[0] == "BAD_REQUEST"
        assert error(post(client, None, hashed("{ missing }")))[0] == "PERSISTED_QUERY_NOT_FOUND"

    def test_of_a_mutation_is_refused_by_get(self, client: TestClient, gateway: Gateway) -> None:
        assert post(client, LOGIN, hashed(LOGIN), variables={}).json() == {"data": {"login": "a"}}
        assert (get(client, hashed(LOGIN)).status_code, gateway.journal) == (405, ["login"])

    def test_of_a_mutation_is_not_learnt_by_get(self, client: TestClient, gateway: Gateway) -> None:
        assert get(client, hashed(LOGIN), query=LOGIN).status_code == 405
        assert error(post(client, None, hashed(LOGIN)))[0] == "PERSISTED_QUERY_NOT_FOUND"
        assert gateway.journal == []

    @pytest.mark.parametrize(
        "extension",
        [
            1,
            [],
            {},
            {"version": 1},
            {"sha256Hash": hashed(ECHO)},
            persisted(hashed(ECHO), version=2)["persistedQuery"],
            persisted(hashed(ECHO)[:-1])["persistedQuery"],
            persisted("g" * 64)["persistedQuery"],
            persisted(7)["persistedQuery"],
        ],
    )
    def test_that_is_malformed_is_refused(self, client: TestClient, extension: object) -> None:
        body = {"query": "{ __typename }", "extensions": {"persistedQuery": extension}}
        answer = client.post("/graphql", json=body, headers=STRICT)
        assert (answer.status_code, error(answer)[0]) == (400, "BAD_REQUEST")

    def test_must_not_stand_beside_a_query_that_is_no_text(self, client: TestClient) -> None:
        answer = client.post("/graphql", json={"query": 1, "extensions": persisted(hashed(ECHO))}, headers=STRICT)
        assert (answer.status_code, error(answer)[0]) == (400, "BAD_REQUEST")
