"""Two accounts of one customer become one: the caller's stays with all of both, and the other one is closed.

Whoever does it is in both, by a login of the last minutes. Nobody can undo it, so the other account has no way back
that is still open (`other_account`); what comes along as a way in can be taken out again by the mailed link.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Self

from app.domain.audit import AuditAction
from app.domain.errors import DomainError, UnauthenticatedReason, UserErrorCode, unauthenticated
from app.domain.problems import Problems
from app.domain.sign_in import SignInMethod
from app.domain.topics import Topic
from app.models.credentials import Credential
from app.models.customers import CustomerProfile, CustomerStatus
from app.models.sessions import PresentedToken
from app.services.accounts.customers import get_profile
from app.services.accounts.merged_accounts import already_merged
from app.services.accounts.reauthentication import require_recent
from app.services.accounts.sign_in_changes import WayIn, tell_added
from app.services.accounts.ways_in import end_every_way_in
from app.services.audit import record, record_failure
from app.services.outgoing.events import emit
from app.services.outgoing.mails import send_mail
from app.services.social.belongings import (
    Belongings,
    check_room,
    list_belongings,
    move_belongings,
    new_groups,
    new_legal_entities,
)
from app.services.social.other_account import FIELD, check_other, find_other
from app.services.unit_of_work import UnitOfWork

_ORDERED = {CustomerStatus.ACQUIRED: Topic.CUSTOMER_ACQUIRED, CustomerStatus.REPEAT: Topic.CUSTOMER_REPEAT}
_RANKS = tuple(CustomerStatus)


@dataclass(frozen=True, slots=True)
class Merged:
    """How many of each come to the account that stays."""

    identities: int
    addresses: int
    product_lists: int
    payment_instruments: int
    orders: int
    groups: int
    legal_entities: int

    @property
    def audited(self) -> dict[str, str]:
        """What the audit says, which a repeated call is answered from."""
        return {name: str(count) for name, count in asdict(self).items()}

    @classmethod
    def read(cls, detail: Mapping[str, object]) -> Self:
        """Return what the audit has said."""
        return cls(**{name: int(str(detail[name])) for name in cls.__dataclass_fields__})


async def merge_accounts(uow: UnitOfWork, other_token: str, *, preview: bool) -> Merged:
    """Join the account of the other access token with the caller's, which stays; with `preview` only say what would be.

    A call that has done so already says again what it was. REAUTHENTICATION_REQUIRED for the caller; the errors of
    `find_other` and `check_other`; ACCOUNT_MERGED for one that was joined with another account; EMAIL_NOT_CONFIRMED
    where the other address is confirmed and the own one is not: whoever proves that would get what was the owner's of
    the other; LIMIT_REACHED.
    """
    own_id = (await require_recent(uow)).id
    try:
        other = await find_other(uow, other_token)
        if not preview:
            await _lock(uow, own_id, other.id)
            other = await find_other(uow, other_token)
        if other.merged_into is not None:
            return await _answer_again(uow, own_id, other)
        await check_other(uow, other)
        own, theirs = await list_belongings(uow, own_id), await list_belongings(uow, other.id)
        await _check_own(uow, own, theirs, other)
    except DomainError as error:
        record_failure(uow, AuditAction.CUSTOMER_MERGED, own_id, reason=error.errors[0].code)
        raise
    merged = _count(own, theirs, other)
    if not preview:
        await _merge(uow, own, theirs, merged)
    return merged


async def _lock(uow: UnitOfWork, own_id: str, other_id: str) -> None:
    """Lock both accounts, in the order that everybody keeps to; the caller's own must still be open."""
    for each in sorted((own_id, other_id)):
        await uow.customers.lock_even_if_closed(each)
    own = await uow.customers.lock(own_id)
    session_id = uow.caller.require_principal().session_id or ""
    if own is None or not own.active or own.on_hold or not await uow.sessions.goes_on(session_id):
        raise unauthenticated(UnauthenticatedReason.REVOKED)


async def _answer_again(uow: UnitOfWork, own_id: str, other: PresentedToken) -> Merged:
    """Return what the same call has done before; ACCOUNT_MERGED where another account got it."""
    # Who is closed does nothing after it, so that nothing else is the last.
    line = await uow.audit.find_latest(other.id, AuditAction.CUSTOMER_MERGED)
    if other.merged_into != own_id or line is None:
        raise await already_merged(uow, other.merged_into or "", FIELD)
    return Merged.read(line.detail)


async def _check_own(uow: UnitOfWork, own: Belongings, theirs: Belongings, other: CustomerProfile) -> None:
    problems = Problems()
    credential = await uow.credentials.find(own.customer_id)
    is_unproven = credential is not None and credential.email is not None and credential.email_verified_at is None
    if is_unproven and other.email_verified_at is not None:
        message = "Confirm the e-mail address of this account first: log in with a mailed code, or reset the password."
        problems.add(UserErrorCode.EMAIL_NOT_CONFIRMED, message)
    check_room(uow, problems, own, theirs)
    problems.raise_if_any()


def _count(own: Belongings, theirs: Belongings, other: CustomerProfile) -> Merged:
    return Merged(
        identities=len(theirs.identities),
        addresses=len(theirs.addresses),
        product_lists=len(theirs.product_lists),
        payment_instruments=len(theirs.payment_instruments),
        orders=other.order_count,
        groups=len(new_groups(own, theirs)),
        legal_entities=len(new_legal_entities(own, theirs)),
    )


