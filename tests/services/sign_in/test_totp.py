"""TOTP and recovery codes over the public API: set up, used to sign in and to prove oneself, taken away."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest
from pyotp import TOTP

from tests.harness.client import Answer, Person
from tests.harness.gateway import Gateway
from tests.harness.operations import USER_ERRORS
from tests.harness.sign_in import LOGIN, complete, shop_environment

pytestmark = pytest.mark.anyio

CLIENT = "shop-storefront"
Keys = dict[str, Any]
BEGIN = f"""mutation ($input: BeginTotpInput) {{
    beginTotp(input: $input) {{ ticket secret uri expiresIn {USER_ERRORS} }}
}}"""
CONFIRM = f"""mutation ($input: ConfirmTotpInput!) {{
    confirmTotp(input: $input) {{ recoveryCodes {USER_ERRORS} }}
}}"""
DISABLE = f"mutation ($input: DisableTotpInput!) {{ disableTotp(input: $input) {{ disabled {USER_ERRORS} }} }}"
RENEW = f"""mutation ($input: RenewRecoveryCodesInput) {{
    renewRecoveryCodes(input: $input) {{ recoveryCodes {USER_ERRORS} }}
}}"""
REAUTHENTICATE = f"""mutation ($input: ReauthenticateInput!) {{
    reauthenticate(input: $input) {{ authenticatedAt {USER_ERRORS} }}
}}"""
REVERT = f"""mutation ($input: RevertSignInMethodInput!) {{
    revertSignInMethod(input: $input) {{ method restored {USER_ERRORS} }}
}}"""
FACTOR = "{ me { secondFactor { totp recoveryCodesLeft } } }"
INFO = "{ tokenInfo { methods level } }"
STEP = 30
KEPT = ("SELECT * FROM totp_secret", "SELECT * FROM recovery_code")


@pytest.fixture
def keys() -> Keys:
    """Return the keys of the shop, beyond those that every shop needs."""
    return {}


@pytest.fixture
def settings_environment(tmp_path: Path, keys: Keys) -> dict[str, str]:
    return shop_environment(tmp_path, **{"signup": "confirm_email", **keys})


class App:
    """The app with codes on the customer's phone, whose clock is right but for what a test says."""

    def __init__(self, gateway: Gateway, secret: str) -> None:
        self._gateway = gateway
        self._totp = TOTP(secret)

    def code(self, steps: int = 0) -> str:
        """Return the code of the step that is so many later than now."""
        return self._totp.at(self._gateway.clock.now(), counter_offset=steps)

    def next_code(self) -> str:
        """Wait for the next step, and return its code."""
        self._gateway.clock.advance(seconds=STEP)
        return self.code()

    def wrong(self) -> str:
        """Return a code of none of the steps that count."""
        right = {self.code(step) for step in (-1, 0, 1)}
        return next(each for each in ("000000", "111111", "222222", "333333") if each not in right)


class Owner:
    """A customer with an account, and after `enrol` with the app and the recovery codes."""

    def __init__(self, gateway: Gateway, person: Person) -> None:
        self.gateway = gateway
        self.person = person
        self.token = person.tokens.access
        self.codes: list[str] = []

    async def call(self, document: str, access: str | None = None, **given: Any) -> Answer:
        """Call one of the mutations."""
        return await self.gateway.graphql(document, {"input": given}, access or self.token)

    async def enrol(self) -> App:
        """Set the app up."""
        begun = (await self.call(BEGIN))["beginTotp"]
        app = App(self.gateway, begun["secret"])
        confirmed = (await self.call(CONFIRM, ticket=begun["ticket"], code=app.code()))["confirmTotp"]
        assert confirmed["userErrors"] == []
        self.codes = confirmed["recoveryCodes"]
        return app

    async def begin_login(self) -> tuple[str, str]:
        """Log in by password in a new session, and return its token and the ticket."""
        token = (await self.gateway.anonymous(CLIENT)).access
        given = {"email": self.person.email, "password": self.person.password}
        payload = (await self.gateway.graphql(LOGIN, {"input": given}, token))["login"]
        assert payload["tokens"] is None
        return token, payload["nextStep"]["ticket"]

    async def log_in(self, **answer: str) -> dict[str, Any]:
        """Log in by password and by this answer."""
        token, ticket = await self.begin_login()
        payload: dict[str, Any] = (await complete(self.gateway, token, ticket, **answer))["completeLogin"]
        return payload

    async def left(self) -> dict[str, Any]:
        """Return what the customer sees of the second factor."""
        factor: dict[str, Any] = (await self.gateway.graphql(FACTOR, token=self.token))["me"]["secondFactor"]
        return factor

    async def newest_link(self) -> str:
        """Return the token of the newest mail."""
        await self.gateway.deliver()
        return self.gateway.mails(self.person.email)[-1].token


