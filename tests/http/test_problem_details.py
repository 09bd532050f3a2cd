"""What is not there is told in the form of RFC 9457, in both profiles, and nothing of the request is repeated."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes import MovableClock
from tests.harness.gateway import Gateway, run_gateway
from tests.harness.production import production

pytestmark = pytest.mark.anyio

MEDIA_TYPE = "application/problem+json"


@pytest.fixture(params=["development", "production"])
async def gateway(
    request: pytest.FixtureRequest, sqlite_template: Path, clock: MovableClock, tmp_path: Path
) -> AsyncIterator[Gateway]:
    """Run the whole gateway in each profile in turn."""
    database = tmp_path / "gateway.db"
    shutil.copy(sqlite_template, database)
    environment = {"DATABASE_URL": f"sqlite:///{database}", "STATE_DIR": str(tmp_path / "state")}
    if request.param == "production":
        environment |= production(tmp_path)
    async with run_gateway(environment, clock) as running:
        yield running


UNKNOWN = (
    "/nowhere",
    "/nowhere/",
    "/graphql/",
    "/graphql/more",
    "/healthz/",
    "/oauth",
    "/oauth/authorize",
    "/oauth/token/",
    "/.well-known/openid-configuration",
    "/dev/nothing",
    "/dev/mail/no-such-mail",
    "/playground",
    "/playground/plain",
    "/playground/plain/nothing.js",
    "/playground/assets/nothing.js",
    "/playground/plain/..%2f..%2fplayground.py",
    "/%ff%00",
    "/favicon.ico",
)


class TestUnknownPath:
    @pytest.mark.parametrize("path", UNKNOWN)
    async def test_is_told_as_a_problem(self, gateway: Gateway, path: str) -> None:
        for method in ("GET", "POST", "DELETE", "OPTIONS"):
            answer = await gateway.http.request(method, path)
            if answer.status_code == 405:
                # A folder of files that exists takes no other methods, whatever it holds.
                assert method not in ("GET", "HEAD")
                continue
            assert answer.status_code == 404
            assert answer.headers["content-type"] == MEDIA_TYPE
            problem = answer.json()
            assert problem.pop("detail").startswith("There is no")
            assert problem == {
                "type": "about:blank",
                "title": "Not Found",
                "status": 404,
                "requestId": answer.headers["x-request-id"],
            }

    async def test_is_told_by_head_too(self, gateway: Gateway) -> None:
        answer = await gateway.http.head("/nowhere")
        assert (answer.status_code, answer.headers["content-type"]) == (404, MEDIA_TYPE)

    async def test_is_repeated_nowhere_and_leads_nowhere(self, gateway: Gateway) -> None:
        answer = await gateway.http.get("/graphql/secret-word", headers={"Host": "evil.example"})
        assert "secret-word" not in answer.text
        assert "evil" not in answer.text + str(answer.headers)

    async def test_the_root_is_one_in_production_only(self, gateway: Gateway, request: pytest.FixtureRequest) -> None:
        production = request.node.callspec.params["gateway"] == "production"
        for method in ("GET", "HEAD"):
            answer = await gateway.http.request(method, "/")
            assert answer.status_code == (404 if production else 200)
            assert answer.headers["content-type"] == (MEDIA_TYPE if production else "text/html; charset=utf-8")


class TestWrongMethod:
    @pytest.mark.parametrize(
        "path", ["/healthz", "/readyz", "/.well-known/jwks.json", "/.well-known/oauth-authorization-server"]
    )
    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"])
    async def test_is_told_as_a_problem_with_those_that_there_are(
        self, gateway: Gateway, path: str, method: str
    ) -> None:
        answer = await gateway.http.request(method, path)
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
        assert answer.headers["content-type"] == MEDIA_TYPE
        assert answer.json() == {
            "type": "about:blank",
            "title": "Method Not Allowed",
            "status": 405,
            "detail": "This path allows only GET, HEAD.",
            "requestId": answer.headers["x-request-id"],
        }

    async def test_of_graphql_and_oauth_is_told_in_their_own_forms(self, gateway: Gateway) -> None:
        graphql = await gateway.http.delete("/graphql")
        assert graphql.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
        oauth = await gateway.http.get("/oauth/token")
        assert (oauth.status_code, oauth.json()["error"]) == (405, "invalid_request")

    async def test_of_files_for_development_names_those_that_there_are(
        self, gateway: Gateway, request: pytest.FixtureRequest
    ) -> None:
        answer = await gateway.http.post("/playground/plain/plain.js")
        assert answer.headers["content-type"] == MEDIA_TYPE
        if request.node.callspec.params["gateway"] == "development":
            assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
        else:
            assert answer.status_code == 404
