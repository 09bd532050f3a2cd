"""What the bearer of a token may do: the scopes of integrations, of users of the organisation, and of sessions."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum, unique

from app.domain.principal import Principal, TokenKind


@unique
class Scope(StrEnum):
    """One permission, as written in the tenants file and in the `scope` claim of a token (RFC 6749 section 3.3)."""

    CUSTOMERS_READ = "customers.read"
    CUSTOMERS_MANAGE = "customers.manage"
    CUSTOMERS_ANONYMIZE = "customers.anonymize"


@unique
class SessionScope(StrEnum):
    """One thing that a session may do: call the root fields that declare this scope, and no other."""

    SESSION_USE = "session.use"
    STOREFRONT_READ = "storefront.read"
    CUSTOMER_SIGNUP = "customer.signup"
    CUSTOMER_LOGIN = "customer.login"
    SOCIAL_BEGIN = "social.begin"
    CREDENTIALS_RECOVER = "credentials.recover"
    PRIVACY_CANCEL = "privacy.cancel"
    PROFILE_READ = "profile.read"
    PROFILE_WRITE = "profile.write"
    ADDRESSES_WRITE = "addresses.write"
    PAYMENT_WRITE = "payment.write"
    LISTS_WRITE = "lists.write"
    SESSIONS_MANAGE = "sessions.manage"
    CREDENTIALS_WRITE = "credentials.write"
    PRIVACY = "privacy"


_EVERYBODY = frozenset({SessionScope.SESSION_USE, SessionScope.STOREFRONT_READ})
# Only for customers themselves: staff who act on a customer's behalf have none of these.
_IN_PERSON = frozenset({SessionScope.SOCIAL_BEGIN, SessionScope.CREDENTIALS_RECOVER, SessionScope.PRIVACY_CANCEL})
_ACCOUNT = frozenset(
    {
        SessionScope.PROFILE_READ,
        SessionScope.PROFILE_WRITE,
        SessionScope.ADDRESSES_WRITE,
        SessionScope.PAYMENT_WRITE,
        SessionScope.LISTS_WRITE,
        SessionScope.SESSIONS_MANAGE,
    }
)

SESSION_SCOPES: Mapping[TokenKind, frozenset[SessionScope]] = {
    TokenKind.ANONYMOUS: _EVERYBODY | _IN_PERSON | {SessionScope.CUSTOMER_SIGNUP, SessionScope.CUSTOMER_LOGIN},
    TokenKind.CUSTOMER: _EVERYBODY | _IN_PERSON | _ACCOUNT | {SessionScope.CREDENTIALS_WRITE, SessionScope.PRIVACY},
    TokenKind.ON_BEHALF: _EVERYBODY | _ACCOUNT,
}
_WORDS = {kind: tuple(sorted(scope.value for scope in scopes)) for kind, scopes in SESSION_SCOPES.items()}


def kinds_with(scope: SessionScope) -> frozenset[TokenKind]:
    """Return the kinds of token that may do this."""
    return frozenset(kind for kind, scopes in SESSION_SCOPES.items() if scope in scopes)


def scope_words(principal: Principal) -> list[str]:
    """Return the `scope` of a token. That of a session ends with its tenant: `tenant=demo`."""
    if principal.kind is TokenKind.INTEGRATION:
        return sorted(principal.scope)
    return [*_WORDS[principal.kind], f"tenant={principal.tenant_id}"]