@pytest.fixture
async def ada(gateway: Gateway) -> Owner:
    """Make somebody with an account whose address is proved, logged in."""
    person = await gateway.signup_confirmed(CLIENT)
    token = (await gateway.anonymous(CLIENT)).access
    given = {"email": person.email, "password": person.password}
    payload = (await gateway.graphql(LOGIN, {"input": given}, token))["login"]
    owner = Owner(gateway, person)
    owner.token = payload["tokens"]["accessToken"] if payload["tokens"] else ""
    return owner


def codes(payload: dict[str, Any]) -> list[str]:
    """Return the codes of the user errors."""
    return [each["code"] for each in payload["userErrors"]]


class TestBeginTotp:
    async def test_gives_a_secret_and_what_an_app_reads(self, ada: Owner) -> None:
        begun = (await ada.call(BEGIN))["beginTotp"]
        assert len(begun["secret"]) == 32
        assert begun["uri"].startswith("otpauth://totp/")
        assert f"secret={begun['secret']}" in begun["uri"]
        assert ada.person.email.replace("@", "%40") in begun["uri"]
        assert begun["expiresIn"] == 600
        assert await ada.left() == {"totp": False, "recoveryCodesLeft": 0}

    async def test_wants_a_recent_login(self, ada: Owner) -> None:
        ada.gateway.clock.advance(minutes=11)
        assert (await ada.call(BEGIN)).codes == ["REAUTHENTICATION_REQUIRED"]

    async def test_is_not_for_a_guest_without_the_ticket_of_a_login(self, ada: Owner) -> None:
        guest = (await ada.gateway.anonymous(CLIENT)).access
        assert (await ada.call(BEGIN, guest)).user_errors("beginTotp") == [("REQUIRED", "ticket")]
        answer = await ada.call(BEGIN, guest, ticket="cg_st_" + "A" * 43)
        assert answer.user_errors("beginTotp") == [("TICKET_INVALID", "ticket")]

    async def test_refuses_who_has_an_app_already(self, ada: Owner) -> None:
        app = await ada.enrol()
        await ada.call(REAUTHENTICATE, totp=app.next_code())
        assert codes((await ada.call(BEGIN))["beginTotp"]) == ["LIMIT_REACHED"]

    @pytest.mark.parametrize("keys", [{"require_second_factor": rule} for rule in ("off", "optional", "staff_marked")])
    async def test_is_off_only_where_the_shop_has_no_second_factor(self, ada: Owner, keys: Keys) -> None:
        expected = [("METHOD_OFF", "ticket")] if keys["require_second_factor"] == "off" else []
        assert (await ada.call(BEGIN)).user_errors("beginTotp") == expected


