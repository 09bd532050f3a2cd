"""Runs due anonymizations: claims them with a lease, erases as the registry says, and tells when they are done.

Each step is a transaction of its own and can be repeated: if a worker is killed, the next one goes on when the lease
has ended. A failed step is tried again until it succeeds.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

from app.domain.anonymizations import AnonymizationStatus
from app.domain.audit import AuditAction
from app.domain.emails import parse_email
from app.domain.errors import BusyError, Refused
from app.domain.tools import Tools
from app.domain.topics import Topic
from app.models.anonymizations import Anonymization
from app.models.customers import CustomerProfile
from app.models.outbox import OutboxMessage
from app.services.accounts.closed_accounts import CUSTOMER_TYPE
from app.services.accounts.merged_accounts import list_merged
from app.services.audit import record
from app.services.outgoing.events import emit
from app.services.outgoing.mails import prepare_farewell, send_farewell
from app.services.outgoing.social_tokens import revoke_social_tokens
from app.services.unit_of_work import UnitOfWork
from app.services.worker.delivery import delay_after
from app.services.worker_unit import open_for_worker

# How many one worker claims at once: the files of the database are cleaned up once for all of them.
BATCH = 20
# Seconds that one step may take, and that the files may take; the lease is longer than all of a batch should need.
STEP_SECONDS, FILES_SECONDS = 120, 480
LEASE = timedelta(minutes=10)

logger = logging.getLogger(__name__)


async def anonymize_due(tools: Tools) -> int:
    """Anonymize a batch of the customers whose time has come, and return how many were tried."""
    async with open_for_worker(tools) as uow:
        # Only of shops that there still are, and not a list of all of them, which may be thousands.
        waiting = await uow.anonymization_queue.list_tenants_due(uow.now)
        tenants = [tenant_id for tenant_id in waiting if tools.tenants.find_tenant(tenant_id) is not None]
        due = await uow.anonymization_queue.list_due(uow.now, tenants, BATCH) if tenants else []
    claimed = [each for each in [await _claim(tools, each) for each in due] if each is not None]
    erased = [each for each in claimed if await _succeeds(tools, [each], partial(_erase, tools, each))]
    if erased and await _succeeds(tools, erased, tools.database.forget, FILES_SECONDS):
        for each in erased:
            await _finish(tools, each)
    return len(claimed)


def _open(tools: Tools, tenant_id: str) -> UnitOfWork:
    return open_for_worker(tools, tools.tenants.tenant(tenant_id))


async def _claim(tools: Tools, due: Anonymization) -> Anonymization | None:
    """Claim one for this worker; None if it was canceled, or another worker was faster."""
    async with _open(tools, due.tenant_id) as uow:
        await uow.customers.lock_even_if_closed(due.customer_id)
        if not await uow.anonymizations.claim(due, uow.now, uow.now + LEASE):
            return None
        await uow.customers.set_anonymization_status(due.customer_id, AnonymizationStatus.IN_PROGRESS)
        if due.started_at is None:
            await record(uow, AuditAction.ANONYMIZATION_STARTED, due.customer_id)
            await emit(uow, Topic.CUSTOMER_ANONYMIZATION_STARTED, due.customer_id)
        return await uow.anonymizations.find_latest(due.customer_id)


async def _succeeds(
    tools: Tools, claimed: list[Anonymization], step: Callable[[], Awaitable[None]], seconds: float = STEP_SECONDS
) -> bool:
    """Do one step for these; when it fails, write down that it is to be tried again."""
    try:
        async with asyncio.timeout(seconds):
            await step()
    except BusyError as error:
        # No failure, and nobody has to know: the database has another primary soon. Until then the claim holds.
        logger.warning("The erasure waits: %s", error.message)
        for each in claimed:
            await _put_off(tools, each)
        return False
    except Exception as error:
        for each in claimed:
            await _fail(tools, each, error)
        return False
    return True


async def _erase(tools: Tools, claimed: Anonymization) -> None:
    erased: list[str] = []
    async with _open(tools, claimed.tenant_id) as uow:
        accounts = await _lock_accounts(uow, claimed.customer_id)
        if not await uow.anonymizations.settle(claimed, next_attempt_at=uow.now + LEASE):
            return
        customer = await uow.customers.find(claimed.customer_id)
        for each in accounts:
            await _erase_tasks(uow, each)
            erased += [each, *await erase_customer(uow, each)]
        await _prepare_farewell(uow, claimed, customer)
    for each in erased:
        await tools.mailer.forget(each)


async def _lock_accounts(uow: UnitOfWork, customer_id: str) -> list[str]:
    """Lock a customer's account with those that were joined with it; return their ids, in the order of locking.

    There will be no more of them: nothing is joined with an account that is closed.
    """
    accounts = sorted([customer_id, *(each.id for each in await list_merged(uow, customer_id))])
    for each in accounts:
        await uow.customers.lock_even_if_closed(each)
    return accounts


async def erase_customer(uow: UnitOfWork, customer_id: str) -> list[str]:
    """Erase all personal data of a customer whose row is locked; return the ids of sign-ups under which mails went.

    Of the sign-ups with the customer's address only the one that was confirmed was the customer's own.
    """
    credential = await uow.credentials.find(customer_id)
    signups = [signup for signup in await uow.pending_signups.list(customer_id) if signup.id != customer_id]
    await revoke_social_tokens(uow, customer_id)
    await uow.personal_data.erase(customer_id)
    for signup in signups:
        if signup.confirmed_at is not None:
            await uow.personal_data.erase(signup.id)
        else:
            await uow.personal_data.erase_mailed(signup.id)
    if credential is not None and credential.email_verified_at is not None and credential.email_key is not None:
        await uow.pending_signups.delete_all(credential.email_key)
    return [signup.id for signup in signups]


async def _prepare_farewell(uow: UnitOfWork, claimed: Anonymization, customer: CustomerProfile | None) -> None:
    """Keep only the encrypted address of the erased customer, in the mail about it; a second time there is none."""
    wanted = claimed.requester_type == CUSTOMER_TYPE or uow.tenant.security_mails
    if wanted and customer is not None and customer.email is not None:
        await prepare_farewell(
            uow,
            claimed.id,
            customer.email,
            language=customer.preferred_language,
            site=customer.preferred_site,
        )


async def _erase_tasks(uow: UnitOfWork, customer_id: str) -> None:
    """Delete open tasks about the customer's addresses, which do not say yet whose addresses they are."""
    addresses = await _address_keys(uow, customer_id)
    sessions = await uow.personal_data.list_session_ids(customer_id)
    tasks = await uow.personal_data.list_nobodys_tasks()
    theirs = [task.id for task in tasks if task.payload["session"] in sessions or _address_key(uow, task) in addresses]
    await uow.personal_data.delete_tasks(theirs)


