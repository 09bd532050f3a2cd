"""What a customer can sign in with, as the customer is shown it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.models.customers import CustomerProfile
from app.models.passkeys import Passkey
from app.models.social import SocialIdentity
from app.services.sessions.login_steps import find_ways_in, is_phone_proved
from app.services.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """Whether there is TOTP, and how many recovery codes work still."""

    totp: bool
    recovery_codes_left: int


@dataclass(frozen=True, slots=True)
class SignInMethods:
    """All ways in of one customer; `phone` is the number that was proved."""

    password_since: datetime | None
    passkeys: Sequence[Passkey]
    totp: bool
    recovery_codes_left: int
    social: Sequence[SocialIdentity]
    phone: str | None


async def second_factor(uow: UnitOfWork, customer: CustomerProfile) -> SecondFactor:
    """Return the second factor that a customer has enrolled."""
    ways = await find_ways_in(uow, customer)
    return SecondFactor(ways.totp, ways.recovery_codes if ways.totp else 0)


async def sign_in_methods(uow: UnitOfWork, customer: CustomerProfile) -> SignInMethods:
    """Return all that a customer has, whether or not the shop has it on."""
    factor = await second_factor(uow, customer)
    return SignInMethods(
        password_since=await _password_since(uow, customer),
        passkeys=await uow.passkeys.list(customer.id),
        totp=factor.totp,
        recovery_codes_left=factor.recovery_codes_left,
        social=await uow.social_identities.list(customer.id),
        phone=customer.verified_phone if is_phone_proved(customer) else None,
    )


async def _password_since(uow: UnitOfWork, customer: CustomerProfile) -> datetime | None:
    """Return when the password was set; of one from before that was written down, the best guess."""
    if not customer.has_password:
        return None
    credential = await uow.credentials.find(customer.id)
    return (credential.password_set_at or credential.changed_at) if credential is not None else None
