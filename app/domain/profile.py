"""Where the program runs: on a developer's machine or for real customers."""

from __future__ import annotations

from enum import StrEnum, unique


@unique
class Profile(StrEnum):
    """Development is forgiving and talkative; production refuses what would be unsafe."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"