class TestConfirmTotp:
    async def test_gives_ten_recovery_codes_of_ten_characters(self, ada: Owner) -> None:
        await ada.enrol()
        assert len(set(ada.codes)) == 10
        assert {len(code) for code in ada.codes} == {10}
        assert await ada.left() == {"totp": True, "recoveryCodesLeft": 10}

    async def test_keeps_neither_secret_nor_codes_readable(self, ada: Owner) -> None:
        begun = (await ada.call(BEGIN))["beginTotp"]
        app = App(ada.gateway, begun["secret"])
        confirmed = (await ada.call(CONFIRM, ticket=begun["ticket"], code=app.code()))["confirmTotp"]
        kept = str([await ada.gateway.rows(each) for each in KEPT])
        kept += str(await ada.gateway.rows("SELECT secret FROM sign_in_ticket"))
        assert [each for each in [begun["secret"], *confirmed["recoveryCodes"]] if each in kept] == []

    async def test_refuses_a_wrong_code_five_times_and_then_the_right_one(self, ada: Owner) -> None:
        begun = (await ada.call(BEGIN))["beginTotp"]
        app = App(ada.gateway, begun["secret"])
        for _ in range(5):
            answer = await ada.call(CONFIRM, ticket=begun["ticket"], code=app.wrong())
            assert answer.user_errors("confirmTotp") == [("CODE_INVALID", "code")]
        answer = await ada.call(CONFIRM, ticket=begun["ticket"], code=app.code())
        assert answer.user_errors("confirmTotp") == [("TICKET_INVALID", "ticket")]

    async def test_of_sixteen_at_once_sets_up_one_app(self, ada: Owner) -> None:
        begun = [(await ada.call(BEGIN))["beginTotp"] for _ in range(16)]
        outcomes: list[str] = []

        async def confirm(each: dict[str, Any]) -> None:
            code = App(ada.gateway, each["secret"]).code()
            outcomes.append(",".join(codes((await ada.call(CONFIRM, ticket=each["ticket"], code=code))["confirmTotp"])))

        async with anyio.create_task_group() as group:
            for each in begun:
                group.start_soon(confirm, each)
        assert sorted(outcomes) == ["", *["LIMIT_REACHED"] * 15]
        assert await ada.left() == {"totp": True, "recoveryCodesLeft": 10}

    async def test_is_of_no_use_in_another_session(self, ada: Owner) -> None:
        begun = (await ada.call(BEGIN))["beginTotp"]
        other = (await ada.gateway.login(ada.person.email, client_id=CLIENT)).access
        answer = await ada.call(CONFIRM, other, ticket=begun["ticket"], code=App(ada.gateway, begun["secret"]).code())
        assert answer.user_errors("confirmTotp") == [("TICKET_INVALID", "ticket")]


class TestEnrolmentAtTheLogin:
    @pytest.fixture
    def keys(self) -> Keys:
        return {"require_second_factor": "all", "login_code": False}

    async def test_goes_on_with_the_same_ticket(self, ada: Owner) -> None:
        guest, ticket = await ada.begin_login()
        begun = (await ada.call(BEGIN, guest, ticket=ticket))["beginTotp"]
        assert begun["ticket"] == ticket
        app = App(ada.gateway, begun["secret"])
        assert codes((await ada.call(CONFIRM, guest, ticket=ticket, code=app.code()))["confirmTotp"]) == []
        again = await complete(ada.gateway, guest, ticket, totp=app.code())
        assert again.user_errors("completeLogin") == [("CODE_INVALID", "totp")]
        done = (await complete(ada.gateway, guest, ticket, totp=app.next_code()))["completeLogin"]
        info = await ada.gateway.graphql(INFO, token=done["tokens"]["accessToken"])
        assert info["tokenInfo"] == {"methods": ["PASSWORD", "TOTP"], "level": "2"}

    async def test_is_not_open_to_who_has_an_app(self, ada: Owner) -> None:
        guest, ticket = await ada.begin_login()
        begun = (await ada.call(BEGIN, guest, ticket=ticket))["beginTotp"]
        await ada.call(CONFIRM, guest, ticket=ticket, code=App(ada.gateway, begun["secret"]).code())
        answer = await ada.call(BEGIN, guest, ticket=ticket)
        assert answer.user_errors("beginTotp") == [("TICKET_INVALID", "ticket")]


# RFC 6238 appendix B for SHA-1, the last six of its eight digits.
VECTORS = [
    (59, "287082"),
    (1111111109, "081804"),
    (1111111111, "050471"),
    (1234567890, "005924"),
    (2000000000, "279037"),
    (20000000000, "353130"),
]
RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


