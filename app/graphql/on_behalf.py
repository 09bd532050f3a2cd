"""Staff acting for a customer, in GraphQL."""

from __future__ import annotations

import strawberry

from app.domain.principal import TokenKind
from app.domain.scopes import Scope
from app.graphql.context import Info
from app.graphql.customers import present_customer
from app.graphql.fields import mutation
from app.graphql.sessions import LoginPayload, present_tokens
from app.services.staff import on_behalf as service


@strawberry.input(description="The customer to act for, and why.")
class LoginOnBehalfInput:
    """Customer and reason."""

    customer_id: strawberry.ID = strawberry.field(description="The id of the customer to act for.")
    reason: str = strawberry.field(
        description="The reason, which the customer can read: `Phone order 4711`. At most 200 characters."
    )


@strawberry.type
class StaffAccessMutations:
    """Root mutation fields with which staff act for a customer."""

    @mutation(kinds=(TokenKind.INTEGRATION,), scope=Scope.CUSTOMERS_IMPERSONATE)
    async def login_on_behalf(self, info: Info, input: LoginOnBehalfInput) -> LoginPayload:
        """Get an access token to act for a customer. It lasts 15 minutes; there is no refresh token.

        It shows who acts in `tokenInfo`, in the customer's `sessions` and in the audit: the user whom the integration's
        token names as its owner, or else the integration itself; for other services in `act` of the saas token. It does
        not serve for password, e-mail, ways to sign in and privacy, whose words its `scope` lacks. `logout` ends it.
        Who: an integration with the scope `customers.impersonate`.
        User errors: `REQUIRED`, `TOO_LONG`, `INVALID` at `reason`; `NOT_FOUND`, `ANONYMIZATION_OPEN`,
        `ACCOUNT_MERGED`, `ACCOUNT_INACTIVE`, `ACCOUNT_ON_HOLD` at `customerId`: nobody can act for this customer now.
        Errors: `UNAUTHENTICATED`: get a new token at `/oauth/token`; `FORBIDDEN`: the token lacks the scope.
        """
        logged_in = await service.login_on_behalf(info.context.uow, input.customer_id, input.reason)
        return LoginPayload(tokens=present_tokens(logged_in.tokens), customer=present_customer(logged_in.customer))
