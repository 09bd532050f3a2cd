"""What an integration, or a user of the organisation, may be allowed to do."""

from __future__ import annotations

from enum import StrEnum, unique


@unique
class Scope(StrEnum):
    """One permission, as it stands in the tenants file and in the `scope` claim of a token (RFC 6749 section 3.3)."""

    CUSTOMERS_READ = "customers.read"
    CUSTOMERS_MANAGE = "customers.manage"
    CUSTOMERS_ANONYMIZE = "customers.anonymize"
