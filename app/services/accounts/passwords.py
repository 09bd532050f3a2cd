"""The password policy of the shop, for every place where a password is chosen."""

from __future__ import annotations

from collections.abc import Iterable

from app.domain.errors import UserErrorCode
from app.domain.passwords import PasswordPolicy
from app.domain.problems import Problems
from app.domain.tenants import Tenant
from app.models.customers import CustomerProfile


def check_password(
    problems: Problems, tenant: Tenant, password: str | None, personal: Iterable[str | None], *path: str
) -> None:
    """Note what the policy has against a new password at `path`: REQUIRED, or the PASSWORD_… that it breaks."""
    if not password:
        problems.add(UserErrorCode.REQUIRED, "Please choose a password.", *path)
        return
    languages = frozenset(site.language for site in tenant.sites)
    policy = PasswordPolicy(tenant.name, tenant.password_min_length, languages)
    problems.check(lambda text: policy.check(text, personal), password, *path)


def personal_words(profile: CustomerProfile) -> tuple[str | None, ...]:
    """Return the words that a customer's password must not be made of: the local part of the address, and the names."""
    local_part = profile.email.rpartition("@")[0] if profile.email else None
    return local_part, profile.first_name, profile.middle_name, profile.last_name
