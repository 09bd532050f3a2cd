"""TOTP is set up and taken away, and its recovery codes are renewed."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.errors import DomainError, UserErrorCode, refuse
from app.domain.principal import TokenKind
from app.domain.sign_in import SignInMethod
from app.domain.totp import (
    RECOVERY_CODES,
    hash_recovery_code,
    new_recovery_code,
    new_secret,
    otpauth_uri,
    step_of,
)
from app.models.customers import CustomerProfile
from app.models.sign_in_tickets import SignInTicket, TicketPurpose
from app.models.totp import RecoveryCode, TotpSecret
from app.services.accounts.own_account import lock_own_account
from app.services.accounts.reauthentication import require_level_two, require_recent
from app.services.accounts.sign_in_changes import WayIn, tell_added, tell_removed
from app.services.limits import guard_one_time_token
from app.services.sessions.methods_on import require_method
from app.services.sessions.tickets import (
    IssuedTicket,
    count_try,
    find_ticket,
    invalid_ticket,
    issue_ticket,
    use_ticket,
    wrong_code,
)
from app.services.sign_in.reauthentication import prove_again
from app.services.sign_in.steps import enrolling_customer
from app.services.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, repr=False)
class BegunTotp:
    """What the app is to be given, and the ticket for the first code of it."""

    ticket: IssuedTicket
    secret: str
    uri: str


@dataclass(frozen=True, slots=True, repr=False)
class RecoveryCodes:
    """The new recovery codes of a customer, which are shown once."""

    customer_id: str
    texts: tuple[str, ...]


async def begin_totp(uow: UnitOfWork, ticket_text: str | None) -> BegunTotp:
    """Make a secret for the caller's app; nothing changes before `confirm_totp`.

    A customer needs a recent login, else REAUTHENTICATION_REQUIRED. In an anonymous session it is for the login with
    the ticket, which stays. METHOD_OFF; TICKET_INVALID; REQUIRED without any ticket; LIMIT_REACHED for who has one.
    """
    require_method(uow, SignInMethod.TOTP, "ticket")
    secret = new_secret(uow.tools.random.secret())
    sealed = uow.tools.sealer.seal(secret)
    if uow.caller.require_principal().kind is TokenKind.CUSTOMER:
        customer = await require_recent(uow)
        if await uow.totp.find(customer.id) is not None:
            raise _enrolled_already()
        ticket = await issue_ticket(
            uow,
            TicketPurpose.TOTP_ENROLMENT,
            customer_id=customer.id,
            credential_version=customer.credential_version,
            secret=sealed,
        )
    else:
        login, customer = await _login(uow, ticket_text)
        if await uow.sign_in_tickets.change(login.ticket_hash, login.session_id, uow.now, secret=sealed) is None:
            raise invalid_ticket()
        ticket = IssuedTicket(ticket_text or "", int((login.expires_at - uow.now).total_seconds()))
    account = customer.email or customer.customer_number
    return BegunTotp(ticket, secret, otpauth_uri(secret, shop=uow.tenant.name, account=account))


async def _login(uow: UnitOfWork, ticket_text: str | None) -> tuple[SignInTicket, CustomerProfile]:
    if ticket_text is None:
        raise refuse(UserErrorCode.REQUIRED, "Please give the ticket of the login.", "ticket")
    return await enrolling_customer(uow, ticket_text)


async def confirm_totp(uow: UnitOfWork, ticket_text: str, code: str) -> RecoveryCodes:
    """Let the app count from now on, after its first code, and return the recovery codes.

    METHOD_OFF, TICKET_INVALID, CODE_INVALID; LIMIT_REACHED for who has one by now.
    """
    require_method(uow, SignInMethod.TOTP, "ticket")
    await guard_one_time_token(uow)
    is_customer = uow.caller.require_principal().kind is TokenKind.CUSTOMER
    if is_customer:
        found = await find_ticket(uow, ticket_text, TicketPurpose.TOTP_ENROLMENT)
    else:
        found, _ = await enrolling_customer(uow, ticket_text)
    if found.secret is None:
        raise invalid_ticket()
    ticket = await count_try(uow, found)
    secret = uow.tools.sealer.open(ticket.secret or found.secret)
    step = step_of(secret, code, uow.now)
    if step is None:
        raise wrong_code("code")
    customer_id = await _lock_enrolling(uow, ticket)
    if is_customer:
        await use_ticket(uow, ticket)
    elif await uow.sign_in_tickets.change(ticket.ticket_hash, ticket.session_id, uow.now, secret=None, tries=0) is None:
        raise invalid_ticket()
    totp = TotpSecret(
        tenant_id=uow.tenant.id,
        id=uow.tools.random.new_id(),
        customer_id=customer_id,
        secret=uow.tools.sealer.seal(secret),
        last_step=step,
        created_at=uow.now,
        last_used_at=uow.now,
    )
    if not await uow.totp.add_unless_enrolled(totp):
        raise _enrolled_already()
    codes = await _add_codes(uow, totp, secret)
    await tell_added(uow, customer_id, WayIn(SignInMethod.TOTP, totp.id))
    return codes


async def _lock_enrolling(uow: UnitOfWork, ticket: SignInTicket) -> str:
    """Lock the customer of the ticket, whose credential is still that of its beginning; TICKET_INVALID."""
    customer_id = ticket.customer_id or ""
    if uow.caller.require_principal().kind is TokenKind.CUSTOMER:
        await lock_own_account(uow)
    elif await uow.customers.lock(customer_id) is None:
        raise invalid_ticket()
    credential = await uow.credentials.find(customer_id)
    if credential is None or credential.version != ticket.credential_version:
        raise invalid_ticket()
    return customer_id


async def disable_totp(uow: UnitOfWork, *, totp: str | None = None, recovery_code: str | None = None) -> None:
    """Take TOTP with its recovery codes away; NOT_FOUND for who has none, REAUTHENTICATION_REQUIRED.

    A code that comes along stands for a fresh proof: CODE_INVALID.
    """
    secret = await _own_totp(uow, totp, recovery_code)
    await uow.recovery_codes.remove_of(secret.customer_id, secret.id, uow.now)
    if not await uow.totp.remove(secret.customer_id, secret.id, uow.now):
        raise _not_enrolled()
    # What stood for this app stands for no other that is set up later.
    await uow.devices.trust_none(secret.customer_id)
    kept = {"removed_at": uow.now.isoformat()}
    await tell_removed(uow, secret.customer_id, WayIn(SignInMethod.TOTP, secret.id, kept=kept))


async def renew_recovery_codes(
    uow: UnitOfWork, *, totp: str | None = None, recovery_code: str | None = None
) -> RecoveryCodes:
    """Make new recovery codes, in the place of all that there were; errors as of `disable_totp`."""
    secret = await _own_totp(uow, totp, recovery_code)
    await uow.recovery_codes.remove_of(secret.customer_id, secret.id, uow.now)
    codes = await _add_codes(uow, secret, uow.tools.sealer.open(secret.secret))
    kept = {"removed_at": uow.now.isoformat()}
    await tell_added(uow, secret.customer_id, WayIn(SignInMethod.RECOVERY_CODE, secret.id, kept=kept))
    return codes


async def _own_totp(uow: UnitOfWork, totp: str | None, recovery_code: str | None) -> TotpSecret:
    """Return the caller's TOTP, after a proof of level 2; the customer is locked."""
    customer_id = uow.caller.require_customer().id
    # Nobody shall prove once more who they are for what is not there.
    if await uow.totp.find(customer_id) is None:
        raise _not_enrolled()
    if totp is None and recovery_code is None:
        await require_level_two(uow)
    else:
        await prove_again(uow, None, {"totp": totp, "recoveryCode": recovery_code})
    await lock_own_account(uow)
    found = await uow.totp.find(customer_id)
    if found is None:
        raise _not_enrolled()
    return found


async def _add_codes(uow: UnitOfWork, totp: TotpSecret, secret: str) -> RecoveryCodes:
    texts = tuple(new_recovery_code(uow.tools.random.secret()) for _ in range(RECOVERY_CODES))
    for text in texts:
        await uow.recovery_codes.add(
            RecoveryCode(
                tenant_id=uow.tenant.id,
                id=uow.tools.random.new_id(),
                customer_id=totp.customer_id,
                totp_id=totp.id,
                code_hash=hash_recovery_code(secret, text),
                created_at=uow.now,
            )
        )
    return RecoveryCodes(totp.customer_id, texts)


def _enrolled_already() -> DomainError:
    return refuse(UserErrorCode.LIMIT_REACHED, "You have an app with codes already: remove it first.")


def _not_enrolled() -> DomainError:
    return refuse(UserErrorCode.NOT_FOUND, "You have no app with codes.")
