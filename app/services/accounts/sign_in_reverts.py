"""The link of the mail about a changed way in: it removes the added one, or brings the removed one back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.domain.audit import AuditAction
from app.domain.errors import UserErrorCode, refuse
from app.domain.sign_in import Factors, SignInMethod
from app.models.one_time_tokens import OneTimeToken, Purpose
from app.models.social import SocialIdentity
from app.services.accounts.sign_in_changes import Change, WayIn, emit_reverted
from app.services.accounts.ways_in import remove_identity
from app.services.audit import record
from app.services.outgoing.one_time_tokens import check_open, find_one_time_token, invalid_token, use_up
from app.services.sessions.devices import end_devices
from app.services.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Reverted:
    """Which way in of whose the link was about; `is_back` tells that it works again, else it is gone."""

    customer_id: str
    method: SignInMethod
    is_back: bool


async def revert_sign_in_method(uow: UnitOfWork, text: str) -> Reverted:
    """Remove the way in that was added, with the sessions that it has opened, or bring back the one that was removed.

    What was removed comes back only while the link's address is the one that signs in: whoever had the account with
    another address gets nothing back. A link that did this already answers so as long as it is true.
    TOKEN_INVALID, TOKEN_EXPIRED; SOCIAL_ACCOUNT_TAKEN where another customer has the social account by now.
    """
    found = await find_one_time_token(uow, text, Purpose.REVERT_SIGN_IN_METHOD)
    customer = await uow.customers.lock(found.customer_id)
    token = await uow.one_time_tokens.find(found.token_hash, Purpose.REVERT_SIGN_IN_METHOD)
    if customer is None or token is None:
        raise invalid_token(uow, found)
    change = Change.read(token)
    way, reverted = change.way, Reverted(token.customer_id, change.way.method, is_back=not change.is_added)
    is_true = await _is_there(uow, token.customer_id, way) is not change.is_added
    if token.used_at is not None and is_true:
        return reverted
    check_open(uow, token)
    await use_up(uow, token)
    if change.is_added:
        await _end_what_it_opened(uow, token, way)
    elif not await _is_own_address(uow, token):
        raise invalid_token(uow, token)
    if not is_true:
        revert = (_REMOVE if change.is_added else _BRING_BACK)[way.method]
        if not await revert(uow, token, way):
            raise invalid_token(uow, token)
        await emit_reverted(uow, token.customer_id, change)
    action = AuditAction.SIGN_IN_METHOD_REVERTED
    await record(uow, action, token.customer_id, method=way.method.value, added=change.is_added)
    return reverted


async def _is_own_address(uow: UnitOfWork, token: OneTimeToken) -> bool:
    credential = await uow.credentials.find(token.customer_id)
    return credential is not None and credential.email_key == token.email_key


async def _is_there(uow: UnitOfWork, customer_id: str, way: WayIn) -> bool:
    """Tell whether the customer has the way in; of renewed recovery codes, whether the newer ones are there."""
    if way.method is SignInMethod.PASSKEY:
        return await uow.passkeys.find(customer_id, way.id) is not None
    if way.method is SignInMethod.TOTP:
        totp = await uow.totp.find(customer_id)
        return totp is not None and totp.id == way.id
    if way.method is SignInMethod.RECOVERY_CODE:
        return await uow.recovery_codes.has_removed(customer_id, way.id, _moment(way))
    if way.method is SignInMethod.SOCIAL:
        return any(identity.id == way.id for identity in await uow.social_identities.list(customer_id))
    credential = await uow.credentials.find(customer_id)
    if way.method is SignInMethod.PHONE_CODE:
        phone = uow.tools.sealer.open(way.kept["phone"])
        return credential is not None and credential.verified_phone == phone
    return credential is not None and credential.password_hash is not None


async def _end_what_it_opened(uow: UnitOfWork, token: OneTimeToken, way: WayIn) -> None:
    """End the sessions that began with the way in, or were proved by it since, and logins that have begun with it.

    And what stands for a second factor.
    """
    customer_id = token.customer_id
    if way.method is SignInMethod.PASSKEY:
        await uow.sessions.revoke_opened_by(customer_id, way.id, uow.now)
        # A session does not say which passkey has proved it later.
        await _end_sessions_proved_by(uow, customer_id, way.method, token.created_at)
    elif way.method is SignInMethod.SOCIAL:
        await uow.sessions.revoke_born_from(customer_id, way.id, uow.now)
    else:
        await _end_sessions_proved_by(uow, customer_id, way.method, token.created_at)
    await uow.sign_in_tickets.delete_all(customer_id)
    await end_devices(uow, customer_id)


async def _end_sessions_proved_by(uow: UnitOfWork, customer_id: str, method: SignInMethod, since: datetime) -> None:
    methods = {method, SignInMethod.RECOVERY_CODE} if method is SignInMethod.TOTP else {method}
    for session in await uow.sessions.list_live(customer_id, uow.now):
        is_later = session.authenticated_at is not None and session.authenticated_at >= since
        if is_later and methods & set(Factors.read(session.factors).methods):
            await uow.sessions.revoke(session.id, customer_id, uow.now)


async def _remove_passkey(uow: UnitOfWork, token: OneTimeToken, way: WayIn) -> bool:
    return await uow.passkeys.remove(token.customer_id, way.id, uow.now)


async def _bring_passkey_back(uow: UnitOfWork, token: OneTimeToken, way: WayIn) -> bool:
    return await uow.passkeys.bring_back(token.customer_id, way.id)


async def _remove_totp(uow: UnitOfWork, token: OneTimeToken, way: WayIn) -> bool:
    await uow.recovery_codes.remove_of(token.customer_id, way.id, uow.now)
    return await uow.totp.remove(token.customer_id, way.id, uow.now)


async def _bring_totp_back(uow: UnitOfWork, token: OneTimeToken, way: WayIn) -> bool:
    """Bring TOTP back with its codes, in the place of one that was enrolled since: that is not the owner's."""
    newer = await uow.totp.find(token.customer_id)
    if newer is not None:
        await _end_sessions_proved_by(uow, token.customer_id, SignInMethod.TOTP, newer.created_at)
        await _remove_totp(uow, token, WayIn(SignInMethod.TOTP, newer.id))
    await uow.recovery_codes.bring_back_of(token.customer_id, way.id, _moment(way))
    return await uow.totp.bring_back(token.customer_id, way.id)


