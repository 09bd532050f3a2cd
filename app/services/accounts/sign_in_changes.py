"""A way in was added or removed: the audit, the event, and the mail with the link that takes it back.

Whoever adds or removes one calls `tell_added` or `tell_removed`, in the transaction that does it, with the customer
locked. What the link does stands in `sign_in_reverts.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from app.domain.audit import AuditAction
from app.domain.sign_in import SignInMethod
from app.domain.topics import Topic
from app.models.one_time_tokens import OneTimeToken, Purpose
from app.services.audit import record
from app.services.outgoing.events import emit
from app.services.outgoing.mail_contents import REVERT_SIGN_IN_LIFETIME
from app.services.outgoing.mails import send_mail
from app.services.outgoing.one_time_tokens import issue_one_time_token
from app.services.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class WayIn:
    """One way in of a customer, as the link that takes its change back has to know it.

    `id` is that of its row: the passkey, the TOTP secret (of recovery codes too), the social identity; a password has
    nor has a phone number. `provider` is that of a social identity. `kept` is what else is needed to bring it back.
    """

    method: SignInMethod
    id: str = ""
    provider: str = ""
    kept: Mapping[str, Any] = field(default_factory=dict)

    @property
    def audited(self) -> dict[str, str | bool]:
        """What the audit says of it."""
        if self.method is SignInMethod.PASSKEY:
            return {"passkey": self.id}
        return {"provider": self.provider, "account_id": self.id} if self.method is SignInMethod.SOCIAL else {}

    @property
    def told(self) -> dict[str, str]:
        """What the event says of it."""
        if self.method is SignInMethod.PASSKEY:
            return {"passkeyId": self.id}
        return {"provider": self.provider, "accountId": self.id} if self.method is SignInMethod.SOCIAL else {}


@dataclass(frozen=True, slots=True)
class Change:
    """A way in that was added, or else removed."""

    way: WayIn
    is_added: bool

    @classmethod
    def read(cls, token: OneTimeToken) -> Self:
        """Return the change that a token takes back."""
        data = token.data
        way = WayIn(SignInMethod(data["method"]), data["id"], data["provider"], data["kept"])
        return cls(way, data["added"])

    @property
    def data(self) -> dict[str, Any]:
        """What the token holds."""
        way = self.way
        return {
            "added": self.is_added,
            "method": way.method.value,
            "id": way.id,
            "provider": way.provider,
            "kept": dict(way.kept),
        }


@dataclass(frozen=True, slots=True)
class _Kind:
    mail: str
    action: AuditAction | None = None
    topic: Topic | None = None


_ADDED: Mapping[SignInMethod, _Kind] = {
    SignInMethod.PASSKEY: _Kind("passkey_added", AuditAction.PASSKEY_ADDED, Topic.CUSTOMER_PASSKEY_ADDED),
    SignInMethod.TOTP: _Kind("totp_enabled", AuditAction.TOTP_ENABLED, Topic.CUSTOMER_TOTP_ENABLED),
    SignInMethod.RECOVERY_CODE: _Kind("recovery_codes_renewed", AuditAction.RECOVERY_CODES_RENEWED),
    SignInMethod.SOCIAL: _Kind("social_linked", AuditAction.SOCIAL_LINKED, Topic.CUSTOMER_SOCIAL_LINKED),
    # The audit has each proof of a number.
    SignInMethod.PHONE_CODE: _Kind("phone_added"),
    # Audit and event are those of every new password.
    SignInMethod.PASSWORD: _Kind("password_added"),
}
_REMOVED: Mapping[SignInMethod, _Kind] = {
    SignInMethod.PASSKEY: _Kind("passkey_removed", AuditAction.PASSKEY_REMOVED, Topic.CUSTOMER_PASSKEY_REMOVED),
    SignInMethod.TOTP: _Kind("totp_disabled", AuditAction.TOTP_DISABLED, Topic.CUSTOMER_TOTP_DISABLED),
    SignInMethod.SOCIAL: _Kind("social_unlinked", AuditAction.SOCIAL_UNLINKED, Topic.CUSTOMER_SOCIAL_UNLINKED),
}


async def tell_added(uow: UnitOfWork, customer_id: str, way: WayIn, **details: str) -> None:
    """Tell that a way in was added, or that recovery codes were renewed; `details` are what the mail's text names."""
    await _tell(uow, customer_id, Change(way, is_added=True), _ADDED[way.method], details)


async def tell_removed(uow: UnitOfWork, customer_id: str, way: WayIn, **details: str) -> None:
    """Tell that a way in was removed; `details` are what the mail's text names."""
    await _tell(uow, customer_id, Change(way, is_added=False), _REMOVED[way.method], details)


async def emit_reverted(uow: UnitOfWork, customer_id: str, change: Change) -> None:
    """Tell the other systems that a change was taken back, by the event of the opposite."""
    kind = (_REMOVED if change.is_added else _ADDED).get(change.way.method)
    if kind is not None and kind.topic is not None:
        await emit(uow, kind.topic, customer_id, **change.way.told)


async def _tell(uow: UnitOfWork, customer_id: str, change: Change, kind: _Kind, details: Mapping[str, str]) -> None:
    if kind.action is not None:
        await record(uow, kind.action, customer_id, **change.way.audited)
    if kind.topic is not None:
        await emit(uow, kind.topic, customer_id, **change.way.told)
    customer = await uow.customers.find(customer_id)
    if customer is None or customer.email is None or not uow.tenant.security_mails:
        return
    token = await issue_one_time_token(
        uow,
        Purpose.REVERT_SIGN_IN_METHOD,
        customer_id,
        customer.email,
        customer.credential_version,
        REVERT_SIGN_IN_LIFETIME,
        change.data,
        keeps_older=True,
    )
    language = customer.preferred_language
    to = customer.email
    await send_mail(uow, kind.mail, customer_id, to, language=language, token=token, code=None, at_site=None, **details)
