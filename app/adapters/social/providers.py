"""Social login with any OpenID provider, or OAuth 2 provider without OpenID, on Authlib's OAuth 2 client."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ssl import SSLContext

import httpx2

from app.adapters.guarded_http import GuardedTransport, ProviderUnavailableError
from app.adapters.social.http import ProviderRefusedError
from app.adapters.social.provider import ProviderClient
from app.domain.errors import Refused, UserErrorCode
from app.domain.ports import Clock
from app.domain.social import AuthorizationGrant, AuthorizationRequest, NativeGrant, SocialProof
from app.domain.tenants import SocialProvider, Tenant

# How many calls to one provider may run at once, and how many may wait. Any others are refused at once.
MOST_IN_FLIGHT = 8
MOST_WAITING = 32

logger = logging.getLogger(__name__)


class SocialProviders:
    """All providers of all tenants, each with its own limits, so that a slow one slows no other.

    `loopback` allows http to this machine (development); `tls` replaces the system's trusted authorities.
    """

    def __init__(self, clock: Clock, *, loopback: bool, tls: SSLContext | None = None) -> None:
        self._clock = clock
        self._loopback = loopback
        # We limit the calls ourselves, because one provider could fill a shared pool and make all others wait.
        self._transport = httpx2.AsyncHTTPTransport(
            verify=tls or True, trust_env=False, limits=httpx2.Limits(max_connections=None)
        )
        self._gates: dict[tuple[str, str], _Gate] = {}

    async def authorization_url(self, tenant: Tenant, provider: SocialProvider, request: AuthorizationRequest) -> str:
        """Return the provider's address that the person is sent to (RFC 6749 section 4.1.1)."""
        async with self._gate(tenant, provider).pass_through() as client:
            return await client.authorization_url(request)

    async def prove(self, tenant: Tenant, provider: SocialProvider, grant: AuthorizationGrant) -> SocialProof:
        """Trade the code for what the provider knows about the person. The code is sent only once."""
        async with self._gate(tenant, provider).pass_through() as client:
            return await client.prove(grant)

    async def prove_natively(self, tenant: Tenant, provider: SocialProvider, grant: NativeGrant) -> SocialProof:
        """Return what an id token says about the person. The provider is asked for nothing but its keys."""
        async with self._gate(tenant, provider).pass_through() as client:
            return await client.prove_natively(grant)

    async def revoke(self, tenant: Tenant, provider: SocialProvider, refresh_token: str) -> None:
        """Hand a refresh token back (RFC 7009); raises `OSError` where the provider has not taken it."""
        try:
            async with self._gate(tenant, provider).pass_through() as client:
                await client.revoke(refresh_token)
        except Refused as refusal:
            raise OSError(str(refusal.__cause__ or refusal.message)) from refusal

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    def _gate(self, tenant: Tenant, provider: SocialProvider) -> _Gate:
        key = (tenant.id, provider.provider)
        gate = self._gates.get(key)
        # A shop that has changed is another object: its provider is asked anew, by its new settings.
        if gate is None or gate.tenant is not tenant:
            transport = GuardedTransport(
                self._transport, most_bytes=tenant.limits.social_answer_max_bytes, loopback=self._loopback
            )
            client = ProviderClient(provider, tenant, transport, self._clock)
            self._gates[key] = gate = _Gate(client, tenant)
        return gate


class _Gate:
    """Allows a few calls to one provider at a time, each for as long as the tenant says, including the wait."""

    def __init__(self, client: ProviderClient, tenant: Tenant) -> None:
        self.tenant = tenant
        self._client = client
        self._seconds = tenant.social_timeout_seconds
        self._turns = asyncio.Semaphore(MOST_IN_FLIGHT)
        self._inside = 0

    @asynccontextmanager
    async def pass_through(self) -> AsyncIterator[ProviderClient]:
        """Wait for a place. Failures are raised as `Refused`, and their cause is logged."""
        if self._inside >= MOST_IN_FLIGHT + MOST_WAITING:
            raise self._unavailable("too many calls are waiting for it")
        self._inside += 1
        try:
            async with asyncio.timeout(self._seconds), self._turns:
                yield self._client
        except (TimeoutError, httpx2.TimeoutException):
            raise self._unavailable(f"no answer within {self._seconds} s") from None
        except (httpx2.HTTPError, httpx2.InvalidURL, ProviderUnavailableError) as error:
            raise self._unavailable(f"{type(error).__name__}: {error}") from error
        except ProviderRefusedError as error:
            logger.warning("social login refused", extra={"provider": self._client.name, "cause": str(error)})
            told = f" It says: {error.told}" if error.told else ""
            raise Refused(
                UserErrorCode.PROVIDER_REFUSED, f"The provider did not confirm who you are. Please try again.{told}"
            ) from error
        finally:
            self._inside -= 1

    def _unavailable(self, cause: str) -> Refused:
        logger.warning("social provider unavailable", extra={"provider": self._client.name, "cause": cause})
        return Refused(
            UserErrorCode.PROVIDER_UNAVAILABLE,
            "The provider does not answer at the moment. Please try again later, or sign in another way.",
        )
