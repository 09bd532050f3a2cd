"""What staff and their systems do with customers: create, change, activate or hold them, and help with passwords."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.domain.audit import AuditAction
from app.domain.errors import DomainError, FieldError, UserErrorCode, refuse
from app.domain.origins import origins_after
from app.domain.patches import Patch, Rules, any_value, by_value, input_name, null_keeps
from app.domain.problems import Problems
from app.domain.references import parse_shopper_reference
from app.domain.scopes import Scope
from app.domain.topics import Topic
from app.models.customers import Customer, CustomerProfile
from app.models.one_time_tokens import Purpose
from app.services.accounts.closed_accounts import lock_for_proof
from app.services.accounts.customers import get_profile
from app.services.accounts.invitations import invite, tell_of_activation
from app.services.accounts.legal_entities import Assignment, assign_legal_entities, assignments_to
from app.services.accounts.merged_accounts import already_merged
from app.services.accounts.passwords import check_password
from app.services.accounts.profiles import PROFILE, check_profile, situation_of
from app.services.audit import record
from app.services.outgoing.events import emit
from app.services.outgoing.one_time_tokens import issue_one_time_token
from app.services.sessions.methods_on import require_password_login
from app.services.staff.new_customers import (
    CheckedCustomer,
    NewCustomer,
    check_groups,
    check_new_customer,
    join_groups,
    write_new_customer,
)
from app.services.unit_of_work import UnitOfWork

# All but the groups and the company is a column.
STAFF: Rules = {
    **PROFILE,
    "active": null_keeps(any_value),
    "on_hold": null_keeps(any_value),
    "second_factor_required": null_keeps(any_value),
    "shopper_reference": by_value(parse_shopper_reference),
    "group_ids": by_value(lambda group_ids: group_ids or ()),
}


@dataclass(frozen=True, slots=True, repr=False)
class PasswordResetToken:
    """A token for `resetPassword`, for the caller to mail."""

    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class CreatedCustomer:
    """A new customer, and what of the addresses does not fit their countries."""

    profile: CustomerProfile
    remarks: Sequence[FieldError]


async def create_customer(
    uow: UnitOfWork, new: NewCustomer, password: str | None, group_ids: Collection[str]
) -> CreatedCustomer:
    """Make a customer. The password, where one is given, is initial: the customer is asked to change it.

    Without one the customer is mailed a link to choose it, where the shop has invitations on.
    EMAIL_TAKEN and TAKEN openly; NOT_FOUND for a group that there is not. Raises FORBIDDEN for a password from who has
    no right to choose one.
    """
    if password is not None:
        uow.caller.require_scope(Scope.CUSTOMERS_CREDENTIALS)
        require_password_login(uow, "password")
    problems = Problems()
    checked = check_new_customer(uow, problems, new)
    if password is not None:
        check_password(problems, uow.tenant, password, _personal_words(checked), "password")
    groups = await check_groups(uow, problems, group_ids, "groupIds")
    problems.raise_if_any()
    if checked is None:
        raise RuntimeError("A missing address is a problem that has been raised.")
    password_hash = await uow.hash_password(password) if password is not None else None
    customer_id = await write_new_customer(uow, checked, password_hash, initial_password=password is not None)
    await join_groups(uow, customer_id, groups, "groupIds")
    await record(uow, AuditAction.CUSTOMER_CREATED, customer_id)
    await emit(uow, Topic.CUSTOMER_CREATED, customer_id)
    customer = await get_profile(uow, customer_id)
    await invite(uow, customer)
    return CreatedCustomer(customer, checked.remarks)


def _personal_words(checked: CheckedCustomer | None) -> list[str | None]:
    if checked is None:
        return []
    return [checked.email.local_part, *(checked.columns.get(f"{each}_name") for each in ("first", "middle", "last"))]


async def update_customer(uow: UnitOfWork, customer_id: str, patch: Patch, version: int | None) -> CustomerProfile:
    """Change a customer: what is left out stays, null clears; lists of groups and legal entities are replaced whole.

    Who becomes inactive or is put on hold loses every session, on-behalf access and pending one-time token with it.
    NOT_FOUND, ANONYMIZATION_OPEN; VERSION_CONFLICT when `version` is given and is not the profile's any more; TAKEN
    for a shopper reference.
    """
    so_far = await lock_customer(uow, customer_id, "id")
    if version is not None and version != so_far.version:
        raise refuse(
            UserErrorCode.VERSION_CONFLICT,
            "The customer was changed in the meantime: read it again before you change it.",
            "metadata",
            "version",
        )
    changes = await _check_changes(uow, so_far, patch)
    await _write_changes(uow, so_far, changes)
    return await get_profile(uow, customer_id)


async def lock_customer(uow: UnitOfWork, customer_id: str, *field: str) -> Customer:
    """Return a customer, locked; NOT_FOUND, or for one about whom nothing is written any more what closed the account.

    That is ANONYMIZATION_OPEN or ACCOUNT_MERGED.
    """
    customer = await uow.customers.lock(customer_id)
    if customer is not None:
        return customer
    closed = await uow.customers.find(customer_id)
    if closed is None:
        raise not_found(*field)
    if closed.merged_into is not None:
        raise await already_merged(uow, closed.merged_into, *field)
    raise refuse(
        UserErrorCode.ANONYMIZATION_OPEN,
        "The anonymization of this customer was requested: cancel it first, if it has not begun.",
        *field,
    )


def not_found(*field: str) -> DomainError:
    """Return the error for a customer who is not in the shop."""
    return refuse(UserErrorCode.NOT_FOUND, "The shop has no customer with this id.", *field)


@dataclass(frozen=True, slots=True)
class _Changes:
    """The changes, checked; None for what stays."""

    fields: list[str]
    columns: dict[str, Any]
    shopper_reference: str | None
    group_ids: list[str] | None
    legal_entities: list[Assignment] | None


async def _check_changes(uow: UnitOfWork, so_far: Customer, patch: Patch) -> _Changes:
    problems = Problems()
    situation = situation_of(uow, patch, so_far.preferred_site, mixins=so_far.mixins)
    legal_entities = assignments_to(await _known_entities(uow, so_far.id, patch))
    columns = check_profile(problems, patch, STAFF, legal_entities, situation)
    reference, group_ids = columns.pop("shopper_reference", None), columns.pop("group_ids", None)
    assignments: list[Assignment] | None = columns.pop("legal_entities", None)
    if group_ids is not None:
        group_ids = await check_groups(uow, problems, group_ids, "groupIds")
    problems.raise_if_any()
    return _Changes(sorted(map(input_name, patch)), columns, reference, group_ids, assignments)


async def _known_entities(uow: UnitOfWork, customer_id: str, patch: Patch) -> set[str]:
    """Return the ids of the customer's legal entities, where the patch names any."""
    if "legal_entities" not in {**patch, **(patch.get("b2b") or {})}:
        return set()
    return {entity.legal_entity_id for entity in await uow.legal_entities.list(customer_id)}