async def _address_keys(uow: UnitOfWork, customer_id: str) -> set[str]:
    customer, credential = await uow.customers.find(customer_id), await uow.credentials.find(customer_id)
    known = await uow.one_time_tokens.list_emails(customer_id)
    known += [email for row in (customer, credential) if row is not None and (email := row.email) is not None]
    if customer is not None and customer.contact_email is not None:
        known.append(customer.contact_email)
    return {parse_email(email).key for email in known}


def _address_key(uow: UnitOfWork, task: OutboxMessage) -> str | None:
    try:
        return parse_email(uow.tools.sealer.open(task.payload["address"])).key
    except (Refused, ValueError):
        return None


async def _finish(tools: Tools, claimed: Anonymization) -> None:
    async with _open(tools, claimed.tenant_id) as uow:
        accounts = await _lock_accounts(uow, claimed.customer_id)
        done = AnonymizationStatus.DONE
        if not await uow.anonymizations.settle(claimed, status=done.value, completed_at=uow.now, last_error=None):
            return
        await send_farewell(uow, claimed.id)
        for each in accounts:
            await uow.customers.set_anonymization_status(each, done)
            await record(uow, AuditAction.ANONYMIZATION_COMPLETED, each)
            await emit(uow, Topic.CUSTOMER_ANONYMIZATION_COMPLETED, each)


async def _put_off(tools: Tools, claimed: Anonymization) -> None:
    async with _open(tools, claimed.tenant_id) as uow:
        await uow.customers.lock_even_if_closed(claimed.customer_id)
        await uow.anonymizations.settle(claimed, next_attempt_at=uow.now + delay_after(claimed.attempts))


async def _fail(tools: Tools, claimed: Anonymization, error: Exception) -> None:
    facts = {"anonymization_id": claimed.id, "attempts": claimed.attempts}
    logger.error("The customer could not be anonymized; it will be tried again", exc_info=error, extra=facts)
    async with _open(tools, claimed.tenant_id) as uow:
        await uow.customers.lock_even_if_closed(claimed.customer_id)
        failed = await uow.anonymizations.settle(
            claimed,
            status=AnonymizationStatus.FAILED.value,
            failed_at=uow.now,
            last_error=type(error).__name__,
            next_attempt_at=uow.now + delay_after(claimed.attempts),
        )
        if not failed:
            return
        await uow.customers.set_anonymization_status(claimed.customer_id, AnonymizationStatus.FAILED)
        await record(uow, AuditAction.ANONYMIZATION_FAILED, claimed.customer_id, error=type(error).__name__)
        await emit(uow, Topic.CUSTOMER_ANONYMIZATION_FAILED, claimed.customer_id, attempts=claimed.attempts)
