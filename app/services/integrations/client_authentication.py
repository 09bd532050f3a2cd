"""Authenticates the client at an OAuth endpoint: one method per request; attempts count before they are checked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hmac import compare_digest

from app.domain.client_credentials import fingerprint_secret
from app.domain.oauth import OAuthError, OAuthErrorCode, OAuthRequest
from app.domain.tenants import Client, Tenant
from app.domain.tools import Tools
from app.services.integrations.assertions import Assertion, BadAssertionError, check_assertion, use_up
from app.services.limits import forgive_oauth_client, guard_oauth_client
from app.services.unit_of_work import UnitOfWork

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True, slots=True, repr=False)
class ClientClaim:
    """Who a client says it is, and what it proves that with: one of these secrets, or an assertion."""

    client_id: str
    secrets: tuple[str, ...] = ()
    assertion: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class AuthenticatedClient:
    """A client that has proved itself: by `secret`, or by `assertion`, which is still to be used up."""

    tenant: Tenant
    client: Client
    credential_fingerprint: bytes
    secret: str | None = None
    assertion: Assertion | None = None


def invalid_client(description: str) -> OAuthError:
    """Return the error for a client that is not authenticated, to raise it."""
    return OAuthError(OAuthErrorCode.INVALID_CLIENT, description)


def invalid_request(description: str) -> OAuthError:
    """Return the error for a malformed request, to raise it."""
    return OAuthError(OAuthErrorCode.INVALID_REQUEST, description)


def read_claim(tools: Tools, request: OAuthRequest) -> ClientClaim | None:
    """Return who the client says it is, by `client_secret_basic`, `client_secret_post` or `private_key_jwt`.

    None for a request that tries none of them, `invalid_request` for one that tries more than one.
    """
    parameters, basic = request.parameters, request.basic
    if sum((basic is not None, "client_secret" in parameters, "client_assertion" in parameters)) > 1:
        raise invalid_request("Authenticate the client by one method only.")
    if basic is not None:
        claim = ClientClaim(basic.client_id, secrets=basic.secrets)
    elif "client_secret" in parameters:
        claim = ClientClaim(request.require("client_id"), secrets=(parameters["client_secret"],))
    elif "client_assertion" in parameters:
        claim = _read_client_assertion(tools, request)
    else:
        return None
    if parameters.get("client_id", claim.client_id) != claim.client_id:
        raise invalid_request("client_id must be the client that authenticates.")
    return claim


def _read_client_assertion(tools: Tools, request: OAuthRequest) -> ClientClaim:
    if request.require("client_assertion_type") != ASSERTION_TYPE:
        raise invalid_request(f"client_assertion_type must be {ASSERTION_TYPE}.")
    assertion = request.parameters["client_assertion"]
    client_id = tools.assertions.read_issuer(assertion)
    if client_id is None:
        raise invalid_client("The client assertion is not a JWT with an iss.")
    return ClientClaim(client_id, assertion=assertion)


def enter_tenant_of(uow: UnitOfWork, client_id: str) -> None:
    """Enter the tenant of the claimed client, unless the client is unknown."""
    registered = uow.tools.tenants.find_client(client_id)
    if registered is not None:
        uow.enter(registered[0])


@asynccontextmanager
async def counting_failures(uow: UnitOfWork, client_id: str) -> AsyncIterator[None]:
    """Count a failure of this client before it is looked at, and take it back when all went well."""
    await guard_oauth_client(uow, client_id)
    yield
    await forgive_oauth_client(uow, client_id)


async def authenticate_client(uow: UnitOfWork, request: OAuthRequest) -> AuthenticatedClient:
    """Return the client that the request authenticates, its tenant entered and its assertion used up.

    One `invalid_client` for no method, an unknown client and a wrong secret.
    """
    claim = read_claim(uow.tools, request)
    if claim is None:
        raise invalid_client("Authenticate the client.")
    enter_tenant_of(uow, claim.client_id)
    async with counting_failures(uow, claim.client_id):
        client = prove(uow.tools, claim)
    await use_client_assertion(uow, client)
    return client


def prove(tools: Tools, claim: ClientClaim) -> AuthenticatedClient:
    """Return the client that the claim is right about; `invalid_client` for all others."""
    registered = tools.tenants.find_integration(claim.client_id)
    if claim.assertion is None:
        return _prove_by_secret(registered, claim)
    if registered is None:
        raise invalid_client("The client is unknown.")
    try:
        assertion = check_assertion(tools, *registered, claim.assertion)
    except BadAssertionError as error:
        raise invalid_client(f"The client assertion is not accepted: {error}") from None
    return AuthenticatedClient(*registered, assertion.credential_fingerprint, assertion=assertion)


def _prove_by_secret(registered: tuple[Tenant, Client] | None, claim: ClientClaim) -> AuthenticatedClient:
    expected = registered[1].secret if registered else None
    # Compare something even for an unknown client, so that it takes the same time.
    secret = expected.get_secret_value() if expected else claim.client_id
    is_right = any(compare_digest(presented.encode(), secret.encode()) for presented in claim.secrets)
    if registered is None or expected is None or not is_right:
        raise invalid_client("The client is unknown, or its secret is wrong.")
    return AuthenticatedClient(*registered, fingerprint_secret(claim.client_id, secret), secret=secret)


async def use_client_assertion(uow: UnitOfWork, client: AuthenticatedClient) -> None:
    """Use up the assertion that the client proved itself by, where it was one; `invalid_client` for a used one."""
    if client.assertion is None:
        return
    try:
        await use_up(uow, client.client, client.assertion)
    except BadAssertionError as error:
        raise invalid_client(f"The client assertion is not accepted: {error}") from None
