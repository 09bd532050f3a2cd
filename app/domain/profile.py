"""Where the program runs: on a developer's machine or for real customers."""

from __future__ import annotations

from enum import StrEnum, unique


@unique
class Profile(StrEnum):
    """Development accepts more and says more; production refuses what is unsafe."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"
