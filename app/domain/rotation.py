"""Refresh token rotation: what it means if a refresh token is used again (RFC 9700, section 4.14)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Protocol


@dataclass(frozen=True, slots=True)
class RotationRules:
    """How long a used token may be used again.

    Within `sibling_grace` all tabs of one browser may trade the same token; `most_children` of them get a pair of their
    own. Later, once per `lost_answer_period`, a phone may ask again that lost its network before the answer came.
    """

    sibling_grace: timedelta
    most_children: int
    lost_answer_period: timedelta


class PresentedToken(Protocol):
    """What the decision depends on; `lost_at` is when its answer was last given anew because it was lost."""

    expires_at: datetime
    used_at: datetime | None
    lost_at: datetime | None
    revoked_at: datetime | None


class Rotation(Enum):
    """What to do with a refresh token of a family that has not ended.

    `REPEAT`: answer the newest living pair once more. `REPLACE_LOST`: retire the children, and answer a new one.
    `TOO_OFTEN`: refuse it, and end nothing. `REUSED`: two holders have it, so the family ends.
    """

    TRADE = auto()
    ADD_SIBLING = auto()
    REPEAT = auto()
    REPLACE_LOST = auto()
    TOO_OFTEN = auto()
    EXPIRED = auto()
    REUSED = auto()


def decide_rotation(
    token: PresentedToken, children: Sequence[PresentedToken], now: datetime, rules: RotationRules
) -> Rotation:
    """Return what to do; `children` are the tokens that this one was traded for before."""
    if token.revoked_at is not None:
        return Rotation.REUSED
    opened = grace_began(token)
    if opened is not None and now - opened <= rules.sibling_grace:
        return Rotation.ADD_SIBLING if count_living(children) < rules.most_children else Rotation.REPEAT
    if now >= token.expires_at:
        return Rotation.EXPIRED
    if opened is None:
        return Rotation.TRADE
    if any(child.used_at is not None for child in children):
        return Rotation.REUSED
    if token.lost_at is None or now - token.lost_at > rules.lost_answer_period:
        return Rotation.REPLACE_LOST
    return Rotation.TOO_OFTEN


def grace_began(token: PresentedToken) -> datetime | None:
    """Return since when the token may be used again: its first use, or the last time that its answer was lost."""
    return token.lost_at or token.used_at


def count_living(children: Sequence[PresentedToken]) -> int:
    """Return how many of these tokens have not been retired."""
    return sum(child.revoked_at is None for child in children)
