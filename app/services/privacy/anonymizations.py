"""Requests to anonymize a customer, and their cancellation. After the request nobody can log in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from app.domain.anonymizations import AnonymizationStatus, is_closed
from app.domain.audit import AuditAction
from app.domain.errors import DomainError, UnauthenticatedReason, UserErrorCode, forbidden, refuse, unauthenticated
from app.domain.principal import Principal, TokenKind
from app.domain.tenants import AnonymizationRequester
from app.domain.topics import Topic
from app.models.anonymizations import Anonymization
from app.models.credentials import Credential
from app.models.customers import Customer
from app.models.one_time_tokens import ENDED_BY_NEW_CREDENTIALS, Purpose
from app.services.accounts.closed_accounts import CUSTOMER_TYPE, open_again
from app.services.accounts.merged_accounts import already_merged
from app.services.accounts.reauthentication import reauthenticate
from app.services.accounts.ways_in import end_social_logins
from app.services.audit import record
from app.services.outgoing.events import emit
from app.services.outgoing.mails import send_mail
from app.services.outgoing.one_time_tokens import check_open, find_one_time_token, issue_one_time_token, use_up
from app.services.staff.customers import not_found
from app.services.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class _Requester:
    """Who asks; `checked` is the credential of a customer who has just proved who they are."""

    id: str
    type: str
    checked: Credential | None = None


async def request_anonymization(uow: UnitOfWork, customer_id: str | None, password: str | None) -> Anonymization:
    """Close a customer's account at once, and have all personal data of it erased after the shop's delay.

    Asked for by an integration in the name of a user of the shop, for `customer_id`, or by the customer, who has just
    proved who they are, as the shop allows it; else FORBIDDEN, REAUTHENTICATION_REQUIRED.
    REQUIRED, NOT_FOUND, ANONYMIZATION_OPEN, ACCOUNT_MERGED at `customerId`, INVALID_CREDENTIALS at `password`.
    """
    principal = uow.caller.require_principal()
    if principal.kind is TokenKind.INTEGRATION:
        requester = _staff_requester(uow, principal)
        if not customer_id:
            raise _whose()
    else:
        requester, customer_id = await _customer_requester(uow, customer_id, password)
    customer = await uow.customers.lock_even_if_closed(customer_id)
    if customer is None:
        raise not_found("customerId")
    if is_closed(customer.anonymization_status):
        raise _is_open()
    if customer.merged_into is not None:
        # What is left of it goes with the customer who has all the rest.
        raise await already_merged(uow, customer.merged_into, "customerId")
    credential = await uow.credentials.find(customer_id)
    await _check_proof_holds(uow, requester, credential)
    anonymization = await _write(uow, customer_id, requester)
    await _close(uow, customer_id, requester)
    await _mail(uow, customer, credential, anonymization, requester)
    await record(uow, AuditAction.ANONYMIZATION_REQUESTED, customer_id)
    await emit(uow, Topic.CUSTOMER_ANONYMIZATION_REQUESTED, customer_id, dueAt=anonymization.due_at.isoformat())
    return anonymization


def _staff_requester(uow: UnitOfWork, principal: Principal) -> _Requester:
    """Return the user of the shop in whose name the integration asks; FORBIDDEN where the shop wants no such."""
    if AnonymizationRequester.INTEGRATION not in uow.tenant.anonymization_by:
        raise forbidden("In this shop only the customers themselves can ask for anonymization.")
    if principal.owner is None:
        raise RuntimeError("That the token has an owner who may ask is what lets it call the operation.")
    return _Requester(principal.owner.id, principal.owner.type)


async def _customer_requester(uow: UnitOfWork, customer_id: str | None, password: str | None) -> tuple[_Requester, str]:
    own = uow.caller.require_customer().id
    if AnonymizationRequester.CUSTOMER not in uow.tenant.anonymization_by:
        raise forbidden("In this shop customers cannot ask for anonymization themselves: please contact the shop.")
    if customer_id not in (None, own):
        raise not_found("customerId")
    return _Requester(own, CUSTOMER_TYPE, await reauthenticate(uow, password, "password")), own


def _whose() -> DomainError:
    return refuse(UserErrorCode.REQUIRED, "Please give the id of the customer.", "customerId")


def _is_open() -> DomainError:
    return refuse(
        UserErrorCode.ANONYMIZATION_OPEN, "The anonymization of this customer was already requested.", "customerId"
    )


async def _check_proof_holds(uow: UnitOfWork, requester: _Requester, credential: Credential | None) -> None:
    """Raise UNAUTHENTICATED when the customer, locked by now, has lost since the call began what proved them."""
    if requester.checked is None:
        return
    session = await uow.sessions.lock(uow.caller.require_principal().session_id or "")
    is_current = credential is not None and credential.version == requester.checked.version
    if session is None or session.revoked_at is not None or not is_current:
        raise unauthenticated(UnauthenticatedReason.REVOKED)


async def _write(uow: UnitOfWork, customer_id: str, requester: _Requester) -> Anonymization:
    due_at = uow.now + timedelta(hours=uow.tenant.anonymization_delay_hours)
    anonymization = Anonymization(
        tenant_id=uow.tenant.id,
        id=uow.tools.random.new_id(),
        customer_id=customer_id,
        status=AnonymizationStatus.REQUESTED.value,
        requester_type=requester.type,
        requester_id=requester.id,
        requested_at=uow.now,
        due_at=due_at,
        next_attempt_at=due_at,
    )
    if not await uow.anonymizations.add_unless_open(anonymization):
        raise _is_open()
    await uow.customers.set_anonymization_status(customer_id, AnonymizationStatus.REQUESTED)
    return anonymization


async def _close(uow: UnitOfWork, customer_id: str, requester: _Requester) -> None:
    """End everything by which the customer, or staff for them, come in.

    But for the way back after a change of address, where it was the customer's side that asked: whoever has taken the
    account over must not be able to destroy it.
    """
    ended = ENDED_BY_NEW_CREDENTIALS if requester.checked is not None else tuple(Purpose)
    await uow.sessions.revoke_all(customer_id, uow.now)
    await uow.one_time_tokens.revoke(customer_id, uow.now, *ended)
    await end_social_logins(uow, customer_id)


async def _mail(
    uow: UnitOfWork,
    customer: Customer,
    credential: Credential | None,
    anonymization: Anonymization,
    requester: _Requester,
) -> None:
    """Tell the customer; who asked for it themself gets the way back with it, as long as there is one."""
    if credential is None or credential.email is None:
        return
    asked_themself = requester.checked is not None
    delay = anonymization.due_at - anonymization.requested_at
    token = None
    if asked_themself and delay:
        token = await issue_one_time_token(
            uow, Purpose.CANCEL_ANONYMIZATION, customer.id, credential.email, credential.version, delay
        )
    if asked_themself or uow.tenant.security_mails:
        language = customer.preferred_language
        await send_mail(uow, "anonymization_requested", customer.id, credential.email, language=language, token=token)


async def cancel_anonymization(uow: UnitOfWork, customer_id: str | None, token: str | None) -> Anonymization:
    """Open the account again, as long as the erasure has not begun; the customer logs in anew.

    By an integration as it is asked for, for `customer_id`, else FORBIDDEN; or by the token that was mailed to the
    customer who asked for it. REQUIRED, NOT_FOUND at `customerId`; REQUIRED, TOKEN_INVALID, TOKEN_EXPIRED at `token`;
    ANONYMIZATION_NOT_CANCELABLE when it has begun, is canceled, or was never asked for.
    """
    principal = uow.caller.require_principal()
    if principal.kind is TokenKind.INTEGRATION:
        _staff_requester(uow, principal)
        if not customer_id:
            raise _whose()
        return await _cancel(uow, customer_id, "customerId")
    if not token:
        raise refuse(UserErrorCode.REQUIRED, "Please give the token from the mailed link.", "token")
    mailed = await find_one_time_token(uow, token, Purpose.CANCEL_ANONYMIZATION)
    check_open(uow, mailed)
    await uow.customers.lock_even_if_closed(mailed.customer_id)
    await use_up(uow, mailed)
    return await _cancel(uow, mailed.customer_id, "token")


async def _cancel(uow: UnitOfWork, customer_id: str, field: str) -> Anonymization:
    if await uow.customers.lock_even_if_closed(customer_id) is None:
        raise not_found(field)
    latest = await uow.anonymizations.find_latest(customer_id)
    if latest is None or not await uow.anonymizations.cancel(latest.id, uow.now):
        raise refuse(
            UserErrorCode.ANONYMIZATION_NOT_CANCELABLE,
            "There is nothing to cancel: the anonymization has begun, or was not requested.",
            field,
        )
    await open_again(uow, latest)
    return await uow.anonymizations.find_latest(customer_id) or latest


async def anonymization_info(uow: UnitOfWork, customer_id: str) -> Anonymization | None:
    """Return the latest request to anonymize a customer, in any state."""
    return await uow.anonymizations.find_latest(customer_id)
