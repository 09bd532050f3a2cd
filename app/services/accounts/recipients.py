"""Where a mailed flow is to go that anybody may begin: the address and the site, as the client gives them."""

from __future__ import annotations

from app.domain.emails import EmailAddress, parse_email
from app.domain.errors import UserErrorCode
from app.domain.problems import Problems
from app.services.unit_of_work import UnitOfWork


def check_recipient(uow: UnitOfWork, email: str | None, site: str | None = None) -> tuple[EmailAddress, str | None]:
    """Return the address, and the site's id if one is named.

    REQUIRED, TOO_LONG or INVALID_EMAIL at `email` for what is no address at all; INVALID at `site` for one that the
    shop has not. Nothing is looked up.
    """
    problems = Problems()
    address = problems.check(parse_email, email, "email")
    found = uow.tenant.find_site(site) if site else None
    if site and found is None:
        problems.add(UserErrorCode.INVALID, "The shop has no site with this id.", "site")
    problems.raise_if_any()
    if address is None:
        raise RuntimeError("A missing address is a problem that has been raised.")
    return address, found.id if found else None