class TestCompleteLoginByTotp:
    @pytest.mark.parametrize(("seconds", "code"), VECTORS)
    async def test_knows_the_codes_of_rfc_6238(self, ada: Owner, seconds: int, code: str) -> None:
        await ada.enrol()
        sealed = ada.gateway.tools.sealer.seal(RFC_SECRET)
        await ada.gateway.write("UPDATE totp_secret SET secret = :sealed, last_step = NULL", sealed=sealed)
        moment = datetime.fromtimestamp(seconds, UTC)
        ahead = moment - ada.gateway.clock.now()
        ada.gateway.clock.advance(days=ahead.days, seconds=ahead.seconds)
        ada.gateway.clock.advance(seconds=ahead.microseconds / 1_000_000)
        assert ada.gateway.clock.now() == moment
        payload = await ada.log_in(totp=f" {code[:3]} {code[3:]}")
        assert codes(payload) == []
        assert payload["customer"]["id"] == ada.person.id

    @pytest.mark.parametrize(("steps", "works"), [(-2, False), (-1, True), (1, True), (2, False)])
    async def test_bears_a_clock_that_is_one_step_wrong(self, ada: Owner, steps: int, works: bool) -> None:
        app = await ada.enrol()
        ada.gateway.clock.advance(seconds=10 * STEP)
        assert codes(await ada.log_in(totp=app.code(steps))) == ([] if works else ["CODE_INVALID"])

    async def test_takes_no_step_twice_and_none_before_it(self, ada: Owner) -> None:
        app = await ada.enrol()
        code = app.next_code()
        assert codes(await ada.log_in(totp=code)) == []
        assert codes(await ada.log_in(totp=code)) == ["CODE_INVALID"]
        assert codes(await ada.log_in(totp=app.code(-1))) == ["CODE_INVALID"]

    async def test_of_sixteen_logins_at_once_one_uses_the_step(self, ada: Owner) -> None:
        app = await ada.enrol()
        logins = [await ada.begin_login() for _ in range(16)]
        code = app.next_code()
        outcomes: list[list[str]] = []

        async def answer(guest: str, ticket: str) -> None:
            outcomes.append(codes((await complete(ada.gateway, guest, ticket, totp=code))["completeLogin"]))

        async with anyio.create_task_group() as group:
            for guest, ticket in logins:
                group.start_soon(answer, guest, ticket)
        assert sorted(outcomes) == [[], *[["CODE_INVALID"]] * 15]

    @pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "12345x"])
    async def test_refuses_what_is_no_code(self, ada: Owner, code: str) -> None:
        await ada.enrol()
        assert codes(await ada.log_in(totp=code)) == ["CODE_INVALID"]

    async def test_lets_nobody_guess_on_with_new_tickets(self, ada: Owner) -> None:
        app = await ada.enrol()
        outcomes = []
        for _ in range(7):
            guest, ticket = await ada.begin_login()
            for _ in range(5):
                answer = await complete(ada.gateway, guest, ticket, totp=app.wrong())
                outcomes.append((answer.codes or codes(answer["completeLogin"]))[0])
            ada.gateway.clock.advance(minutes=2)
        assert outcomes == ["CODE_INVALID"] * 30 + ["RATE_LIMITED"] * 5
        ada.gateway.clock.advance(hours=1)
        assert codes(await ada.log_in(totp=app.code())) == []

    async def test_after_ten_wrong_passwords_is_told_by_mail(self, ada: Owner) -> None:
        app, gateway = await ada.enrol(), ada.gateway
        for ip in ("198.51.100.1", "198.51.100.2"):
            gateway.ip = ip
            for _ in range(5):
                given = {"email": ada.person.email, "password": "wrong-harbour-42"}
                await gateway.graphql(LOGIN, {"input": given}, (await gateway.anonymous(CLIENT)).access)
        gateway.ip = "203.0.113.7"
        for _ in range(2):
            assert (await ada.log_in(totp=app.next_code()))["userErrors"] == []
        await gateway.deliver()
        told = [mail.subject for mail in gateway.mails(ada.person.email)]
        assert told.count("Login to your account after many failures") == 1


