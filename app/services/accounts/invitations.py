"""The mails of accounts that staff make or let in: an invitation, and how far a registration has come."""

from __future__ import annotations

from datetime import timedelta

from app.domain.anonymizations import is_closed
from app.domain.ports import Limit
from app.domain.tenants import SignupMode
from app.domain.tokens import OpaqueToken
from app.models.credentials import Maker
from app.models.customers import CustomerProfile
from app.models.one_time_tokens import Purpose
from app.models.pending_signups import PendingSignup
from app.services.limits import HOUR, is_below, may_mail
from app.services.outgoing.mails import send_mail
from app.services.outgoing.one_time_tokens import issue_one_time_token
from app.services.unit_of_work import UnitOfWork

# A flood of registrations is no flood of mails to the shop.
_NOTES = Limit("mails.staff", 60, HOUR)


async def invite(uow: UnitOfWork, customer: CustomerProfile) -> None:
    """Mail a customer whom staff have made, and who cannot log in yet, a link to choose a password.

    In a shop without passwords the mail leads to the site, to sign in with a code or in another way that the shop has.
    """
    if not uow.tenant.invitations or customer.email is None or _has_usable_password(uow, customer):
        return
    if not customer.active or customer.on_hold:
        return
    if not uow.tenant.password_login:
        await _send(uow, "invitation_to_sign_in", customer)
        return
    lifetime = timedelta(seconds=uow.tenant.invitation_token_seconds)
    token = await issue_one_time_token(
        uow, Purpose.RESET_PASSWORD, customer.id, customer.email, customer.credential_version, lifetime
    )
    await _send(uow, "invitation", customer, token=token)


async def tell_of_activation(uow: UnitOfWork, customer: CustomerProfile) -> None:
    """Mail a customer whom staff have just let in: that the account is active, or else how to get into it."""
    if customer.on_hold or is_closed(customer.anonymization_status):
        return
    credential = await uow.credentials.find(customer.id)
    is_made_by_shop = credential is not None and credential.made_by in (Maker.STAFF, Maker.IMPORT)
    if (
        is_made_by_shop
        and not _has_usable_password(uow, customer)
        and not await uow.social_identities.list(customer.id)
    ):
        await invite(uow, customer)
    elif uow.tenant.signup is SignupMode.EMPLOYEE_ACTIVATION and customer.email is not None:
        await _send(uow, "account_active", customer)


async def tell_of_registration(uow: UnitOfWork, customer_id: str) -> None:
    """Mail somebody that their registration has come and waits for the shop, and tell the shop."""
    customer = await uow.customers.find(customer_id)
    if customer is None or customer.active or is_closed(customer.anonymization_status):
        return
    if customer.email is not None and await may_mail(uow, customer.email, signup=True):
        await _send(uow, "registration_received", customer)
    staff = uow.tenant.staff_email
    if staff is not None and await is_below(uow, _NOTES):
        await send_mail(
            uow,
            "registration_for_staff",
            customer.id,
            staff,
            customer_number=customer.customer_number,
            customer_email=customer.email or customer.contact_email or "-",
        )


def waits_for_staff(uow: UnitOfWork, signup: PendingSignup) -> bool:
    """Tell whether a sign-up has made its customer at once, who waits until staff activate the account."""
    is_made = signup.customer_id == signup.id and signup.ended_at == signup.created_at
    return is_made and uow.tenant.signup is SignupMode.EMPLOYEE_ACTIVATION


def _has_usable_password(uow: UnitOfWork, customer: CustomerProfile) -> bool:
    return customer.has_password and uow.tenant.password_login


async def _send(uow: UnitOfWork, template: str, customer: CustomerProfile, *, token: OpaqueToken | None = None) -> None:
    site = uow.tenant.find_site(customer.preferred_site) if customer.preferred_site else None
    await send_mail(
        uow,
        template,
        customer.id,
        customer.email or "",
        language=customer.preferred_language,
        token=token,
        at_site=site,
    )
