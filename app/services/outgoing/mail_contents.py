"""The values for each mail: where its link leads, and how long it works."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from app.domain.ports import MailMessage
from app.domain.tenants import Site, Tenant
from app.domain.tools import Tools
from app.models.outbox import OutboxMessage


@dataclass(frozen=True, slots=True)
class _Content:
    """`lifetime`: how long the mail's link or code works, or what it tells of is put off; `path`: the link's page.

    `code_path`: the page that takes the mail's code; the link is good only where the code is.
    """

    lifetime: Callable[[Tenant], timedelta]
    path: Callable[[Site], str] | None = None
    code_path: Callable[[Site], str] | None = None


_CONFIRM_SIGNUP = _Content(lambda tenant: timedelta(seconds=tenant.signup_token_seconds), lambda s: s.confirm_path)
_CONTENTS = {
    "confirm_signup": _CONFIRM_SIGNUP,
    "confirm_signup_again": _CONFIRM_SIGNUP,
    "invitation": _Content(lambda tenant: timedelta(seconds=tenant.invitation_token_seconds), lambda s: s.reset_path),
    "reset_password": _Content(lambda tenant: timedelta(seconds=tenant.reset_token_seconds), lambda s: s.reset_path),
    "confirm_email_change": _Content(
        lambda tenant: timedelta(seconds=tenant.email_change_token_seconds), lambda s: s.email_change_path
    ),
    "email_change_notice": _Content(
        lambda tenant: timedelta(seconds=tenant.email_revert_token_seconds), lambda s: s.email_revert_path
    ),
    "address_kept": _Content(lambda tenant: timedelta(seconds=tenant.email_revert_token_seconds)),
    "login_code": _Content(
        lambda tenant: timedelta(seconds=tenant.login_code_seconds), code_path=lambda s: s.login_code_path
    ),
    "link_confirmation": _Content(lambda tenant: timedelta(seconds=tenant.social_state_seconds)),
    "anonymization_pending": _Content(
        lambda tenant: timedelta(hours=tenant.anonymization_delay_hours), lambda s: s.anonymization_cancel_path
    ),
    "anonymization_requested": _Content(
        lambda tenant: timedelta(hours=tenant.anonymization_delay_hours), lambda s: s.anonymization_cancel_path
    ),
}


def compose_mail(tools: Tools, tenant: Tenant, message: OutboxMessage) -> MailMessage:
    """Return the mail that a message of the outbox stands for; links lead to pages of the site and nowhere else."""
    payload = message.payload
    site = tenant.find_site(payload["site"]) or tenant.default_site
    content = _CONTENTS.get(message.topic)
    token = tools.sealer.open(payload["token"]) if payload["token"] else None
    code = tools.sealer.open(payload["code"]) if payload["code"] else None
    link = _link(content, site, token, code) if content else None
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


def _link(content: _Content, site: Site, token: str | None, code: str | None) -> str | None:
    if token and content.path:
        return site.link(content.path(site), token)
    return site.code_link(content.code_path(site), code) if code and content.code_path else None


def _lifetime(content: _Content, tenant: Tenant, details: Mapping[str, str]) -> timedelta:
    """Return how long the link works: as long as was written down with the mail, or as the shop has it."""
    left = details.get("seconds_left")
    return timedelta(seconds=int(left)) if left is not None else content.lifetime(tenant)


def _host(url: str) -> str:
    return urlsplit(url).hostname or "localhost"