class TestRecoveryCode:
    async def test_logs_in_once_whatever_its_case_blanks_and_hyphens(self, ada: Owner) -> None:
        await ada.enrol()
        code = ada.codes[0]
        payload = await ada.log_in(recoveryCode=f" {code[:5].upper()}-{code[5:]} ")
        assert codes(payload) == []
        assert await ada.left() == {"totp": True, "recoveryCodesLeft": 9}
        info = await ada.gateway.graphql(INFO, token=payload["tokens"]["accessToken"])
        assert info["tokenInfo"] == {"methods": ["PASSWORD", "RECOVERY_CODE"], "level": "2"}
        assert codes(await ada.log_in(recoveryCode=code)) == ["CODE_INVALID"]

    async def test_of_sixteen_logins_at_once_one_uses_it(self, ada: Owner) -> None:
        await ada.enrol()
        logins = [await ada.begin_login() for _ in range(16)]
        outcomes: list[list[str]] = []

        async def answer(guest: str, ticket: str) -> None:
            payload = await complete(ada.gateway, guest, ticket, recoveryCode=ada.codes[0])
            outcomes.append(codes(payload["completeLogin"]))

        async with anyio.create_task_group() as group:
            for guest, ticket in logins:
                group.start_soon(answer, guest, ticket)
        assert sorted(outcomes) == [[], *[["CODE_INVALID"]] * 15]
        assert await ada.left() == {"totp": True, "recoveryCodesLeft": 9}

    async def test_of_another_customer_is_wrong(self, gateway: Gateway, ada: Owner) -> None:
        await ada.enrol()
        other = await gateway.signup_confirmed(CLIENT, email="eve@example.com")
        payload = await gateway.login(other.email, client_id=CLIENT)
        eve = Owner(gateway, other)
        eve.token = payload.access
        await eve.enrol()
        assert codes(await eve.log_in(recoveryCode=ada.codes[0])) == ["CODE_INVALID"]


class TestReauthenticate:
    @pytest.mark.parametrize("by", ["totp", "recoveryCode"])
    async def test_raises_the_level(self, ada: Owner, by: str) -> None:
        app = await ada.enrol()
        assert (await ada.call(REAUTHENTICATE, password=ada.person.password)).codes == ["REAUTHENTICATION_REQUIRED"]
        answer = app.next_code() if by == "totp" else ada.codes[3]
        assert codes((await ada.call(REAUTHENTICATE, **{by: answer}))["reauthenticate"]) == []
        info = await ada.gateway.graphql(INFO, token=ada.token)
        assert info["tokenInfo"]["level"] == "2"
        assert codes((await ada.call(REAUTHENTICATE, **{by: answer}))["reauthenticate"]) == ["CODE_INVALID"]


class TestDisableTotp:
    async def test_wants_both_factors(self, ada: Owner) -> None:
        app = await ada.enrol()
        assert (await ada.call(DISABLE)).codes == ["REAUTHENTICATION_REQUIRED"]
        await ada.call(REAUTHENTICATE, totp=app.next_code())
        assert (await ada.call(DISABLE))["disableTotp"] == {"disabled": True, "userErrors": []}
        assert await ada.left() == {"totp": False, "recoveryCodesLeft": 0}
        given = {"email": ada.person.email, "password": ada.person.password}
        guest = (await ada.gateway.anonymous(CLIENT)).access
        assert (await ada.gateway.graphql(LOGIN, {"input": given}, guest))["login"]["tokens"]

    async def test_takes_a_code_along(self, ada: Owner) -> None:
        app = await ada.enrol()
        answer = await ada.call(DISABLE, totp=app.wrong())
        assert answer.user_errors("disableTotp") == [("CODE_INVALID", "totp")]
        assert (await ada.call(DISABLE, recoveryCode=ada.codes[0]))["disableTotp"]["disabled"] is True

    @pytest.mark.parametrize("keys", [{"remember_device_days": 30}])
    async def test_leaves_no_device_that_stands_for_an_app_set_up_later(self, ada: Owner) -> None:
        app = await ada.enrol()
        token, ticket = await ada.begin_login()
        done = await complete(ada.gateway, token, ticket, totp=app.next_code(), rememberDevice=True)
        device = done["completeLogin"]["tokens"]["deviceToken"]
        await ada.call(DISABLE, recoveryCode=ada.codes[0])
        await ada.enrol()
        given = {"email": ada.person.email, "password": ada.person.password, "deviceToken": device}
        guest = (await ada.gateway.anonymous(CLIENT)).access
        payload = (await ada.gateway.graphql(LOGIN, {"input": given}, guest))["login"]
        assert (payload["tokens"], payload["nextStep"]["methods"]) == (None, ["TOTP", "RECOVERY_CODE"])

    async def test_finds_nothing_where_nothing_is(self, ada: Owner) -> None:
        assert codes((await ada.call(DISABLE))["disableTotp"]) == ["NOT_FOUND"]

    async def test_is_taken_back_by_the_mailed_link_with_the_codes(self, ada: Owner) -> None:
        await ada.enrol()
        await ada.call(DISABLE, recoveryCode=ada.codes[0])
        link, before = await ada.newest_link(), ada.codes
        # Whoever took it away puts an app of their own in its place.
        await ada.enrol()
        guest = (await ada.gateway.anonymous(CLIENT)).access
        payload = (await ada.call(REVERT, guest, token=link))["revertSignInMethod"]
        assert payload == {"method": "TOTP", "restored": True, "userErrors": []}
        assert (await ada.gateway.graphql(FACTOR, token=ada.token)).reason == "REVOKED"
        assert codes(await ada.log_in(recoveryCode=ada.codes[1])) == ["CODE_INVALID"]
        assert codes(await ada.log_in(recoveryCode=before[0])) == ["CODE_INVALID"]
        assert codes(await ada.log_in(recoveryCode=before[1])) == []


