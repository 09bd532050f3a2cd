"""The outermost layer: request id, client address, security headers, CORS, masking and the line in the log."""

from __future__ import annotations

import json

import pytest
from starlette.testclient import TestClient

from tests.http.example import Gateway


class TestRequestId:
    def test_is_ours(self, client: TestClient) -> None:
        answer = client.post("/graphql", json={"query": "{ facts }"}, headers={"X-Request-Id": "theirs"})
        assert answer.headers.get_list("x-request-id") == ["request-1"]
        assert answer.json()["data"]["facts"][0] == "request-1"

    def test_is_a_new_one_each_time(self, client: TestClient) -> None:
        assert [client.get("/none").headers["x-request-id"] for _ in range(2)] == ["request-1", "request-2"]


class TestClientAddress:
    def test_comes_from_the_connection(self, gateway: Gateway) -> None:
        headers = {"X-Forwarded-For": "198.51.100.1"}
        answer = gateway.client(peer="2001:db8::5").post("/graphql", json={"query": "{ facts }"}, headers=headers)
        assert answer.json()["data"]["facts"][1] == "2001:db8::/64"

    def test_comes_from_a_trusted_proxy(self, gateway: Gateway) -> None:
        gateway.trusted_proxies = ("10.0.0.0/8",)
        headers = {"X-Forwarded-For": "6.6.6.6, 198.51.100.1"}
        answer = gateway.client(peer="10.1.1.1").post("/graphql", json={"query": "{ facts }"}, headers=headers)
        assert answer.json()["data"]["facts"][1] == "198.51.100.1"


class TestSecurityHeaders:
    @pytest.mark.parametrize("path", ["/graphql", "/crash", "/none"])
    def test_are_on_every_answer(self, client: TestClient, path: str) -> None:
        headers = client.get(path).headers
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert headers["referrer-policy"] == "no-referrer"
        assert "server" not in headers

    def test_leave_what_the_application_says_itself(self, client: TestClient) -> None:
        assert client.get("/cached").headers.get_list("cache-control") == ["public, max-age=300"]


class TestCors:
    def test_lets_an_allowed_origin_read(self, client: TestClient) -> None:
        answer = client.post("/graphql", json={"query": "{ facts }"}, headers={"Origin": "https://shop.example"})
        assert answer.headers["access-control-allow-origin"] == "https://shop.example"
        assert answer.headers["access-control-expose-headers"] == "X-Request-Id, Retry-After, Server-Timing"
        assert "access-control-allow-credentials" not in answer.headers

    @pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://shop.example.evil", "é"])
    def test_lets_no_other_origin_read(self, client: TestClient, origin: str) -> None:
        answer = client.post("/graphql", json={"query": "{ facts }"}, headers=[(b"Origin", origin.encode())])
        assert "access-control-allow-origin" not in answer.headers

    def test_varies_by_origin_always(self, client: TestClient) -> None:
        assert client.post("/graphql", json={"query": "{ facts }"}).headers["vary"] == "Origin"

    def test_answers_a_preflight(self, client: TestClient) -> None:
        headers = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
        answer = client.options("/graphql", headers=headers)
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers["access-control-allow-origin"] == "https://shop.example"
        assert answer.headers["access-control-allow-methods"] == "GET, POST"
        assert "Authorization" in answer.headers["access-control-allow-headers"]

    @pytest.mark.parametrize(
        "asked", ["authorization,content-type", "traceparent, baggage", "sentry-trace", "x-anything"]
    )
    def test_passes_what_an_allowed_origin_asks_for(self, client: TestClient, asked: str) -> None:
        headers = {
            "Origin": "https://shop.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": asked,
        }
        answer = client.options("/graphql", headers=headers)
        assert answer.headers["access-control-allow-headers"] == asked
        assert "access-control-allow-credentials" not in answer.headers

    @pytest.mark.parametrize("asked", ["", "not a name", "a;b", "x" * 5_000, "a,,b"])
    def test_answers_the_usual_names_where_it_cannot_read_the_asked_ones(self, client: TestClient, asked: str) -> None:
        headers = {
            "Origin": "https://shop.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": asked,
        }
        assert "Authorization" in client.options("/graphql", headers=headers).headers["access-control-allow-headers"]

    @pytest.mark.parametrize("asked", [None, "true"])
    def test_lets_a_public_page_into_a_private_network_where_it_asks(
        self, client: TestClient, asked: str | None
    ) -> None:
        headers = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
        if asked is not None:
            headers["Access-Control-Request-Private-Network"] = asked
        assert client.options("/graphql", headers=headers).headers.get("access-control-allow-private-network") == asked

    def test_grants_nothing_in_a_preflight_from_elsewhere(self, client: TestClient) -> None:
        headers = {
            "Origin": "https://evil.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Private-Network": "true",
        }
        answer = client.options("/graphql", headers=headers)
        assert not [name for name in answer.headers if name.startswith("access-control")]

    def test_lets_a_browser_read_a_crash(self, client: TestClient) -> None:
        answer = client.get("/crash", headers={"Origin": "https://shop.example"})
        assert answer.headers["access-control-allow-origin"] == "https://shop.example"


class TestCrash:
    def test_is_masked(self, client: TestClient) -> None:
        answer = client.get("/crash")
        assert answer.status_code == 500
        assert answer.json() == {
            "errors": [{"message": "Internal error", "extensions": {"code": "INTERNAL", "requestId": "request-1"}}]
        }

    def test_is_logged(self, client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
        client.get("/crash")
        (record,) = [each for each in caplog.records if each.name == "app.http.errors"]
        assert record.exc_info is not None
        assert vars(record)["request_id"] == "request-1"


class TestLogLine:
    def test_says_what_was_asked_and_by_whom(self, client: TestClient, gateway: Gateway) -> None:
        client.post("/graphql?a=secret", json={"query": "query Mine { facts refused }"})
        line = json.loads(gateway.log.getvalue())
        assert line.pop("duration_ms") >= 0
        assert line == {
            "time": "2030-01-01T12:30:00+00:00",
            "level": "INFO",
            "logger": "app.requests",
            "message": "request",
            "request_id": "request-1",
            "method": "POST",
            "path": "/graphql",
            "status": 200,
            "operation": "Mine",
            "fields": ["facts", "refused"],
            "tenant": "demo",
            "caller": "CUSTOMER",
            "codes": ["FORBIDDEN"],
        }

    @pytest.mark.parametrize(
        ("path", "status", "codes"),
        [("/graphql?query={nothing}", 200, ["BAD_REQUEST"]), ("/crash", 500, ["INTERNAL"]), ("/none", 404, [])],
    )
    def test_names_what_went_wrong(
        self, client: TestClient, gateway: Gateway, path: str, status: int, codes: list[str]
    ) -> None:
        client.get(path)
        line = json.loads(gateway.log.getvalue())
        assert (line["status"], line["codes"]) == (status, codes)

    def test_holds_no_address_no_token_and_no_variables(self, client: TestClient, gateway: Gateway) -> None:
        query = "query($t: String!) { echo(text: $t) }"
        headers = {"Authorization": "Bearer tok"}
        client.post("/graphql", json={"query": query, "variables": {"t": "personal"}}, headers=headers)
        assert not [word for word in ("203.0.113", "personal", "tok") if word in gateway.log.getvalue()]
