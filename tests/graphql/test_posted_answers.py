"""Providers that post their answers: how the browser gets on to the app, and what the app's code is worth."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from joserfc.jwk import ECKey

from app.services.worker.purge import purge_sealed
from tests.fakes import MovableClock
from tests.harness.gateway import Gateway, run_gateway
from tests.harness.social import (
    CLIENT_ID,
    REDIRECT_URI,
    MintingProvider,
    SocialPerson,
    arrive,
    codes,
    openid_entry,
    query_of,
    social_environment,
    write_tenants,
)

pytestmark = pytest.mark.anyio

PUBLIC_URL = "http://localhost:8000/accounts"
POSTED_TO = f"{PUBLIC_URL}/social/form_post"
APPLES = {"Origin": "https://appleid.apple.com", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
NEVER_BEGUN = "cg_ss_" + "A" * 43


@pytest.fixture
def settings_environment(tmp_path: Path, minted: MintingProvider) -> dict[str, str]:
    apple = f"""provider = "apple"
issuer = "{minted.issuer}"
client_id = "{CLIENT_ID}"
signing = {{ team_id = "TEAM", key_id = "KEY", private_key_env = "APPLE_KEY" }}
trusted_email_domains = ["example.com"]"""
    write_tenants(tmp_path / "tenants.toml", apple, openid_entry("minted", minted.issuer))
    key = ECKey.generate_key("P-256").as_pem(private=True).decode()
    return {**social_environment(tmp_path / "tenants.toml"), "APPLE_KEY": key, "PUBLIC_URL": PUBLIC_URL}


class Visit:
    """Somebody who goes to Apple and back."""

    def __init__(self, person: SocialPerson, minted: MintingProvider, url: str) -> None:
        self.person = person
        self.asked = query_of(url)
        self.address, self.form = minted.authorize(url)
        self.state = self.asked["state"]

    async def post(self, form: Mapping[str, str] | None = None) -> httpx2.Response:
        """Post as the browser does on Apple's page."""
        return await self.person.storefront.http.post("/social/form_post", data=form or self.form, headers=APPLES)

    async def back(self, **changes: str) -> dict[str, str]:
        """Post, and return what the app's redirect URI gets."""
        response = await self.post({**self.form, **changes})
        assert response.status_code == 303, response.text
        address, _, query = response.headers["Location"].partition("?")
        assert address == REDIRECT_URI
        return query_of(f"?{query}")


async def visit(gateway: Gateway, minted: MintingProvider, **changes: Any) -> Visit:
    """Begin, and let Apple answer."""
    person = await arrive(gateway, provider="apple")
    payload = await person.begin(**changes)
    assert payload["userErrors"] == [], payload
    return Visit(person, minted, payload["authorizationUrl"])


