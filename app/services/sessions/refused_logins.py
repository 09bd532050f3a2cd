"""What a refused login answers: to who has signed up here what is missing, to all others nothing.

An address that is known and one that is not are looked up, counted and answered alike, right after a sign-up as well.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.audit import AuditAction
from app.domain.emails import EmailAddress, parse_email
from app.domain.errors import DomainError, Refused, UserErrorCode, refuse
from app.domain.tenants import SignupMode, Tenant
from app.models.credentials import Credential
from app.models.customers import CustomerProfile
from app.models.pending_signups import PendingSignup
from app.services.audit import record_failure
from app.services.outgoing.tasks import Task, put_off
from app.services.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, repr=False)
class LoginAttempt:
    """An address that somebody logs in with, and what there is under it: an account, or a sign-up that waits."""

    email: EmailAddress | None
    credential: Credential | None
    customer: CustomerProfile | None
    signup: PendingSignup | None

    @property
    def password_hash(self) -> str | None:
        """The hash that the password is compared with."""
        if self.credential is not None:
            return self.credential.password_hash
        return self.signup.password_hash if self.signup is not None else None

    @property
    def may_log_in(self) -> bool:
        """Whether the right password lets the customer in."""
        customer = self.customer
        return customer is not None and customer.active and not customer.on_hold and not customer.must_confirm

    def may_succeed(self, tenant: Tenant) -> bool:
        """Tell whether the answer may show that the password was right."""
        return self.may_log_in or self.tells(tenant)

    def tells(self, tenant: Tenant) -> bool:
        """Tell whether who knows the password may learn what is missing: that there is the account is no secret."""
        credential, customer = self.credential, self.customer
        if credential is None or customer is None:
            return False
        # Staff have had to do with an account that is only on hold: no sign-up alone can tell.
        is_only_on_hold = customer.on_hold and customer.active and not customer.must_confirm
        return credential.email_verified_at is not None or is_only_on_hold or tenant.signup is SignupMode.OPEN


async def begin_login(uow: UnitOfWork, email: str) -> LoginAttempt:
    """Look up what there is under an address, by as many statements for any address."""
    try:
        address = parse_email(email)
    except Refused:
        return LoginAttempt(None, None, None, None)
    credential = await uow.credentials.find_by_email(address.key)
    if credential is not None:
        return LoginAttempt(address, credential, await uow.customers.find(credential.customer_id), None)
    return LoginAttempt(address, None, None, await uow.pending_signups.find_newest(address.key))


def invalid_credentials() -> DomainError:
    """Return the error of whoever must not learn more."""
    return refuse(UserErrorCode.INVALID_CREDENTIALS, "The e-mail address or the password is not right.", "password")


async def failed_login(uow: UnitOfWork, attempt: LoginAttempt, *, is_right: bool) -> DomainError:
    """Return the error of a login that is refused, and have it written down.

    What is missing is told where the shop tells it: to the session that has signed up with the address, whatever the
    password and whosever the address; and to who knows the password, once the address was proved. Elsewhere the right
    password of a sign-up has its link mailed once more.
    """
    error = None
    own = None
    if attempt.email is not None and uow.tenant.signup is not SignupMode.OPEN:
        session_id = uow.caller.require_principal().session_id or ""
        own = await uow.pending_signups.find_of_session(attempt.email.key, session_id)
    if uow.tenant.login_tells_status:
        error = _missing(attempt) if is_right and attempt.tells(uow.tenant) else None
        if error is None and own is not None and not _is_in_use(attempt, own):
            error = _own_missing(uow.tenant)
    if error is not None:
        return note_refusal(uow, attempt.credential, error)
    note_refusal(uow, attempt.credential, invalid_credentials())
    if attempt.email is not None and own is None and uow.tenant.signup is SignupMode.CONFIRM_EMAIL:
        return await _mail_again(uow, attempt, attempt.email, is_right=is_right)
    return invalid_credentials()


def note_refusal(uow: UnitOfWork, credential: Credential | None, error: DomainError) -> DomainError:
    """Have a bad login written down, and return its error."""
    customer_id = credential.customer_id if credential else None
    record_failure(uow, AuditAction.LOGIN, customer_id, reason=error.errors[0].code)
    return error


def _missing(attempt: LoginAttempt) -> DomainError | None:
    """Return what keeps the customer out who has shown the right password."""
    customer = attempt.customer
    if customer is None or attempt.may_log_in:
        return None
    if customer.must_confirm:
        return _not_confirmed()
    if not customer.active:
        return _inactive()
    return refuse(UserErrorCode.ACCOUNT_ON_HOLD, "This account is on hold: please contact the shop.", "email")


def _is_in_use(attempt: LoginAttempt, own: PendingSignup) -> bool:
    """Tell whether the session's own sign-up has come to be an account that may be logged in to: nothing is missing."""
    credential = attempt.credential
    is_own = own.confirmed_at is not None or own.customer_id == own.id
    return credential is not None and is_own and credential.customer_id == own.customer_id and attempt.may_log_in


def _own_missing(tenant: Tenant) -> DomainError:
    return _not_confirmed() if tenant.signup is SignupMode.CONFIRM_EMAIL else _inactive()


def _not_confirmed() -> DomainError:
    return refuse(UserErrorCode.EMAIL_NOT_CONFIRMED, "Open the link in the mail that we sent you first.", "email")


def _inactive() -> DomainError:
    return refuse(UserErrorCode.ACCOUNT_INACTIVE, "This account is not active: please contact the shop.", "email")


async def _mail_again(uow: UnitOfWork, attempt: LoginAttempt, email: EmailAddress, *, is_right: bool) -> DomainError:
    """Return the error, and leave the worker a task whatever it is: one for nothing takes as long as any."""
    signup_id = attempt.signup.id if is_right and attempt.signup is not None else None
    if is_right and attempt.customer is not None and attempt.customer.must_confirm:
        # An account of version 1.0.
        await put_off(uow, Task.MAIL_CONFIRMATION, email.address)
    else:
        await put_off(uow, Task.MAIL_SIGNUP, email.address, signup_id=signup_id, again=True)
    return DomainError(*invalid_credentials().errors, durable=True)
