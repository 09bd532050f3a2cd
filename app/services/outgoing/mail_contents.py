"""The values for each mail: where its link leads, and how long it works."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from app.domain.ports import MailMessage
from app.domain.tenants import MailedLinks, Site, Tenant, link_with
from app.domain.tools import Tools
from app.models.outbox import OutboxMessage

# How long an added or removed way in can be taken back.
REVERT_SIGN_IN_LIFETIME = timedelta(hours=72)


@dataclass(frozen=True, slots=True)
class _Content:
    """`lifetime`: how long the mail's link or code works, or what it tells of is put off; `path`: the link's page.

    `of_client`: where the link leads instead, if the client that has caused the mail has a place for it.
    `takes_code`: the link has the mail's code, not a token, and is good only where the code is.
    `leads_home`: the link is the site itself, and opens nothing.
    """

    lifetime: Callable[[Tenant], timedelta]
    path: Callable[[Site], str] | None = None
    of_client: Callable[[MailedLinks], str | None] = lambda _: None
    takes_code: bool = False
    leads_home: bool = False


_CONFIRM_SIGNUP = _Content(
    lambda tenant: timedelta(seconds=tenant.signup_token_seconds),
    lambda site: site.confirm_path,
    of_client=lambda links: links.confirm,
)
_CANCEL_ANONYMIZATION = _Content(
    lambda tenant: timedelta(hours=tenant.anonymization_delay_hours),
    lambda site: site.anonymization_cancel_path,
    of_client=lambda links: links.anonymization_cancel,
)
_REVERT_SIGN_IN_METHOD = _Content(
    lambda _: REVERT_SIGN_IN_LIFETIME,
    lambda site: site.sign_in_revert_path,
    of_client=lambda links: links.sign_in_revert,
)
_CONTENTS = {
    "confirm_signup": _CONFIRM_SIGNUP,
    "confirm_signup_again": _CONFIRM_SIGNUP,
    "invitation": _Content(
        lambda tenant: timedelta(seconds=tenant.invitation_token_seconds),
        lambda site: site.reset_path,
        of_client=lambda links: links.reset,
    ),
    "invitation_to_sign_in": _Content(lambda _: timedelta(0), leads_home=True),
    "reset_password": _Content(
        lambda tenant: timedelta(seconds=tenant.reset_token_seconds),
        lambda site: site.reset_path,
        of_client=lambda links: links.reset,
    ),
    "confirm_email_change": _Content(
        lambda tenant: timedelta(seconds=tenant.email_change_token_seconds),
        lambda site: site.email_change_path,
        of_client=lambda links: links.email_change,
    ),
    "email_change_notice": _Content(
        lambda tenant: timedelta(seconds=tenant.email_revert_token_seconds),
        lambda site: site.email_revert_path,
        of_client=lambda links: links.email_revert,
    ),
    "address_kept": _Content(lambda tenant: timedelta(seconds=tenant.email_revert_token_seconds)),
    "login_code": _Content(
        lambda tenant: timedelta(seconds=tenant.login_code_seconds),
        lambda site: site.login_code_path,
        of_client=lambda links: links.login_code,
        takes_code=True,
    ),
    "link_confirmation": _Content(lambda tenant: timedelta(seconds=tenant.social_state_seconds)),
    "anonymization_pending": _CANCEL_ANONYMIZATION,
    "anonymization_requested": _CANCEL_ANONYMIZATION,
    **dict.fromkeys(
        (
            "passkey_added",
            "passkey_removed",
            "password_added",
            "phone_added",
            "recovery_codes_renewed",
            "social_linked",
            "social_unlinked",
            "totp_disabled",
            "totp_enabled",
        ),
        _REVERT_SIGN_IN_METHOD,
    ),
}


def compose_mail(tools: Tools, tenant: Tenant, message: OutboxMessage) -> MailMessage:
    """Return the mail that a message of the outbox stands for.

    Its link leads to where the client takes it that has caused the mail, or to a page of the site, and nowhere else.
    """
    payload = message.payload
    site = tenant.find_site(payload["site"]) or tenant.default_site
    content = _CONTENTS.get(message.topic)
    token = tools.sealer.open(payload["token"]) if payload["token"] else None
    code = tools.sealer.open(payload["code"]) if payload["code"] else None
    link = _link(content, _links_of(tenant, payload), site, token, code) if content else None
    values = {
        "device": None,
        **payload["details"],
        "shop": tenant.name,
        "site_url": site.url,
        "link": link,
        "code": code,
        "lifetime": _lifetime(content, tenant, payload["details"]) if content else None,
        "when": message.created_at,
    }
    mail = tools.mail_texts.render(message.topic, payload["language"], values, tenant.own_texts)
    return MailMessage(
        message_id=f"<{message.id}@{_host(tools.public_url)}>",
        recipient=payload["recipient"] or tools.sealer.open(payload["address"]),
        subject=mail.subject,
        text=mail.text,
        html=mail.html,
        link=link,
        customer_id=message.customer_id,
    )


def _links_of(tenant: Tenant, payload: Mapping[str, Any]) -> MailedLinks:
    """Return the links of the client that has caused the mail; mails of before do not name it."""
    client = tenant.find_client(payload.get("client") or "")
    return client.links if client is not None else MailedLinks()


def _link(content: _Content, links: MailedLinks, site: Site, token: str | None, code: str | None) -> str | None:
    if content.leads_home:
        return site.url
    name, value = ("code", code) if content.takes_code else ("token", token)
    if content.path is None or not value:
        return None
    own = content.of_client(links)
    return link_with(own, name, value) if own is not None else site.link(content.path(site), value, name)


def _lifetime(content: _Content, tenant: Tenant, details: Mapping[str, str]) -> timedelta:
    """Return how long the link works: as long as was written down with the mail, or as the shop has it."""
    left = details.get("seconds_left")
    return timedelta(seconds=int(left)) if left is not None else content.lifetime(tenant)


def _host(url: str) -> str:
    return urlsplit(url).hostname or "localhost"
