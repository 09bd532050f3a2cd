"""How far the anonymization of a customer has come, and what that means for the account."""

from __future__ import annotations

from enum import StrEnum, unique


@unique
class AnonymizationStatus(StrEnum):
    """The state of a request to anonymize. FAILED is tried again; CANCELED counts as if there was no request."""

    REQUESTED = "REQUESTED"
    IN_PROGRESS = "IN_PROGRESS"
    DONE = "DONE"
    CANCELED = "CANCELED"
    FAILED = "FAILED"


def is_closed(status: str | None) -> bool:
    """Tell whether an account is closed: after a request to anonymize it that was not canceled."""
    return status is not None and status != AnonymizationStatus.CANCELED
