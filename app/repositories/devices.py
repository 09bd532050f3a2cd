"""Devices that accounts know."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from app.models.devices import Device
from app.repositories.base import Repository, Rows

_latest = aliased(Device.__table__)
_LIVE = Rows(Device, "token_hash", col(Device.expires_at) > bindparam("now"))
_DEVICE = Rows(Device, "token_hash", "customer_id")
_OF_CUSTOMER = Rows(Device, "customer_id")
_ALL_BUT_THE_LATEST = Rows(
    Device,
    "customer_id",
    col(Device.token_hash).in_(
        select(_latest.c.token_hash)
        .where(_latest.c.tenant_id == bindparam("tenant_id"), _latest.c.customer_id == bindparam("customer_id"))
        .order_by(_latest.c.last_used_at.desc(), _latest.c.token_hash)
        .offset(bindparam("kept"))
    ),
)


class DeviceRepository(Repository):
    """The devices of one tenant's customers."""

    async def find(self, token_hash: bytes, now: datetime) -> Device | None:
        """Return a device that is still known, whosever it is."""
        return await self._find(_LIVE, token_hash=token_hash, now=now)

    async def add(self, device: Device) -> None:
        """Write a new device."""
        await self._add(device)

    async def go_on(self, device: Device, now: datetime, expires_at: datetime) -> bool:
        """Note one more login on a device; False when it is not known any more."""
        given = {"token_hash": device.token_hash, "customer_id": device.customer_id}
        return await self._change(_DEVICE, given, last_used_at=now, expires_at=expires_at) == 1

    async def delete_all_but_latest(self, customer_id: str, kept: int) -> None:
        """Forget the customer's devices but those that were used last."""
        await self._delete_soon(_ALL_BUT_THE_LATEST, customer_id=customer_id, kept=kept)

    async def delete(self, token_hash: bytes, customer_id: str) -> None:
        """Forget one of a customer's devices."""
        await self._delete(_DEVICE, token_hash=token_hash, customer_id=customer_id)

    async def trust_none(self, customer_id: str) -> None:
        """Let no device of a customer stand for the second factor any more."""
        await self._change(_OF_CUSTOMER, {"customer_id": customer_id}, trusted_until=None)

    async def delete_all(self, customer_id: str) -> None:
        """Forget all devices of a customer."""
        await self._delete(_OF_CUSTOMER, customer_id=customer_id)
