"""Where the links of mails lead, how long they say that they work, and in which language."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.ports import MailMessage
from app.domain.principal import Principal, TokenKind
from app.domain.requests import RequestFacts
from app.domain.tenants import MailedLinks, link_with
from app.domain.tokens import OpaqueToken, TokenPrefix
from app.services.caller import Caller
from app.services.outgoing.mail_contents import compose_mail
from app.services.outgoing.mails import send_mail
from app.services.unit_of_work import UnitOfWork
from app.services.worker.delivery import LEASE
from tests.harness.gateway import Gateway
from tests.harness.mails import Mail

pytestmark = pytest.mark.anyio

TOKEN = OpaqueToken.of(TokenPrefix.ONE_TIME, bytes(32))


async def compose(gateway: Gateway, template: str, links: MailedLinks | None = None, **changes: Any) -> MailMessage:
    """Return the mail that `send_mail` has the worker send, for a guest of a client with these links, or for nobody."""
    tools = gateway.tools
    demo = tools.tenants.tenant("demo")
    client, *others = demo.clients
    if links is not None:
        demo = demo.model_copy(update={"clients": (client.model_copy(update={"links": links}), *others)})
    guest = Principal(TokenKind.ANONYMOUS, demo.id, client.id, tools.clock.now()) if links is not None else None
    async with UnitOfWork(tools, Caller(RequestFacts(request_id="test", ip=""), guest)) as uow:
        if guest is None:
            uow.enter(demo)
        await send_mail(uow, template, "a-customer", "ada@example.com", **changes)
        (message,) = await uow.outbox_queue.claim(uow.now, uow.now + LEASE, 1)
    return compose_mail(tools, demo, message)


class TestComposeMail:
    @pytest.mark.parametrize(
        ("template", "path", "lifetime"),
        [
            ("confirm_signup", "/confirm-signup", "for 24 hours"),
            ("confirm_signup_again", "/confirm-signup", "for 24 hours"),
            ("reset_password", "/reset-password", "for 30 minutes"),
            ("confirm_email_change", "/confirm-email", "for 1 hour"),
            ("email_change_notice", "/revert-email", "for 3 days"),
            ("passkey_added", "/revert-sign-in-method", "for 3 days"),
            ("passkey_removed", "/revert-sign-in-method", "for 3 days"),
            ("password_added", "/revert-sign-in-method", "for 3 days"),
            ("phone_added", "/revert-sign-in-method", "for 3 days"),
            ("recovery_codes_renewed", "/revert-sign-in-method", "for 3 days"),
            ("totp_disabled", "/revert-sign-in-method", "for 3 days"),
            ("totp_enabled", "/revert-sign-in-method", "for 3 days"),
        ],
    )
    async def test_leads_to_a_page_of_the_site(self, gateway: Gateway, template: str, path: str, lifetime: str) -> None:
        mail = await compose(gateway, template, token=TOKEN)
        assert mail.link == f"http://localhost:8000{path}?token={TOKEN.text}"
        assert mail.link in mail.text
        assert lifetime in " ".join(mail.text.split())

    @pytest.mark.parametrize(
        ("template", "name"),
        [
            ("confirm_signup", "confirm"),
            ("confirm_signup_again", "confirm"),
            ("reset_password", "reset"),
            ("confirm_email_change", "email_change"),
            ("email_change_notice", "email_revert"),
            ("passkey_added", "sign_in_revert"),
            ("anonymization_requested", "anonymization_cancel"),
            ("anonymization_pending", "anonymization_cancel"),
        ],
    )
    async def test_leads_to_the_client_that_has_caused_it(self, gateway: Gateway, template: str, name: str) -> None:
        links = MailedLinks.model_validate({name: f"https://shop.example/app/{name}"})
        mail = await compose(gateway, template, links, token=TOKEN)
        assert mail.link == f"https://shop.example/app/{name}?token={TOKEN.text}"
        assert mail.link in mail.text
        others = MailedLinks.model_validate(
            {other: "https://shop.example/other" for other in MailedLinks.model_fields if other != name}
        )
        assert (await compose(gateway, template, others, token=TOKEN)).link == (
            await compose(gateway, template, token=TOKEN)
        ).link

    async def test_leads_to_the_client_with_a_code_too(self, gateway: Gateway) -> None:
        links = MailedLinks(login_code="https://shop.example/app/code")
        assert (await compose(gateway, "login_code", links, code="123456")).link == (
            "https://shop.example/app/code?code=123456"
        )
        assert (await compose(gateway, "login_code", MailedLinks(), code="123456")).link == (
            "http://localhost:8000/login-code?code=123456"
        )

    async def test_puts_the_token_behind_a_query(self, gateway: Gateway) -> None:
        links = MailedLinks(reset="https://shop.example/open?page=reset")
        mail = await compose(gateway, "reset_password", links, token=TOKEN)
        assert mail.link == f"https://shop.example/open?page=reset&token={TOKEN.text}"

    async def test_says_how_long_is_left_where_that_was_written_down(self, gateway: Gateway) -> None:
        mail = await compose(gateway, "anonymization_pending", token=TOKEN, seconds_left="10800")
        assert mail.link == f"http://localhost:8000/cancel-anonymization?token={TOKEN.text}"
        assert "3 hours" in " ".join(mail.text.split())

    async def test_says_how_long_an_address_is_kept_and_leads_nowhere(self, gateway: Gateway) -> None:
        mail = await compose(gateway, "address_kept")
        assert "For 3 days after the change" in " ".join(mail.text.split())
        assert mail.link is None

    async def test_shows_a_code_and_no_link(self, gateway: Gateway) -> None:
        mail = await compose(gateway, "link_confirmation", code="48291573", provider="Google")
        assert "48291573" in mail.text
        assert "Google" in mail.subject
        assert mail.link is None

    async def test_has_a_message_id_that_stays(self, gateway: Gateway) -> None:
        mail = await compose(gateway, "password_changed")
        ((message_id,),) = await gateway.rows("SELECT id FROM outbox_message")
        assert mail.message_id == f"<{message_id}@127.0.0.1>"

    async def test_keeps_neither_token_nor_code_readable_in_the_database(self, gateway: Gateway) -> None:
        await compose(gateway, "confirm_signup", token=TOKEN, code="48291573")
        ((payload,),) = await gateway.rows("SELECT payload FROM outbox_message")
        assert TOKEN.text not in str(payload)
        assert "48291573" not in str(payload)


class TestLanguage:
    async def mail_to(self, gateway: Gateway, site: str | None, **details: Any) -> Mail:
        tokens = await gateway.anonymous(site=site)
        await gateway.signup(tokens.access, **({"customerDetails": details} if details else {}))
        await gateway.deliver()
        (mail,) = gateway.mails("ada@example.com")
        return mail

    async def test_is_that_of_the_site(self, gateway: Gateway) -> None:
        mail = await self.mail_to(gateway, "de")
        assert mail.subject == "Bitte bestätigen Sie Ihre E-Mail-Adresse"
        assert "http://localhost:8000/de/confirm-signup?token=" in mail.text

    async def test_is_that_of_the_customer_before_that_of_the_site(self, gateway: Gateway) -> None:
        mail = await self.mail_to(gateway, "de", preferredLanguage="en_US")
        assert mail.subject == "Please confirm your e-mail address"
        assert "http://localhost:8000/de/confirm-signup?token=" in mail.text

    async def test_is_english_where_we_have_no_other(self, gateway: Gateway) -> None:
        assert (
            await self.mail_to(gateway, None, preferredLanguage="fr")
        ).subject == "Please confirm your e-mail address"


class TestLinkWith:
    def test_puts_nothing_but_the_address_before_the_token(self) -> None:
        assert link_with("https://shop.example/reset", "token", "a+b") == "https://shop.example/reset?token=a%2Bb"
