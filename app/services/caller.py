"""The caller of an operation: the bearer of a token, or why there is none."""

from __future__ import annotations

from app.domain.errors import AccessError, HeaderRefused, UnauthenticatedReason, forbidden, unauthenticated
from app.domain.principal import Principal
from app.domain.requests import RequestFacts
from app.domain.scopes import Scope, has_scope
from app.domain.value_objects import value_object
from app.models.customers import CustomerProfile
from app.models.visits import Visit


@value_object
class Caller:
    """Who calls. Without a `principal`, `refusal` says why; operations that need no token do not ask.

    With `header_refusal` it is a header, not the token, that is not accepted. `tenant_id` is the shop of the token,
    even of one that is no longer accepted. `visit` is what an anonymous caller's session is as long as nothing was
    written on its behalf.
    """

    facts: RequestFacts
    principal: Principal | None = None
    customer: CustomerProfile | None = None
    refusal: UnauthenticatedReason = UnauthenticatedReason.MISSING
    header_refusal: HeaderRefused | None = None
    tenant_id: str | None = None
    visit: Visit | None = None

    def require_principal(self) -> Principal:
        """Return the bearer of the token, or raise UNAUTHENTICATED."""
        if self.principal is None:
            raise self.header_refusal or unauthenticated(self.refusal)
        return self.principal

    def require_customer(self) -> CustomerProfile:
        """Return the customer that the token belongs to, or raise UNAUTHENTICATED or FORBIDDEN."""
        self.require_principal()
        if self.customer is None:
            raise _not_a_customer()
        return self.customer

    def require_scope(self, scope: Scope) -> None:
        """Raise FORBIDDEN unless the caller's token has this scope."""
        if not has_scope(self.require_principal(), scope):
            raise forbidden(f"This needs the scope {scope.value}.")


def _not_a_customer() -> AccessError:
    return forbidden("Only a customer may do this: log in first.")