async def _merge(uow: UnitOfWork, own: Belongings, theirs: Belongings, merged: Merged) -> None:
    own_id, other_id = own.customer_id, theirs.customer_id
    before, other = await get_profile(uow, own_id), await get_profile(uow, other_id)
    await record(uow, AuditAction.CUSTOMER_MERGED, own_id, merged=other_id, **merged.audited)
    await record(uow, AuditAction.CUSTOMER_MERGED, other_id, into=own_id, **merged.audited)
    await move_belongings(uow, own, theirs)
    await _close(uow, other, own_id)
    await _take_over(uow, before, other)
    after = await get_profile(uow, own_id)
    for customer_id, email in ((own_id, after.email), (other_id, None)):
        await uow.customers.note_login_address(customer_id, email)
        await uow.customers.note_addresses(customer_id, await uow.addresses.list(customer_id))
    await emit(uow, Topic.CUSTOMER_MERGED, own_id, mergedCustomerId=other_id)
    await _count_orders(uow, before, other)
    for identity in theirs.identities:
        provider = uow.tenant.find_social_provider(identity.provider)
        way = WayIn(SignInMethod.SOCIAL, identity.id, identity.provider)
        await tell_added(uow, own_id, way, provider=provider.name if provider is not None else identity.provider)
    await _mail(uow, after, other)


async def _close(uow: UnitOfWork, other: CustomerProfile, own_id: str) -> None:
    """End every way into the other account and every link to it; its address is free, and remembered as its former one.

    What is left of it tells staff who it was, and goes with the erasure of the customer who stays.
    """
    await end_every_way_in(uow, other.id)
    await uow.one_time_tokens.revoke(other.id, uow.now)
    credential = await uow.credentials.find(other.id)
    if credential is not None:
        await uow.credentials.change(
            other.id,
            credential.version,
            uow.now,
            email=None,
            email_key=None,
            email_verified_at=None,
            email_bounced_at=None,
            must_confirm=False,
            password_hash=None,
            initial_password=False,
            former_email_key=credential.email_key,
        )
    # The version before this one knows an inactive customer, and lets nobody in.
    await uow.customers.change(other.id, uow.now, active=False, merged_into=own_id)


async def _take_over(uow: UnitOfWork, own: CustomerProfile, other: CustomerProfile) -> None:
    """Give the account that stays what it has not got itself: an address, the shop's wish for a second factor.

    The mark of data that nobody proved to be the owner's came along; so does the time in which they may be discarded.
    """
    credential = await uow.credentials.find(own.id)
    if credential is not None and credential.email is None and other.email is not None:
        await _take_address(uow, credential, other)
    columns: dict[str, object] = {}
    if other.second_factor_required and not own.second_factor_required:
        columns["second_factor_required"] = True
        await record(uow, AuditAction.SECOND_FACTOR_MARK, own.id, required=True)
    until = max((each for each in (own.unproven_until, other.unproven_until) if each is not None), default=None)
    if until != own.unproven_until:
        columns["unproven_until"] = until
    await uow.customers.change(own.id, uow.now, **columns)


async def _take_address(uow: UnitOfWork, own: Credential, other: CustomerProfile) -> None:
    """Let the customer sign in with the address of the other account, the only one of both, proved or not as it is."""
    former = await uow.credentials.find(other.id)
    if former is None or former.former_email_key is None:
        raise RuntimeError("An account that had an address has a former one.")
    await uow.credentials.change(other.id, former.version, uow.now, former_email_key=None)
    await uow.credentials.change(
        own.customer_id,
        own.version,
        uow.now,
        email=other.email,
        email_key=former.former_email_key,
        email_verified_at=other.email_verified_at,
        email_bounced_at=other.email_bounced_at,
        must_confirm=other.must_confirm,
    )
    await record(uow, AuditAction.EMAIL_CHANGED, own.customer_id, reason="merged")
    await emit(uow, Topic.CUSTOMER_EMAIL_CHANGED, own.customer_id)


async def _count_orders(uow: UnitOfWork, own: CustomerProfile, other: CustomerProfile) -> None:
    """Count the orders of both; nobody is less than what the import has said."""
    together = own.order_count + other.order_count
    counted = _RANKS[min(together, len(_RANKS) - 1)]
    status = max(counted, CustomerStatus(own.status), CustomerStatus(other.status), key=_RANKS.index)
    await uow.customers.set_orders(own.id, together, status)
    await uow.customers.set_orders(other.id, 0, CustomerStatus.PROSPECT)
    if status != own.status:
        await emit(uow, _ORDERED[status], own.id)


async def _mail(uow: UnitOfWork, own: CustomerProfile, other: CustomerProfile) -> None:
    """Tell both addresses, whatever mails the shop has switched off: it is for good."""
    if own.email is not None:
        await send_mail(uow, "accounts_merged", own.id, own.email, language=own.preferred_language)
    if other.email is not None and other.email != own.email:
        language = other.preferred_language or own.preferred_language
        await send_mail(uow, "account_merged_away", other.id, other.email, language=language)
