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

    Within `sibling_grace` two tabs of one browser may both trade the same token, at most `most_children` times. Within
    `lost_answer_grace` a phone that lost its network before the answer came may ask again.
    """

    sibling_grace: timedelta = timedelta(seconds=30)
    most_children: int = 3
    lost_answer_grace: timedelta = timedelta(hours=24)


class PresentedToken(Protocol):
    """What the decision depends on."""

    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


class Rotation(Enum):
    """What to do with a refresh token of a family that has not ended."""

    TRADE = auto()
    ADD_SIBLING = auto()
    REPLACE_LOST = auto()
    EXPIRED = auto()
    REUSED = auto()


def decide_rotation(
    token: PresentedToken, children: Sequence[PresentedToken], now: datetime, rules: RotationRules
) -> Rotation:
    """Return what to do; `children` are the tokens that this one was traded for before."""
    if token.revoked_at is not None:
        return Rotation.REUSED
    if token.used_at is None:
        return Rotation.TRADE if now < token.expires_at else Rotation.EXPIRED
    age = now - token.used_at
    if age <= rules.sibling_grace and len(children) < rules.most_children:
        return Rotation.ADD_SIBLING
    no_child_was_used = all(child.used_at is None for child in children)
    if rules.sibling_grace < age <= rules.lost_answer_grace and no_child_was_used:
        return Rotation.REPLACE_LOST
    return Rotation.REUSED
