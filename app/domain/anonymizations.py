"""How far the anonymization of a customer has come, and what that means for the account."""

from __future__ import annotations

from enum import StrEnum, unique


@unique
class AnonymizationStatus(StrEnum):
    """Where a request to anonymize stands. FAILED is tried again; CANCELED is as if it had never been asked for."""

    REQUESTED = "REQUESTED"
    IN_PROGRESS = "IN_PROGRESS"
    DONE = "DONE"
    CANCELED = "CANCELED"
    FAILED = "FAILED"


def is_closed(status: str | None) -> bool:
    """Tell whether an account is closed: from the request to anonymize it on, unless that was canceled."""
    return status is not None and status != AnonymizationStatus.CANCELED