async def _write_changes(uow: UnitOfWork, so_far: Customer, changes: _Changes) -> None:
    reference = changes.shopper_reference
    if reference is not None and not await uow.customers.change_shopper_reference(so_far.id, reference):
        raise refuse(UserErrorCode.TAKEN, "Another customer has this shopper reference.", "shopperReference")
    if changes.legal_entities is not None:
        await assign_legal_entities(uow, so_far.id, changes.legal_entities)
    if changes.group_ids is not None:
        await _change_groups(uow, so_far.id, changes.group_ids)
    if changes.fields:
        origins = origins_after(so_far, changes.columns, by_shop=True)
        await uow.customers.change_locked(so_far, uow.now, **changes.columns, **origins)
        await emit(uow, Topic.CUSTOMER_UPDATED, so_far.id, fields=changes.fields)
    await _change_access(uow, so_far, changes.columns)
    if changes.columns.get("active") and not so_far.active:
        await tell_of_activation(uow, await get_profile(uow, so_far.id))


async def _change_groups(uow: UnitOfWork, customer_id: str, wanted: Collection[str]) -> None:
    so_far = {group.id for group in (await uow.groups.list_of(customer_id))[customer_id]}
    added, removed = sorted(set(wanted) - so_far), sorted(so_far - set(wanted))
    await join_groups(uow, customer_id, added, "groupIds")
    for group_id in removed:
        await uow.groups.remove_member(group_id, customer_id)
    if added or removed:
        await emit(uow, Topic.CUSTOMER_GROUP_CHANGED, customer_id, added=added, removed=removed)


async def _change_access(uow: UnitOfWork, so_far: Customer, columns: dict[str, Any]) -> None:
    """Allow the customer to log in, or not: then all sessions, on-behalf access and pending tokens end at once."""
    active, on_hold = columns.get("active", so_far.active), columns.get("on_hold", so_far.on_hold)
    if active != so_far.active:
        await record(uow, AuditAction.ACTIVATION, so_far.id, active=active)
        await emit(uow, Topic.CUSTOMER_ACTIVATED if active else Topic.CUSTOMER_DEACTIVATED, so_far.id)
    if on_hold != so_far.on_hold:
        await record(uow, AuditAction.HOLD, so_far.id, onHold=on_hold)
    marked = columns.get("second_factor_required", so_far.second_factor_required)
    if marked != so_far.second_factor_required:
        await record(uow, AuditAction.SECOND_FACTOR_MARK, so_far.id, required=marked)
    if not active or on_hold:
        await uow.sessions.revoke_all(so_far.id, uow.now)
        await uow.one_time_tokens.revoke(so_far.id, uow.now)


async def create_password_reset_token(uow: UnitOfWork, customer_id: str) -> PasswordResetToken:
    """Return a new token for `resetPassword`; those made before are worthless. The caller mails it to the customer.

    NOT_FOUND, ANONYMIZATION_OPEN; ACCOUNT_INACTIVE or ACCOUNT_ON_HOLD for who may not log in; INVALID for who has no
    address to sign in with.
    """
    require_password_login(uow, "customerId")
    # Of an account that nobody has proved to be theirs, who asked for the erasure may be anybody.
    customer = await lock_for_proof(uow, customer_id) or await lock_customer(uow, customer_id, "customerId")
    if not customer.active:
        raise refuse(UserErrorCode.ACCOUNT_INACTIVE, "This customer is not active: activate them first.", "customerId")
    if customer.on_hold:
        raise refuse(UserErrorCode.ACCOUNT_ON_HOLD, "This customer is on hold: end the hold first.", "customerId")
    credential = await uow.credentials.find(customer_id)
    if credential is None or credential.email is None:
        raise refuse(UserErrorCode.INVALID, "This customer has no login address.", "customerId")
    lifetime = timedelta(seconds=uow.tenant.reset_token_seconds)
    token = await issue_one_time_token(
        uow, Purpose.RESET_PASSWORD, customer_id, credential.email, credential.version, lifetime
    )
    await record(uow, AuditAction.PASSWORD_RESET_REQUESTED, customer_id)
    await emit(uow, Topic.CUSTOMER_PASSWORD_RESET_REQUESTED, customer_id)
    return PasswordResetToken(token.text, uow.now + lifetime)