class TestRevertOfTotp:
    async def test_removes_the_app_and_ends_who_has_used_its_codes(self, ada: Owner) -> None:
        app = await ada.enrol()
        link = await ada.newest_link()
        used = (await ada.log_in(totp=app.next_code()))["tokens"]["accessToken"]
        guest = (await ada.gateway.anonymous(CLIENT)).access
        payload = (await ada.call(REVERT, guest, token=link))["revertSignInMethod"]
        assert payload == {"method": "TOTP", "restored": False, "userErrors": []}
        assert (await ada.gateway.graphql(FACTOR, token=used)).reason == "REVOKED"
        assert await ada.left() == {"totp": False, "recoveryCodesLeft": 0}


class TestRenewRecoveryCodes:
    async def test_ends_those_of_before_until_the_mailed_link_brings_them_back(self, ada: Owner) -> None:
        app = await ada.enrol()
        assert (await ada.call(RENEW)).codes == ["REAUTHENTICATION_REQUIRED"]
        renewed = (await ada.call(RENEW, totp=app.next_code()))["renewRecoveryCodes"]["recoveryCodes"]
        assert len(set(renewed) - set(ada.codes)) == 10
        assert codes(await ada.log_in(recoveryCode=ada.codes[1])) == ["CODE_INVALID"]
        assert codes(await ada.log_in(recoveryCode=renewed[1])) == []
        link = await ada.newest_link()
        guest = (await ada.gateway.anonymous(CLIENT)).access
        payload = (await ada.call(REVERT, guest, token=link))["revertSignInMethod"]
        assert (payload["method"], payload["userErrors"]) == ("RECOVERY_CODE", [])
        assert codes(await ada.log_in(recoveryCode=renewed[2])) == ["CODE_INVALID"]
        assert codes(await ada.log_in(recoveryCode=ada.codes[1])) == []

    async def test_finds_nothing_where_nothing_is(self, ada: Owner) -> None:
        assert codes((await ada.call(RENEW))["renewRecoveryCodes"]) == ["NOT_FOUND"]


class TestWhatOthersHear:
    async def test_the_audit_tells_what_was_set_up_and_taken_away(self, ada: Owner) -> None:
        await ada.enrol()
        await ada.call(RENEW, recoveryCode=ada.codes[0])
        rows = await ada.gateway.rows("SELECT action FROM audit_event ORDER BY id")
        actions = [row.action for row in rows]
        assert [each for each in actions if each.startswith(("totp.", "recovery_codes."))] == [
            "totp.enabled",
            "recovery_codes.renewed",
        ]
        await ada.gateway.deliver()
        subjects = [mail.subject for mail in ada.gateway.mails(ada.person.email)][-2:]
        assert subjects == ["Your account now asks for a code", "You have new recovery codes"]
