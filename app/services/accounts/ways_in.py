"""The ways into an account and out of it, ended: for whoever held it, or for an intruder."""

from __future__ import annotations

from datetime import datetime

from app.domain.audit import AuditAction
from app.domain.emails import EmailAddress, parse_email
from app.domain.topics import Topic
from app.models.one_time_tokens import ENDED_BY_NEW_CREDENTIALS, Purpose
from app.models.social import SocialIdentity
from app.services.audit import record
from app.services.outgoing.events import emit
from app.services.outgoing.social_tokens import revoke_social_token, revoke_tokens_of_links
from app.services.sessions.devices import end_devices
from app.services.unit_of_work import UnitOfWork

# The mail that has the way back in it goes to who had the address when it was written.
_WAY_BACK_MAIL = "email_change_notice"


async def end_ways_in(
    uow: UnitOfWork, customer_id: str, since: datetime | None = None, *, keep_identity: str | None = None
) -> None:
    """End all sessions, those of staff too, and all that is pending; unlink what was linked since then, or ever.

    Not the password, which is a column of the credential. The customer is locked.
    """
    for identity in await uow.social_identities.list(customer_id):
        if identity.id != keep_identity and (since is None or identity.created_at >= since):
            await unlink(uow, identity)
    await uow.sessions.revoke_all(customer_id, uow.now)
    await end_devices(uow, customer_id)
    await end_social_logins(uow, customer_id)
    await uow.sign_in_tickets.delete_all(customer_id)
    await _end_second_factors(uow, customer_id, since)
    await uow.one_time_tokens.revoke(customer_id, uow.now, Purpose.CONFIRM_EMAIL_CHANGE)


async def _end_second_factors(uow: UnitOfWork, customer_id: str, since: datetime | None) -> None:
    """Delete passkeys, TOTP with its recovery codes, and a proved phone, added since then, or ever: for good."""
    await _end_passkeys_and_phone(uow, customer_id, since)
    totp = await uow.totp.find(customer_id)
    if totp is not None and (since is None or totp.created_at >= since):
        await uow.recovery_codes.delete_of(customer_id, totp.id)
        await uow.totp.delete(customer_id, totp.id)
        await record(uow, AuditAction.TOTP_DISABLED, customer_id)
        await emit(uow, Topic.CUSTOMER_TOTP_DISABLED, customer_id)


async def _end_passkeys_and_phone(uow: UnitOfWork, customer_id: str, since: datetime | None = None) -> None:
    for passkey in await uow.passkeys.list(customer_id):
        if since is None or passkey.created_at >= since:
            await uow.passkeys.delete(customer_id, passkey.id)
            await record(uow, AuditAction.PASSKEY_REMOVED, customer_id, passkey=passkey.id)
            await emit(uow, Topic.CUSTOMER_PASSKEY_REMOVED, customer_id, passkeyId=passkey.id)
    credential = await uow.credentials.find(customer_id)
    proved_at = credential.phone_verified_at if credential is not None else None
    if proved_at is not None and (since is None or proved_at >= since):
        await uow.credentials.note_phone(customer_id, None, uow.now)


async def end_ways_beside_password(uow: UnitOfWork, customer_id: str) -> None:
    """Unlink the social accounts, and delete the passkeys and the proof of a phone; the customer is locked.

    TOTP stays: nobody comes in by it alone, and a mailbox alone must not take the second factor away.
    """
    for identity in await uow.social_identities.list(customer_id):
        await unlink(uow, identity)
    await _end_passkeys_and_phone(uow, customer_id)


async def end_social_logins(uow: UnitOfWork, customer_id: str) -> None:
    """Delete the social logins that are open, and the links that wait for a confirmation."""
    await uow.social_states.delete_all(customer_id)
    await uow.social_answers.delete_all(customer_id)
    await revoke_tokens_of_links(uow, customer_id)
    await uow.link_tickets.delete_all(customer_id)


async def end_every_way_in(uow: UnitOfWork, customer_id: str, *, keep_identity: str | None = None) -> None:
    """Do as `end_ways_in` does, and make all mailed tokens worthless.

    But for the way back after a change of address, by which an owner may still prove to be one.
    """
    await end_ways_in(uow, customer_id, keep_identity=keep_identity)
    await uow.one_time_tokens.revoke(customer_id, uow.now, *ENDED_BY_NEW_CREDENTIALS, Purpose.REVERT_SIGN_IN_METHOD)


async def stop_mails_to_others(uow: UnitOfWork, customer_id: str, owner: EmailAddress) -> None:
    """Take back the mails about the account that wait to leave for another address than the owner's."""
    for mail in await uow.outbox.list_mails(customer_id):
        recipient = mail.payload.get("recipient")
        if mail.topic != _WAY_BACK_MAIL and recipient is not None and parse_email(recipient).key != owner.key:
            await uow.outbox.drop(mail.id)


async def unlink(uow: UnitOfWork, identity: SocialIdentity) -> None:
    """Remove a social identity of a customer, and tell the other systems."""
    customer_id, provider = identity.customer_id, identity.provider
    await remove_identity(uow, identity)
    await record(uow, AuditAction.SOCIAL_UNLINKED, customer_id, provider=provider, account_id=identity.id)
    await emit(uow, Topic.CUSTOMER_SOCIAL_UNLINKED, customer_id, provider=provider, accountId=identity.id)


async def remove_identity(uow: UnitOfWork, identity: SocialIdentity) -> None:
    """Remove a social identity of a customer, and have what its provider has given us for it revoked."""
    await uow.social_identities.delete(identity.customer_id, identity.id)
    await revoke_social_token(uow, identity.provider, identity.sealed_refresh_token)
