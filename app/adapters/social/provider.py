"""One provider of social login: its endpoints, the address to send the person to, and the answer."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx2
from authlib.common.urls import add_params_to_uri

from app.adapters.guarded_http import GuardedTransport, ProviderUnavailableError
from app.adapters.social.claims import choose_email, make_proof, subject_text, tell_email
from app.adapters.social.discovery import Discovery, Endpoints
from app.adapters.social.http import ProviderRefusedError
from app.adapters.social.id_token import Expected, check_id_token
from app.adapters.social.kept import Ages
from app.adapters.social.keys import ProviderKeys
from app.adapters.social.rules import rules_of
from app.adapters.social.token_endpoint import revoke_token, trade_code
from app.adapters.social.userinfo import Userinfo
from app.domain.ports import Clock
from app.domain.social import AuthorizationGrant, AuthorizationRequest, NativeGrant, ProviderTokens, SocialProof
from app.domain.tenants import ClaimNames, SocialProvider, Tenant

logger = logging.getLogger(__name__)


class ProviderClient:
    """Calls one provider of one tenant."""

    def __init__(self, provider: SocialProvider, tenant: Tenant, transport: GuardedTransport, clock: Clock) -> None:
        self.name = f"{tenant.id}/{provider.provider}"
        self._provider = provider
        self._rules = rules_of(provider)
        self._clock = clock
        self._http = httpx2.AsyncClient(transport=transport, timeout=tenant.social_timeout_seconds, trust_env=False)
        ages = Ages(
            lifetime=timedelta(seconds=tenant.social_keys_seconds),
            pause=timedelta(seconds=tenant.social_keys_refetch_seconds),
            seconds=tenant.social_timeout_seconds,
        )
        self._discovery = Discovery(provider, clock, ages, self._http, check=transport.check)
        self._keys = ProviderKeys(provider, clock, ages, self._discovery, self._http)
        self._userinfo = Userinfo(provider, self._http, self._keys, clock)

    async def authorization_url(self, request: AuthorizationRequest) -> str:
        """Return the address that the person is sent to."""
        endpoints = await self._discovery.endpoints()
        provider, rules = self._provider, self._rules
        parameters = {
            **provider.authorization_parameters,
            **dict(request.parameters),
            "response_type": "code",
            provider.client_id_parameter: provider.client_id,
            "redirect_uri": request.redirect_uri,
            "scope": rules.scope_separator.join(provider.scopes),
            "state": request.state,
        }
        if rules.sends_verifier:
            parameters |= {"code_challenge": request.code_challenge, "code_challenge_method": "S256"}
        if provider.is_openid and rules.sends_nonce:
            parameters["nonce"] = request.nonce
        if request.reauthenticates:
            # OpenID Connect Core section 3.1.2.1: the person logs in anew, and the id token says when.
            parameters |= {"prompt": "login", "max_age": "0"}
        if provider.response_mode is not None:
            parameters["response_mode"] = provider.response_mode
        return str(add_params_to_uri(endpoints.authorization, list(parameters.items())))

    async def prove(self, grant: AuthorizationGrant) -> SocialProof:
        """Trade the code. The id token, or without OpenID the userinfo endpoint, says who the person is."""
        endpoints = await self._discovery.endpoints()
        self._check_issuer(endpoints, grant.iss)
        tokens, refresh_token = await trade_code(self._http, self._provider, endpoints, grant, self._clock.now())
        if self._provider.is_openid:
            proof = await self._prove_openid(endpoints, tokens, grant)
        else:
            proof = await self._prove_by_userinfo(endpoints, tokens)
        return replace(proof, refresh_token=refresh_token)

    async def revoke(self, refresh_token: str) -> None:
        """Revoke a refresh token that the provider has given us (RFC 7009)."""
        endpoints = await self._discovery.endpoints()
        await revoke_token(self._http, self._provider, endpoints, refresh_token, self._clock.now())

    async def _prove_by_userinfo(self, endpoints: Endpoints, tokens: ProviderTokens) -> SocialProof:
        if endpoints.userinfo is None:
            raise ProviderUnavailableError("it has no userinfo endpoint")
        told = await self._userinfo.ask(endpoints.userinfo, tokens.access_token)
        return await self._proof(self._provider.issuer, [told], tokens)

    async def prove_natively(self, grant: NativeGrant) -> SocialProof:
        """Check the id token that the app has got. It alone says who the person is."""
        endpoints = await self._discovery.endpoints()
        expected = self._expected(endpoints, grant.nonce, nonce_may_be_hashed=True)
        claims = await check_id_token(grant.id_token, self._keys, expected)
        # Where a code brings no id token, the names are those of another answer.
        names = self._provider.claim_names if self._provider.is_openid else ClaimNames()
        email = tell_email(claims, names, self._rules, self._provider)
        return make_proof(claims["iss"], [claims], names, email, None)

    def _check_issuer(self, endpoints: Endpoints, iss: str | None) -> None:
        """Refuse an answer from another authorization server (RFC 9207 section 2.4)."""
        if iss is None and endpoints.names_issuer_in_redirect:
            raise ProviderRefusedError(f"the redirect names no issuer, and should name {endpoints.issuer!r}")
        if iss is not None and not self._rules.may_redirect_as(endpoints.issuer, iss):
            raise ProviderRefusedError(f"the redirect names the issuer {iss[:300]!r}, not {endpoints.issuer!r}")

    async def _prove_openid(
        self, endpoints: Endpoints, tokens: ProviderTokens, grant: AuthorizationGrant
    ) -> SocialProof:
        """Return what the id token says, and the userinfo endpoint if that is needed."""
        if tokens.id_token is None:
            raise ProviderRefusedError("there is no id token")
        expected = self._expected(
            endpoints,
            grant.nonce,
            access_token=tokens.access_token,
            max_age=grant.max_age,
            asked_at=grant.asked_at,
            nonce_may_be_missing=not self._rules.sends_nonce,
        )
        claims = await check_id_token(tokens.id_token, self._keys, expected)
        if grant.iss is not None and grant.iss != claims["iss"]:
            raise ProviderRefusedError(f"the redirect names the issuer {grant.iss!r}, the id token {claims['iss']!r}")
        further = await self._further(endpoints, tokens, claims)
        return await self._proof(claims["iss"], [claims, *further], tokens)

    async def _further(
        self, endpoints: Endpoints, tokens: ProviderTokens, claims: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Return what the userinfo endpoint adds; where the id token suffices, an answer of no use is left aside."""
        told = tell_email(claims, self._provider.claim_names, self._rules, self._provider)
        if endpoints.userinfo is None:
            return []
        if told is not None and (told.is_decided or not self._provider.trusted_email_domains):
            return []
        try:
            further = await self._userinfo.ask(endpoints.userinfo, tokens.access_token)
            # Without this check, one person's access token could come with another's id token (Core section 5.3.2).
            if subject_text(further.get("sub")) != claims["sub"]:
                raise ProviderRefusedError("the userinfo endpoint names another subject")
        except (ProviderUnavailableError, ProviderRefusedError) as error:
            if told is None and "email" in self._provider.scopes:
                raise
            logger.warning("userinfo left aside", extra={"provider": self.name, "cause": str(error)})
            return []
        return [further]

    def _expected(
        self,
        endpoints: Endpoints,
        nonce: str,
        *,
        access_token: str | None = None,
        max_age: int | None = None,
        asked_at: int = 0,
        nonce_may_be_hashed: bool = False,
        nonce_may_be_missing: bool = False,
    ) -> Expected:
        return Expected(
            asked=self._provider.issuer,
            is_issuer=self._rules.is_issuer,
            issuer_of=lambda claims: self._rules.issuer_of(self._provider, endpoints.issuer, claims),
            client_ids=self._provider.own_client_ids,
            nonce=nonce,
            nonce_may_be_hashed=nonce_may_be_hashed,
            nonce_may_be_missing=nonce_may_be_missing,
            access_token=access_token,
            max_age=max_age,
            asked_at=asked_at,
            now=int(self._clock.now().timestamp()),
        )

    async def _proof(self, issuer: str, answers: list[dict[str, Any]], tokens: ProviderTokens) -> SocialProof:
        """Return what all answers say together; the address is from one answer only, the first that says most."""
        names = self._provider.claim_names
        listed = await self._userinfo.list_emails(tokens.access_token)
        told = [tell_email(answer, names, self._rules, self._provider) for answer in answers]
        return make_proof(issuer, answers, names, choose_email([listed, *told]), tokens)
