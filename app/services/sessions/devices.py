"""Devices that an account knows: who logs in there goes on while others guess."""

from __future__ import annotations

from datetime import timedelta

from app.domain.tokens import OpaqueToken, TokenPrefix, hash_token, read_prefix
from app.models.devices import Device
from app.services.unit_of_work import UnitOfWork

# A login moves the end of a device by no less, so that it seldom writes.
_STEP = timedelta(days=1)


async def find_device(uow: UnitOfWork, token: str | None) -> Device | None:
    """Return the device of a token as a client has given it, whosever it is; None for what is no living one of ours."""
    if token is None or read_prefix(token) is not TokenPrefix.DEVICE:
        return None
    return await uow.devices.find(hash_token(token), uow.now)


async def remember_device(uow: UnitOfWork, customer_id: str, device: Device | None, token: str | None) -> str:
    """Return the token by which the account knows the device of a login; lock the customer before.

    It is the one that was given, if that is the account's own `device`, which is known for another while.
    """
    ends = uow.now + timedelta(seconds=uow.tenant.device_token_seconds)
    if token is None or device is None or device.customer_id != customer_id:
        return await add_device(uow, customer_id)
    if device.expires_at > ends - _STEP or await uow.devices.go_on(device, uow.now, ends):
        return token
    return await add_device(uow, customer_id)


async def add_device(uow: UnitOfWork, customer_id: str, *, is_trusted: bool = False) -> str:
    """Let the account know one more device, and return its token; lock the customer before.

    A trusted one stands for the second factor for `remember_device_days`.
    """
    token = OpaqueToken.of_tenant(TokenPrefix.DEVICE, uow.tenant.id, uow.tools.random.secret())
    await uow.devices.add(
        Device(
            tenant_id=uow.tenant.id,
            token_hash=token.hash,
            customer_id=customer_id,
            created_at=uow.now,
            last_used_at=uow.now,
            expires_at=uow.now + timedelta(seconds=uow.tenant.device_token_seconds),
            trusted_until=uow.now + timedelta(days=uow.tenant.remember_device_days) if is_trusted else None,
        )
    )
    await uow.devices.delete_all_but_latest(customer_id, uow.tenant.limits.devices_per_customer)
    return token.text


def is_trusted(uow: UnitOfWork, customer_id: str, device: Device | None) -> bool:
    """Tell whether a device, whosever it is, stands for this customer's second factor."""
    if device is None or device.customer_id != customer_id or device.trusted_until is None:
        return False
    return uow.tenant.remember_device_days > 0 and device.trusted_until > uow.now


def known_device(customer_id: str, device: Device | None) -> dict[str, str]:
    """Return what a ticket keeps of a known device, whose token gives way to a new one when the login is complete."""
    return {"device": device.token_hash.hex()} if device is not None and device.customer_id == customer_id else {}


async def end_devices(uow: UnitOfWork, customer_id: str) -> None:
    """Let the account know no device any more; lock the customer before."""
    await uow.devices.delete_all(customer_id)