async def _bring_codes_back(uow: UnitOfWork, token: OneTimeToken, way: WayIn) -> bool:
    """Take the renewed recovery codes away, and bring those of before back, as far as they were not used."""
    totp = await uow.totp.find(token.customer_id)
    if totp is None or totp.id != way.id:
        return False
    # By the moment the ones are told from the others.
    later = max(uow.now, _moment(way) + timedelta(microseconds=1))
    await uow.recovery_codes.remove_of(token.customer_id, way.id, later)
    return await uow.recovery_codes.bring_back_of(token.customer_id, way.id, _moment(way)) > 0


def _moment(way: WayIn) -> datetime:
    """Return when the way in, or its recovery codes of before, were removed."""
    return datetime.fromisoformat(way.kept["removed_at"])


async def _unlink(uow: UnitOfWork, token: OneTimeToken, way: WayIn) -> bool:
    for identity in await uow.social_identities.list(token.customer_id):
        if identity.id == way.id:
            await remove_identity(uow, identity)
    return True


async def _link_again(uow: UnitOfWork, token: OneTimeToken, way: WayIn) -> bool:
    kept = way.kept
    identity = SocialIdentity(
        tenant_id=uow.tenant.id,
        id=way.id,
        customer_id=token.customer_id,
        provider=way.provider,
        issuer=kept["issuer"],
        subject=kept["subject"],
        email=kept["email"],
        email_verified=kept["email_verified"],
        created_at=datetime.fromisoformat(kept["created_at"]),
    )
    if await uow.social_identities.add_unless_taken(identity):
        return True
    known = await uow.social_identities.find(way.provider, identity.issuer, identity.subject)
    if known is None or known.customer_id != token.customer_id:
        message = "Another customer signs in with this social account by now."
        raise refuse(UserErrorCode.SOCIAL_ACCOUNT_TAKEN, message, "token")
    return True


async def _remove_phone(uow: UnitOfWork, token: OneTimeToken, _: WayIn) -> bool:
    return await uow.credentials.note_phone(token.customer_id, None, uow.now)


async def _remove_password(uow: UnitOfWork, token: OneTimeToken, _: WayIn) -> bool:
    credential = await uow.credentials.find(token.customer_id)
    if credential is None:
        return False
    columns = {"password_hash": None, "initial_password": False}
    return await uow.credentials.change(token.customer_id, credential.version, uow.now, **columns)


_Revert = Callable[[UnitOfWork, OneTimeToken, WayIn], Awaitable[bool]]
_REMOVE: Mapping[SignInMethod, _Revert] = {
    SignInMethod.PASSKEY: _remove_passkey,
    SignInMethod.TOTP: _remove_totp,
    SignInMethod.RECOVERY_CODE: _bring_codes_back,
    SignInMethod.SOCIAL: _unlink,
    SignInMethod.PHONE_CODE: _remove_phone,
    SignInMethod.PASSWORD: _remove_password,
}
_BRING_BACK: Mapping[SignInMethod, _Revert] = {
    SignInMethod.PASSKEY: _bring_passkey_back,
    SignInMethod.TOTP: _bring_totp_back,
    SignInMethod.SOCIAL: _link_again,
}
