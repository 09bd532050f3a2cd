"""A new password for a customer who knows the old one."""

from __future__ import annotations

from dataclasses import replace
from unicodedata import normalize

from app.domain.audit import AuditAction
from app.domain.errors import UserErrorCode, refuse
from app.domain.problems import Problems
from app.domain.sign_in import SignInMethod
from app.domain.topics import Topic
from app.models.one_time_tokens import ENDED_BY_NEW_CREDENTIALS
from app.services.accounts.customers import get_profile
from app.services.accounts.own_account import lock_own_account
from app.services.accounts.passwords import check_password, personal_words
from app.services.accounts.reauthentication import reauthenticate
from app.services.accounts.sign_in_changes import WayIn, tell_added
from app.services.audit import record
from app.services.outgoing.events import emit
from app.services.outgoing.mails import send_security_mail
from app.services.sessions.devices import add_device, end_devices
from app.services.sessions.methods_on import require_password_login
from app.services.sessions.repeated_calls import RepeatableCall
from app.services.sessions.sessions import LoggedIn
from app.services.sessions.token_sets import rotate_tokens
from app.services.unit_of_work import UnitOfWork


async def change_password(uow: UnitOfWork, current_password: str | None, new_password: str) -> LoggedIn:
    """Set a new password: all other sessions end, and the caller's own goes on with new tokens.

    A customer without a password needs a fresh login, else REAUTHENTICATION_REQUIRED. All others need the current
    password, else REQUIRED or INVALID_CREDENTIALS. INVALID if the new password is the current one.
    """
    call = RepeatableCall(uow, "changePassword", current_password, new_password)
    return await call.answer(
        lambda: _change_password(uow, call, current_password, new_password),
        lambda kept: LoggedIn(kept.tokens, kept.owner),
    )


async def _change_password(
    uow: UnitOfWork, call: RepeatableCall, current_password: str | None, new_password: str
) -> LoggedIn:
    profile = uow.caller.require_customer()
    require_password_login(uow, "newPassword")
    problems = Problems()
    if profile.has_password and current_password is None:
        problems.add(UserErrorCode.REQUIRED, "Please enter your current password.", "currentPassword")
    check_password(problems, uow.tenant, new_password, personal_words(profile), "newPassword")
    problems.raise_if_any()
    credential = await reauthenticate(uow, current_password, "currentPassword")
    if current_password is not None and normalize("NFC", new_password) == normalize("NFC", current_password):
        raise refuse(UserErrorCode.INVALID, "Please choose another password than the current one.", "newPassword")
    password_hash = await uow.hash_password(new_password)
    await lock_own_account(uow)
    if not await uow.credentials.set_password(profile.id, credential.version, uow.now, password_hash):
        raise refuse(
            UserErrorCode.VERSION_CONFLICT, "The password was changed in the meantime: log in again.", "currentPassword"
        )
    session_id = uow.caller.require_principal().session_id or ""
    await uow.sessions.revoke_all(profile.id, uow.now, keep=session_id)
    await uow.one_time_tokens.revoke(profile.id, uow.now, *ENDED_BY_NEW_CREDENTIALS)
    await end_devices(uow, profile.id)
    device_token = await add_device(uow, profile.id)
    tokens = await rotate_tokens(uow, session_id, await get_profile(uow, profile.id))
    if profile.has_password:
        await send_security_mail(uow, "password_changed", profile)
    else:
        await tell_added(uow, profile.id, WayIn(SignInMethod.PASSWORD))
    await emit(uow, Topic.CUSTOMER_PASSWORD_CHANGED, profile.id)
    await record(uow, AuditAction.PASSWORD_CHANGED, profile.id)
    tokens = replace(tokens, device_token=device_token)
    await call.keep(tokens)
    return LoggedIn(tokens, profile)
