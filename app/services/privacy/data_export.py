"""The export of all data about a customer, by noun, as the registry of personal data says."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from app.domain.audit import AuditAction
from app.domain.patches import input_name
from app.models.addresses import Address
from app.models.personal_data import PERSONAL_TABLES, PersonalTable
from app.services.accounts.address_formats import formatted
from app.services.accounts.merged_accounts import list_merged
from app.services.accounts.reauthentication import reauthenticate
from app.services.audit import record
from app.services.unit_of_work import UnitOfWork


async def export_my_data(uow: UnitOfWork, password: str | None) -> dict[str, Any]:
    """Return everything about the caller as JSON, without hashes and secrets, and write down that it was handed out.

    `mergedAccounts` is what is left of accounts that were joined with the caller's.

    INVALID_CREDENTIALS at `password`, REAUTHENTICATION_REQUIRED.
    """
    customer_id = uow.caller.require_customer().id
    await reauthenticate(uow, password, "password")
    data: dict[str, Any] = {"exportedAt": _plain(uow.now), **await _held_about(uow, customer_id)}
    merged = await list_merged(uow, customer_id)
    data["mergedAccounts"] = [await _held_about(uow, each.id) for each in merged]
    await record(uow, AuditAction.DATA_EXPORTED, customer_id)
    return data


async def _held_about(uow: UnitOfWork, customer_id: str) -> dict[str, Any]:
    """Return what is held about one account, by noun."""
    data: dict[str, Any] = {}
    for table in PERSONAL_TABLES:
        rows = [_show(table, row) | _also(uow, row) for row in await uow.personal_data.list(table, customer_id)]
        data[table.noun] = (rows[0] if rows else None) if table.is_single else rows
    await _name_groups(uow, customer_id, data["groups"])
    return data


async def _name_groups(uow: UnitOfWork, customer_id: str, memberships: list[dict[str, Any]]) -> None:
    """Add the names and codes to the ids of the groups."""
    groups = {group.id: group for group in (await uow.groups.list_of(customer_id))[customer_id]}
    for membership in memberships:
        group = groups[membership["groupId"]]
        membership.update(name=group.name, code=group.code)


def _show(table: PersonalTable, row: Any) -> dict[str, Any]:
    shown = {}
    for name in table.shown:
        value = getattr(row, name)
        shown[input_name(name)] = table.shown_as[name](value) if name in table.shown_as else _plain(value)
    return shown


def _also(uow: UnitOfWork, row: Any) -> dict[str, Any]:
    """Return what is shown of an address besides: how it stands on an envelope."""
    if not isinstance(row, Address):
        return {}
    return {"formatted": formatted(uow, row), "formattedLatin": formatted(uow, row, latin=True)}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value
