"""Who is calling: the kinds of token, and what a valid token says about its bearer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum, unique

from app.domain.sign_in import Factors
from app.domain.value_objects import value_object

# The `type` of a user of the organisation in an assertion.
OWNER_TYPE = "User"


@unique
class TokenKind(StrEnum):
    """What kind of token it is."""

    ANONYMOUS = "ANONYMOUS"
    CUSTOMER = "CUSTOMER"
    ON_BEHALF = "ON_BEHALF"
    INTEGRATION = "INTEGRATION"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts on a customer's behalf, and why."""

    id: str
    type: str
    reason: str


@dataclass(frozen=True, slots=True)
class Owner:
    """The user of the organisation in whose name an integration acts."""

    id: str
    type: str


@value_object
class Principal:
    """The bearer of a valid access token.

    `token_id` is the `jti` of an integration's token, and `scope` what that may do: never more than its client and the
    owner, if it has one, may both do at this moment. On a customer's behalf `scope` is what both may do by themselves.
    `factors` is what the customer has proved who they are with (`Factors.text`).
    `must_change_password`: the customer has an initial password, and may do little else before it is changed.
    """

    kind: TokenKind
    tenant_id: str
    client_id: str
    expires_at: datetime
    scope: frozenset[str] = frozenset()
    session_id: str | None = None
    site: str | None = None
    customer_id: str | None = None
    legal_entity_id: str | None = None
    authenticated_at: datetime | None = None
    actor: Actor | None = None
    owner: Owner | None = None
    token_id: str | None = None
    must_change_password: bool = False
    factors: str | None = None

    @property
    def proved(self) -> Factors:
        """What the customer has proved who they are with in the session."""
        return Factors.read(self.factors)

    def is_fresh(self, now: datetime, within: timedelta) -> bool:
        """Tell whether the customer has proved who they are within this time."""
        return self.authenticated_at is not None and now - self.authenticated_at <= within
