"""The OAuth endpoints: issue, introspect and revoke the tokens of integrations."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from app.domain.audit import AuditAction
from app.domain.oauth import GrantType, OAuthError, OAuthErrorCode, OAuthRequest
from app.domain.principal import Owner, Principal, TokenKind
from app.domain.scopes import may_ask_for, permissions, scope_words
from app.domain.tokens import read_prefix
from app.domain.tools import Tools
from app.services.audit import record, record_failure
from app.services.caller import Caller
from app.services.callers.authentication import authenticate
from app.services.callers.integration_tokens import (
    describe_organization,
    issue_integration_token,
    read_integration_token,
)
from app.services.integrations.assertions import Assertion, BadAssertionError, check_assertion, use_up
from app.services.integrations.client_authentication import (
    AuthenticatedClient,
    ClientClaim,
    authenticate_client,
    counting_failures,
    enter_tenant_of,
    invalid_client,
    invalid_request,
    prove,
    read_claim,
    use_client_assertion,
)
from app.services.limits import guard_oauth_token
from app.services.unit_of_work import UnitOfWork

INACTIVE: Mapping[str, Any] = {"active": False}


@dataclass(frozen=True, slots=True, repr=False)
class IssuedToken:
    """An integration's access token; `expires_in` in whole seconds."""

    access_token: str
    expires_in: int
    scope: frozenset[str]


@dataclass(frozen=True, slots=True, repr=False)
class _Request:
    """Who the client says it is, none of it proved yet: by `claim`, or else by nothing but the assertion."""

    grant_type: GrantType
    client_id: str
    claim: ClientClaim | None
    assertion: str | None


@dataclass(frozen=True, slots=True, repr=False)
class _Grant:
    """What was proved: the client, and with an assertion in whose name it acts."""

    client: AuthenticatedClient
    assertion: Assertion | None = None

    @property
    def owner(self) -> Owner | None:
        return self.assertion.owner if self.assertion else None


async def issue_token(tools: Tools, request: OAuthRequest) -> IssuedToken:
    """Give an integration an access token (RFC 6749 section 4.4, RFC 7523 section 2.1).

    The scope is what was asked for, all of it the client's own, or else everything that the client has; in the name of
    a user of the organisation it is never more than what that user may do as well. An assertion counts once, however
    many requests bring it at the same moment. Raises `OAuthError`, and `AccessError` RATE_LIMITED.
    """
    asked = _read_request(tools, request)
    async with UnitOfWork(tools, Caller(request.facts)) as uow:
        enter_tenant_of(uow, asked.client_id)
        await guard_oauth_token(uow)
        async with _recording_failures(uow, asked):
            async with counting_failures(uow, asked.client_id):
                grant = _prove(tools, asked)
            scope = _choose_scope(grant, request.parameters.get("scope"))
            await _use_up(uow, grant)
        token = await issue_integration_token(
            uow, grant.client.client, grant.client.credential_fingerprint, scope, grant.owner
        )
        await record(uow, AuditAction.INTEGRATION_TOKEN, None, **_describe_grant(asked, grant, scope))
        return IssuedToken(token, uow.tenant.integration_token_seconds, scope)


def _read_request(tools: Tools, request: OAuthRequest) -> _Request:
    grant_type = _read_grant_type(request)
    assertion = request.require("assertion") if grant_type is GrantType.JWT_BEARER else None
    claim = read_claim(tools, request)
    if claim is not None:
        return _Request(grant_type, claim.client_id, claim, assertion)
    if assertion is None:
        raise invalid_client("Authenticate the client.")
    issuer = tools.assertions.read_issuer(assertion)
    if issuer is None:
        raise _invalid_grant("It is not a JWT with an iss.")
    if request.parameters.get("client_id", issuer) != issuer:
        raise invalid_request("client_id must be the client that made the assertion.")
    return _Request(grant_type, issuer, None, assertion)


def _read_grant_type(request: OAuthRequest) -> GrantType:
    try:
        return GrantType(request.require("grant_type"))
    except ValueError:
        raise OAuthError(
            OAuthErrorCode.UNSUPPORTED_GRANT_TYPE,
            f"The grants are {' and '.join(GrantType)}.",
        ) from None


def _prove(tools: Tools, asked: _Request) -> _Grant:
    """Return what holds of the request; `invalid_client` or `invalid_grant` where it does not."""
    if asked.assertion is None:
        return _Grant(prove(tools, asked.claim or ClientClaim(asked.client_id)))
    client = prove(tools, asked.claim) if asked.claim else None
    registered = tools.tenants.find_integration(asked.client_id)
    if registered is None or (client is None and not registered[1].keys):
        raise invalid_client("An assertion alone is enough only for a client whose key is registered.")
    try:
        assertion = check_assertion(tools, *registered, asked.assertion, secret=client.secret if client else None)
    except BadAssertionError as error:
        raise _invalid_grant(str(error)) from None
    return _Grant(client or AuthenticatedClient(*registered, assertion.credential_fingerprint), assertion)


