"""Ways to sign in that a shop has switched off: each is refused with one error wherever somebody tries it."""

from __future__ import annotations

from app.domain.errors import UserErrorCode, refuse
from app.domain.sign_in import SignInMethod
from app.services.unit_of_work import UnitOfWork

NO_PASSWORDS = "This shop has no passwords: sign in another way."


def require_method(uow: UnitOfWork, method: SignInMethod, *field: str) -> None:
    """Raise METHOD_OFF, or of the password PASSWORD_LOGIN_OFF, unless the shop has the way to sign in on."""
    if method in uow.tenant.sign_in_methods:
        return
    if method is SignInMethod.PASSWORD:
        raise refuse(UserErrorCode.PASSWORD_LOGIN_OFF, NO_PASSWORDS, *field)
    raise refuse(UserErrorCode.METHOD_OFF, "This shop does not have this way to sign in.", *field)


def require_password_login(uow: UnitOfWork, *field: str) -> None:
    """Raise PASSWORD_LOGIN_OFF in a shop without passwords."""
    require_method(uow, SignInMethod.PASSWORD, *field)
