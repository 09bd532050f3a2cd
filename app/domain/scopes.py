"""What the bearer of a token may do: the scopes of integrations, of users of the organisation, and of sessions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum, unique
from functools import lru_cache

from app.domain.principal import Principal, TokenKind


@unique
class Scope(StrEnum):
    """One permission of an integration, or of the user in whose name it acts (RFC 6749 section 3.3)."""

    CUSTOMERS_READ = "customers.read"
    CUSTOMERS_WRITE = "customers.write"
    CUSTOMERS_IMPERSONATE = "customers.impersonate"
    CUSTOMERS_CREDENTIALS = "customers.credentials"
    CUSTOMERS_PRIVACY = "customers.privacy"
    PAYMENTS_READ = "payments.read"


@unique
class ScopeWord(StrEnum):
    """What may stand in the tenants file and in the `scope` of a token: a permission, or a word for some of them."""

    CUSTOMERS_READ = Scope.CUSTOMERS_READ.value
    CUSTOMERS_WRITE = Scope.CUSTOMERS_WRITE.value
    CUSTOMERS_IMPERSONATE = Scope.CUSTOMERS_IMPERSONATE.value
    CUSTOMERS_CREDENTIALS = Scope.CUSTOMERS_CREDENTIALS.value
    CUSTOMERS_PRIVACY = Scope.CUSTOMERS_PRIVACY.value
    PAYMENTS_READ = Scope.PAYMENTS_READ.value
    CUSTOMERS_MANAGE = "customers.manage"
    CUSTOMERS_ANONYMIZE = "customers.anonymize"


_MEANINGS: Mapping[str, frozenset[Scope]] = {
    **{scope.value: frozenset({scope}) for scope in Scope},
    ScopeWord.CUSTOMERS_MANAGE: frozenset(
        {Scope.CUSTOMERS_READ, Scope.CUSTOMERS_WRITE, Scope.CUSTOMERS_IMPERSONATE, Scope.CUSTOMERS_CREDENTIALS}
    ),
    # What the first version called it.
    ScopeWord.CUSTOMERS_ANONYMIZE: frozenset({Scope.CUSTOMERS_PRIVACY}),
}


@lru_cache(maxsize=1024)
def permissions(words: frozenset[str]) -> frozenset[Scope]:
    """Return what the words allow together; a word that we do not know allows nothing."""
    return frozenset[Scope]().union(*(_MEANINGS.get(word, ()) for word in words))


def may_ask_for(word: str, allowed: Collection[Scope]) -> bool:
    """Tell whether this is a word of ours all of whose permissions are among those allowed."""
    return word in _MEANINGS and _MEANINGS[word] <= frozenset(allowed)


def words_within(words: frozenset[str], allowed: frozenset[Scope]) -> frozenset[str]:
    """Return what is left of the words where no more than this is allowed; of a word for several perhaps a part."""
    kept = frozenset(word for word in words if may_ask_for(word, allowed))
    return kept | {scope.value for scope in (permissions(words) & allowed) - permissions(kept)}


def has_scope(principal: Principal, scope: Scope) -> bool:
    """Tell whether the integration, or who acts on the customer's behalf, has the permission at this moment."""
    return scope in permissions(principal.scope)


def may_see_payments(principal: Principal) -> bool:
    """Tell whether the bearer may see payment instruments: customers their own, staff by `payments.read`."""
    is_staff = principal.kind in {TokenKind.INTEGRATION, TokenKind.ON_BEHALF}
    return not is_staff or has_scope(principal, Scope.PAYMENTS_READ)


@unique
class SessionScope(StrEnum):
    """One thing that a session may do: call the root fields that declare this scope, and no other."""

    SESSION_USE = "session.use"
    STOREFRONT_READ = "storefront.read"
    CUSTOMER_SIGNUP = "customer.signup"
    CUSTOMER_LOGIN = "customer.login"
    SOCIAL_BEGIN = "social.begin"
    LOGIN_BEGIN = "login.begin"
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
    INITIAL_PASSWORD = "password.initial"  # noqa: S105 - a scope, not a password


_EVERYBODY = frozenset({SessionScope.SESSION_USE, SessionScope.STOREFRONT_READ})
# Only for customers themselves: staff who act on a customer's behalf have none of these.
_IN_PERSON = frozenset(
    {
        SessionScope.SOCIAL_BEGIN,
        SessionScope.LOGIN_BEGIN,
        SessionScope.CREDENTIALS_RECOVER,
        SessionScope.PRIVACY_CANCEL,
    }
)
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
# What is left to a customer whose password somebody else has chosen, until it is changed.
INITIAL_PASSWORD_SCOPES = frozenset({SessionScope.INITIAL_PASSWORD})
_WORDS = {kind: tuple(sorted(scope.value for scope in scopes)) for kind, scopes in SESSION_SCOPES.items()}


def kinds_with(scope: SessionScope) -> frozenset[TokenKind]:
    """Return the kinds of token that may do this."""
    return frozenset(kind for kind, scopes in SESSION_SCOPES.items() if scope in scopes)


def scope_words(principal: Principal) -> list[str]:
    """Return the `scope` of a token. That of a session ends with its tenant: `tenant=demo`."""
    if principal.kind is TokenKind.INTEGRATION:
        return sorted(principal.scope)
    if principal.must_change_password:
        return [*sorted(INITIAL_PASSWORD_SCOPES), f"tenant={principal.tenant_id}"]
    return [*_WORDS[principal.kind], f"tenant={principal.tenant_id}"]