class TestBeginSocialLogin:
    async def test_sends_the_person_to_apple_with_a_redirect_uri_of_ours(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        there = await visit(gateway, minted)
        assert (there.asked["response_mode"], there.asked["redirect_uri"]) == ("form_post", POSTED_TO)

    async def test_takes_only_a_redirect_uri_of_the_client(self, gateway: Gateway) -> None:
        payload = await (await arrive(gateway, provider="apple")).begin(redirectUri=POSTED_TO)
        assert codes(payload) == [("REDIRECT_URI_NOT_ALLOWED", "redirectUri")]

    async def test_leaves_other_providers_alone(self, gateway: Gateway) -> None:
        payload = await (await arrive(gateway)).begin()
        assert query_of(payload["authorizationUrl"])["redirect_uri"] == REDIRECT_URI


class TestFormPost:
    async def test_sends_the_browser_on_with_the_state_and_a_code_that_is_not_apples(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        there = await visit(gateway, minted)
        response = await there.post()
        assert response.status_code == 303
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["referrer-policy"] == "no-referrer"
        assert "access-control-allow-origin" not in response.headers
        assert response.headers.get_list("set-cookie") == []
        back = query_of(response.headers["Location"])
        assert back.keys() == {"code", "state"}
        assert back["state"] == there.state
        assert back["code"].startswith("cg_sc_")
        assert there.form["code"] not in response.headers["Location"]

    async def test_opens_an_app_by_its_own_scheme(self, gateway: Gateway, minted: MintingProvider) -> None:
        there = await visit(gateway, minted, redirectUri="com.example.shop:/callback")
        assert (await there.post()).headers["Location"].startswith("com.example.shop:/callback?code=cg_sc_")

    async def test_hands_the_same_code_on_when_the_browser_posts_once_more(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        there = await visit(gateway, minted)
        assert await there.back() == await there.back()

    async def test_keeps_what_was_posted_first(self, gateway: Gateway, minted: MintingProvider) -> None:
        there = await visit(gateway, minted)
        first = await there.back()
        assert (await there.back(code="another"))["error"] == "invalid_request"
        assert codes(await there.person.finish(there.state, code=first["code"])) == []

    async def test_lets_one_of_sixteen_codes_at_once_win(self, gateway: Gateway, minted: MintingProvider) -> None:
        there = await visit(gateway, minted)
        answers: list[dict[str, str]] = []

        async def post(code: str) -> None:
            answers.append(await there.back(code=code))

        async with anyio.create_task_group() as group:
            for number in range(16):
                group.start_soon(post, f"code-{number}")
        (won,) = [each["code"] for each in answers if "code" in each]
        assert [each["error"] for each in answers if "error" in each] == ["invalid_request"] * 15
        assert codes(await there.person.finish(there.state, code=won)) == []

    async def test_hands_on_what_the_provider_says_went_wrong(self, gateway: Gateway, minted: MintingProvider) -> None:
        there = await visit(gateway, minted)
        refused = {"error": "user_cancelled_authorize", "state": there.state}
        assert query_of((await there.post(refused)).headers["Location"]) == refused

    @pytest.mark.parametrize(
        ("told", "handed_on"),
        [
            ("No\r\nLocation: https://evil.example", "No  Location: https://evil.example"),
            ("<script>alert(1)</script>&code=x#y", "<script>alert(1)</script>&code=x#y"),
            ("x" * 5_000, "x" * 400),
            ("  ", None),
        ],
    )
    async def test_hands_a_description_on_as_one_line(
        self, gateway: Gateway, minted: MintingProvider, told: str, handed_on: str | None
    ) -> None:
        there = await visit(gateway, minted)
        form = {"error": "access_denied", "error_description": told, "state": there.state}
        back = query_of((await there.post(form)).headers["Location"])
        assert (back["error"], back.get("error_description")) == ("access_denied", handed_on)
        assert back.keys() <= {"error", "error_description", "state"}

    @pytest.mark.parametrize("code", ["", "x" * 4097])
    async def test_tells_the_app_of_an_answer_without_a_code_of_use(
        self, gateway: Gateway, minted: MintingProvider, code: str
    ) -> None:
        assert (await (await visit(gateway, minted)).back(code=code))["error"] == "invalid_request"

    async def test_takes_a_code_of_four_kilobytes(self, gateway: Gateway, minted: MintingProvider) -> None:
        there = await visit(gateway, minted)
        back = await there.back(code="c" * 4096)
        assert codes(await there.person.finish(there.state, code=back["code"])) == []
        assert minted.codes == ["c" * 4096]

    async def test_tells_the_app_when_it_took_too_long(self, gateway: Gateway, minted: MintingProvider) -> None:
        there = await visit(gateway, minted)
        gateway.clock.advance(minutes=11)
        assert (await there.back())["error"] == "invalid_request"

    async def test_tells_the_app_when_it_is_finished_already(self, gateway: Gateway, minted: MintingProvider) -> None:
        there = await visit(gateway, minted)
        back = await there.back()
        assert codes(await there.person.finish(there.state, code=back["code"])) == []
        assert (await there.back())["error"] == "invalid_request"

    @pytest.mark.parametrize("state", [None, "", "x", NEVER_BEGUN])
    async def test_sends_nobody_anywhere_for_a_state_that_nobody_began_with(
        self, gateway: Gateway, state: str | None
    ) -> None:
        form = {"code": "c", **({"state": state} if state is not None else {})}
        response = await gateway.http.post("/social/form_post", data=form, headers=APPLES)
        assert (response.status_code, "location" in response.headers) == (400, False)
        assert "Please go back to the shop" in response.text

    async def test_is_not_for_providers_that_redirect(self, gateway: Gateway, minted: MintingProvider) -> None:
        state = await (await arrive(gateway)).begun(minted)
        response = await gateway.http.post("/social/form_post", data={"code": "c", "state": state})
        assert response.status_code == 400

    async def test_wants_a_form_that_is_posted(self, gateway: Gateway) -> None:
        path = "/social/form_post"
        got = await gateway.http.get(f"{path}?code=c&state={NEVER_BEGUN}")
        assert (got.status_code, got.headers["allow"]) == (405, "POST")
        assert (await gateway.http.post(path, json={"state": NEVER_BEGUN})).status_code == 415
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        assert (await gateway.http.post(path, content="state=a&state=b", headers=form)).status_code == 400
        assert (await gateway.http.post(path, content=b"state=%ff", headers=form)).status_code == 400
        assert (await gateway.http.post(path, content="state=" + "x" * 70_000, headers=form)).status_code == 413

    async def test_is_limited_for_each_address(
        self, gateway: Gateway, minted: MintingProvider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        there = await visit(gateway, minted)
        monkeypatch.setitem(vars(gateway.tools.tenants.tenant("demo").limits), "social_per_ip_per_minute", 1)
        assert (await there.post()).status_code == 303
        limited = await there.post()
        assert (limited.status_code, int(limited.headers["retry-after"]) > 0) == (429, True)

    async def test_keeps_apples_code_sealed_and_not_for_long(self, gateway: Gateway, minted: MintingProvider) -> None:
        there = await visit(gateway, minted)
        await there.back(code="very-secret-code")
        ((sealed, code_hash),) = await gateway.rows("SELECT sealed, code_hash FROM social_answer")
        assert "very-secret-code" not in sealed
        assert b"cg_sc_" not in code_hash
        gateway.clock.advance(minutes=5, seconds=1)
        await purge_sealed(gateway.tools)
        assert await gateway.rows("SELECT state_hash FROM social_answer") == []


class TestSocialLogin:
    async def test_logs_in_with_the_code_that_was_handed_on(self, gateway: Gateway, minted: MintingProvider) -> None:
        there = await visit(gateway, minted)
        back = await there.back()
        payload = await there.person.finish(back["state"], code=back["code"])
        assert (payload["userErrors"], payload["created"]) == ([], True)
        ((_, _, form),) = [request for request in minted.requests if request[0] == "/token"]
        assert (form["code"], form["redirect_uri"]) == ([there.form["code"]], [POSTED_TO])
        assert await gateway.rows("SELECT state_hash FROM social_answer") == []

    async def test_does_not_take_apples_own_code(self, gateway: Gateway, minted: MintingProvider) -> None:
        there = await visit(gateway, minted)
        await there.back()
        payload = await there.person.finish(there.state, code=there.form["code"])
        assert codes(payload) == [("TOKEN_INVALID", "code")]
        assert minted.codes == []

    async def test_does_not_take_a_code_before_there_was_an_answer(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        there = await visit(gateway, minted)
        assert codes(await there.person.finish(there.state, code="c")) == [("TOKEN_INVALID", "code")]
        assert minted.codes == []

    async def test_takes_the_code_in_its_own_session_only(self, gateway: Gateway, minted: MintingProvider) -> None:
        there = await visit(gateway, minted)
        back = await there.back()
        thief = await arrive(gateway, provider="apple")
        assert codes(await thief.finish(back["state"], code=back["code"])) == [("TOKEN_INVALID", "state")]
        assert codes(await there.person.finish(back["state"], code=back["code"])) == []

    async def test_takes_no_code_of_another_login(self, gateway: Gateway, minted: MintingProvider) -> None:
        victim, thief = await visit(gateway, minted), await visit(gateway, minted)
        stolen = await victim.back()
        await thief.back()
        payload = await thief.person.finish(thief.state, code=stolen["code"])
        assert codes(payload) == [("TOKEN_INVALID", "code")]

    async def test_takes_it_once(self, gateway: Gateway, minted: MintingProvider) -> None:
        there = await visit(gateway, minted)
        back = await there.back()
        outcomes: list[list[tuple[str, str]]] = []

        async def finish(number: int) -> None:
            # Not the same call, which would get the same tokens once more.
            answer = await there.person.try_to_finish(back["state"], code=back["code"], firstName=f"Ada {number}")
            outcomes.append(codes(answer["socialLogin"]) if "socialLogin" in (answer.data or {}) else [("", "")])

        async with anyio.create_task_group() as group:
            for number in range(16):
                group.start_soon(finish, number)
        assert outcomes.count([]) == 1
        assert minted.codes == [there.form["code"]]

    async def test_does_not_take_it_after_five_minutes(self, gateway: Gateway, minted: MintingProvider) -> None:
        there = await visit(gateway, minted)
        back = await there.back()
        gateway.clock.advance(minutes=5, seconds=1)
        payload = await there.person.finish(back["state"], code=back["code"])
        assert codes(payload) == [("TOKEN_INVALID", "code")]

    async def test_is_posted_to_one_process_and_finished_at_another(
        self, gateway: Gateway, minted: MintingProvider, environment: dict[str, str], clock: MovableClock
    ) -> None:
        there = await visit(gateway, minted)
        async with run_gateway(environment, clock) as other:
            response = await other.http.post("/social/form_post", data=there.form, headers=APPLES)
        back = query_of(response.headers["Location"])
        assert codes(await there.person.finish(back["state"], code=back["code"])) == []

    @pytest.mark.parametrize("iss", ["https://evil.example", "x" * 5_000])
    async def test_checks_the_issuer_that_was_posted(self, gateway: Gateway, minted: MintingProvider, iss: str) -> None:
        there = await visit(gateway, minted)
        back = await there.back(iss=iss)
        payload = await there.person.finish(back["state"], code=back["code"], iss=minted.issuer)
        assert codes(payload) == [("PROVIDER_REFUSED", "provider")]

    async def test_links_an_account_too(self, gateway: Gateway, minted: MintingProvider) -> None:
        customer = SocialPerson(gateway, (await gateway.customer(email="eve@example.com")).tokens.access, "apple")
        there = Visit(customer, minted, (await customer.begin())["authorizationUrl"])
        back = await there.back()
        answer = await customer.link_with(back["state"], code=back["code"])
        assert answer.user_errors("linkSocialAccount") == []


def _user(**name: Any) -> str:
    return json.dumps({"name": name, "email": "ada@example.com"})


class TestName:
    @pytest.mark.parametrize(
        ("posted", "given", "named"),
        [
            ({"user": _user(firstName="Ada", lastName="Lovelace")}, {}, "Ada"),
            ({}, {"firstName": "Augusta"}, "Augusta"),
            ({"user": _user(firstName="Ada")}, {"firstName": "Augusta"}, "Ada"),
            ({"user": _user(firstName="A\u202eda\n" + "x" * 200)}, {}, "Ada " + "x" * 96),
            ({"user": _user(firstName="  ")}, {}, None),
            ({"user": _user(firstName=5, lastName={})}, {}, None),
            ({"user": "{"}, {}, None),
            ({"user": "[]"}, {}, None),
            ({"user": '{"name": "Ada"}'}, {}, None),
            ({"user": _user(firstName="x" * 10_000)}, {}, None),
        ],
    )
    async def test_is_told_once_by_the_browser_and_counts_where_a_customer_is_created(
        self,
        gateway: Gateway,
        minted: MintingProvider,
        posted: dict[str, str],
        given: dict[str, str],
        named: str | None,
    ) -> None:
        there = await visit(gateway, minted)
        back = await there.back(**posted)
        payload = await there.person.finish(back["state"], code=back["code"], **given)
        assert (payload["userErrors"], payload["customer"]["firstName"]) == ([], named)

    async def test_changes_nobody_who_is_there_already(self, gateway: Gateway, minted: MintingProvider) -> None:
        for name in ("Ada", "Mallory"):
            there = await visit(gateway, minted)
            back = await there.back(user=_user(firstName=name))
            payload = await there.person.finish(back["state"], code=back["code"], lastName=name)
            assert payload["customer"]["firstName"] == "Ada"

    async def test_gives_way_to_what_the_provider_itself_says(self, gateway: Gateway, minted: MintingProvider) -> None:
        minted.claims = {"given_name": "Ada"}
        there = await visit(gateway, minted)
        back = await there.back(user=_user(firstName="Mallory"))
        payload = await there.person.finish(back["state"], code=back["code"])
        assert payload["customer"]["firstName"] == "Ada"

    async def test_says_nothing_about_the_address(self, gateway: Gateway, minted: MintingProvider) -> None:
        minted.claims = {"email": None, "email_verified": None}
        there = await visit(gateway, minted)
        back = await there.back(user=json.dumps({"name": {}, "email": "eve@example.com"}))
        payload = await there.person.finish(back["state"], code=back["code"])
        assert (payload["customer"]["email"], payload["customer"]["contactEmail"]) == (None, None)
