"""How much of the database one process takes, and how long it waits for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class Pooler(StrEnum):
    """Whether what stands between us and PostgreSQL hands its connections on after each transaction (PgBouncer)."""

    NONE = "none"
    TRANSACTION = "transaction"


@dataclass(frozen=True, slots=True)
class DatabaseLimits:
    """`connections` of one process in all; `seconds` for each statement, connect and COMMIT, and for waiting.

    `pooler` is None where the program is to find it out.
    """

    connections: int = 20
    seconds: float = 5.0
    pooler: Pooler | None = None

    def shared(self) -> tuple[DatabaseLimits, DatabaseLimits]:
        """Return what of it is for the primary, and what for a standby: a quarter of the connections."""
        of_standby = max(1, self.connections // 4)
        return replace(self, connections=self.connections - of_standby), replace(self, connections=of_standby)