def _invalid_grant(description: str) -> OAuthError:
    return OAuthError(OAuthErrorCode.INVALID_GRANT, f"The assertion is not accepted: {description}")


def _choose_scope(grant: _Grant, asked: str | None) -> frozenset[str]:
    most = grant.client.tenant.scopes_of(grant.client.client, grant.owner)
    if asked is None:
        return most
    allowed = permissions(most)
    names = asked.split(" ")
    if not all(may_ask_for(name, allowed) for name in names):
        whose = "scopes only that it and the owner both have" if grant.owner else "own scopes only"
        raise OAuthError(OAuthErrorCode.INVALID_SCOPE, f"The client may ask for {whose}, parted by spaces.")
    return frozenset(names)


async def _use_up(uow: UnitOfWork, grant: _Grant) -> None:
    await use_client_assertion(uow, grant.client)
    if grant.assertion is not None:
        try:
            await use_up(uow, grant.client.client, grant.assertion)
        except BadAssertionError as error:
            raise _invalid_grant(str(error)) from None


@asynccontextmanager
async def _recording_failures(uow: UnitOfWork, asked: _Request) -> AsyncIterator[None]:
    """Have a refusal written into the audit of the tenant whose client the request says to be from."""
    try:
        yield
    except OAuthError as error:
        if uow.has_tenant:
            record_failure(
                uow,
                AuditAction.INTEGRATION_TOKEN,
                None,
                client_id=asked.client_id,
                grant=asked.grant_type.name.lower(),
                code=error.code.value,
            )
        raise


def _describe_grant(asked: _Request, grant: _Grant, scope: frozenset[str]) -> dict[str, str]:
    detail = {
        "client_id": asked.client_id,
        "grant": asked.grant_type.name.lower(),
        "scope": " ".join(sorted(scope)),
    }
    return {**detail, "owner_id": grant.owner.id} if grant.owner else detail


async def introspect(tools: Tools, request: OAuthRequest) -> Mapping[str, Any]:
    """Return what an access token is worth at this moment (RFC 7662); to its own tenant's integrations only.

    What counts for nothing, refresh tokens, saas tokens and the tokens of other tenants are all just not active.
    """
    token = request.require("token")
    async with UnitOfWork(tools, Caller(request.facts)) as uow:
        client = await authenticate_client(uow, request)
    caller = await authenticate(tools, replace(request.facts, token=token))
    if caller.principal is None or caller.principal.tenant_id != client.tenant.id:
        return INACTIVE
    return {name: value for name, value in _describe(tools, caller.principal).items() if value is not None}


def _describe(tools: Tools, principal: Principal) -> dict[str, Any]:
    owner, actor = principal.owner, principal.actor
    is_integration = principal.kind is TokenKind.INTEGRATION
    return {
        "active": True,
        "token_type": "Bearer",
        "kind": principal.kind.value,
        "iss": tools.public_url,
        "exp": int(principal.expires_at.timestamp()),
        "client_id": principal.client_id,
        "scope": " ".join(scope_words(principal)),
        "sub": principal.client_id if is_integration else principal.customer_id,
        "jti": principal.token_id,
        "sid": principal.session_id,
        "legal_entity_id": principal.legal_entity_id,
        "organization": describe_organization(principal.tenant_id) if is_integration else None,
        "test": tools.test if is_integration else None,
        "owner": {"id": owner.id, "type": owner.type} if owner else None,
        "act": {"sub": actor.id, "type": actor.type} if actor else None,
    }


async def revoke(tools: Tools, request: OAuthRequest) -> None:
    """End an integration's own access token (RFC 7009); what is no token of the tenant's is as good as ended.

    `unauthorized_client` for a token of another client, `unsupported_token_type` for those of storefronts: `logout`.
    """
    token = request.require("token")
    if read_prefix(token) is not None:
        raise OAuthError(
            OAuthErrorCode.UNSUPPORTED_TOKEN_TYPE,
            "Tokens of a session cannot be revoked here: call logout.",
        )
    claims = read_integration_token(tools, token)
    async with UnitOfWork(tools, Caller(request.facts)) as uow:
        client = await authenticate_client(uow, request)
        if claims is None or claims["organization"]["id"] != client.tenant.id:
            return
        is_own = claims["application"]["client_id"] == client.client.id
        if is_own and await uow.integration_tokens.revoke(claims["jti"], uow.now):
            await record(
                uow, AuditAction.INTEGRATION_TOKEN_REVOKED, None, client_id=client.client.id, token_id=claims["jti"]
            )
    if not is_own:
        raise OAuthError(OAuthErrorCode.UNAUTHORIZED_CLIENT, "The token was issued to another client.")
