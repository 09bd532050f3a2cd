"""How the rows of many tenants are spread over servers."""

from __future__ import annotations

from enum import StrEnum


class Sharding(StrEnum):
    """`citus`: PostgreSQL with the extension Citus, which keeps the rows of one tenant together on one of its nodes."""

    NONE = "none"
    CITUS = "citus"
