"""One provider of social login: its endpoints, the address to send the person to, and the answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NoReturn

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client

from app.adapters.guarded_http import GuardedTransport, ProviderUnavailableError
from app.adapters.social.claims import choose_email, readable_text, tell_email
from app.adapters.social.discovery import Discovery, Endpoints
from app.adapters.social.http import ProviderRefusedError, get_json
from app.adapters.social.id_token import LONGEST_SUBJECT, Expected, check_id_token
from app.adapters.social.keys import ProviderKeys
from app.adapters.social.secrets import client_secret
from app.domain.ports import Clock
from app.domain.social import AuthorizationGrant, AuthorizationRequest, NativeGrant, ProviderTokens, SocialProof
from app.domain.tenants import SocialProvider, Tenant

# Errors of the token endpoint (RFC 6749 section 5.2) that mean a wrong code, not a fault of ours or of the provider.
_REFUSALS = frozenset({"invalid_grant", "access_denied", "invalid_request", "invalid_scope"})
_LONGEST_TOKEN = 16_384


class ProviderClient:
    """Calls one provider of one tenant."""

    def __init__(self, provider: SocialProvider, tenant: Tenant, transport: GuardedTransport, clock: Clock) -> None:
        self.name = f"{tenant.id}/{provider.provider}"
        self._provider = provider
        self._transport = transport
        self._timeout = tenant.social_timeout_seconds
        self._clock = clock
        self._http = httpx2.AsyncClient(transport=transport, timeout=self._timeout, trust_env=False)
        self._discovery = Discovery(provider, clock, self._http, check=transport.check)
        self._keys = ProviderKeys(clock, timedelta(seconds=tenant.social_keys_refetch_seconds), self._fetch_keys)

    async def authorization_url(self, request: AuthorizationRequest) -> str:
        """Return the address that the person is sent to."""
        endpoints = await self._discovery.endpoints()
        parameters = {
            "redirect_uri": request.redirect_uri,
            "code_challenge": request.code_challenge,
            "code_challenge_method": "S256",
        }
        if self._provider.is_openid:
            parameters["nonce"] = request.nonce
        if request.reauthenticates:
            # OpenID Connect Core section 3.1.2.1: the person logs in anew, and the id token says when.
            parameters |= {"prompt": "login", "max_age": "0"}
        if self._provider.response_mode is not None:
            parameters["response_mode"] = self._provider.response_mode
        url, _ = self._oauth_client(endpoints).create_authorization_url(
            endpoints.authorization, state=request.state, **parameters
        )
        return str(url)

    async def prove(self, grant: AuthorizationGrant) -> SocialProof:
        """Trade the code. The id token, or without OpenID the userinfo endpoint, says who the person is."""
        endpoints = await self._discovery.endpoints()
        self._check_issuer(grant.iss, required=endpoints.names_issuer_in_redirect)
        token = await self._fetch_token(endpoints, grant)
        tokens = _read_tokens(token)
        if self._provider.is_openid:
            answers = await self._identify(endpoints, tokens, grant.nonce)
        else:
            answers = [await self._userinfo(endpoints, tokens)]
        return self._proof(answers, tokens)

    async def prove_natively(self, grant: NativeGrant) -> SocialProof:
        """Check the id token that the app has got. It alone says who the person is."""
        endpoints = await self._discovery.endpoints()
        expected = self._expected(grant.nonce, nonce_may_be_hashed=True)
        claims = await check_id_token(grant.id_token, self._keys, endpoints.algorithms, expected)
        return self._proof([claims], None)

    def _check_issuer(self, iss: str | None, *, required: bool) -> None:
        """Refuse an answer from another authorization server (RFC 9207 section 2.4)."""
        if iss != self._provider.issuer and (iss is not None or required):
            raise ProviderRefusedError("the redirect names another issuer, or no issuer")

    async def _fetch_token(self, endpoints: Endpoints, grant: AuthorizationGrant) -> dict[str, Any]:
        try:
            token = await self._oauth_client(endpoints).fetch_token(
                endpoints.token,
                grant_type="authorization_code",
                code=grant.code,
                redirect_uri=grant.redirect_uri,
                code_verifier=grant.code_verifier,
            )
        except OAuthError as error:
            _raise_for(error.error)
        except (ValueError, RecursionError) as error:
            raise ProviderUnavailableError("the answer of its token endpoint is not a JSON object") from error
        return dict(token)

    def _oauth_client(self, endpoints: Endpoints) -> AsyncOAuth2Client:
        """Return a client for one exchange, because it keeps the token that it gets."""
        return AsyncOAuth2Client(
            client_id=self._provider.client_id,
            client_secret=client_secret(self._provider, self._clock.now()),
            token_endpoint_auth_method=endpoints.client_authentication,
            scope=" ".join(self._provider.scopes),
            transport=self._transport,
            timeout=self._timeout,
            trust_env=False,
        )

    async def _identify(self, endpoints: Endpoints, tokens: ProviderTokens, nonce: str) -> list[dict[str, Any]]:
        """Return the claims of the id token, and after them those of the userinfo endpoint if they are needed."""
        if tokens.id_token is None:
            raise ProviderRefusedError("there is no id token")
        expected = self._expected(nonce, access_token=tokens.access_token)
        claims = await check_id_token(tokens.id_token, self._keys, endpoints.algorithms, expected)
        if self._tells_enough(claims) or endpoints.userinfo is None:
            return [claims]
        further = await self._userinfo(endpoints, tokens)
        # Without this check, one person's access token could come with another's id token (Core section 5.3.2).
        if further.get("sub") != claims["sub"]:
            raise ProviderRefusedError("the userinfo endpoint names another subject")
        return [claims, further]

    def _expected(self, nonce: str, *, access_token: str | None = None, nonce_may_be_hashed: bool = False) -> Expected:
        return Expected(
            issuer=self._provider.issuer,
            client_ids=self._provider.own_client_ids,
            nonce=nonce,
            nonce_may_be_hashed=nonce_may_be_hashed,
            access_token=access_token,
            now=int(self._clock.now().timestamp()),
        )

    def _tells_enough(self, claims: dict[str, Any]) -> bool:
        """Tell whether the address, and whether it is verified, are known as far as that matters."""
        told = tell_email(claims, self._provider.claim_names.email)
        return told is not None and (told.is_decided or not self._provider.trusted_email_domains)

    async def _userinfo(self, endpoints: Endpoints, tokens: ProviderTokens) -> dict[str, Any]:
        if endpoints.userinfo is None:
            raise ProviderUnavailableError("it has no userinfo endpoint")
        return await get_json(self._http, endpoints.userinfo, bearer=tokens.access_token)

    async def _fetch_keys(self) -> dict[str, Any]:
        endpoints = await self._discovery.endpoints()
        if endpoints.keys is None:
            raise ProviderUnavailableError("it does not say where its keys are")
        return await get_json(self._http, endpoints.keys)

    def _proof(self, answers: list[dict[str, Any]], tokens: ProviderTokens | None) -> SocialProof:
        """Return what all answers say together; the address is from one answer only, the first that says most."""
        names = self._provider.claim_names
        claims = {name: value for answer in reversed(answers) for name, value in answer.items()}
        email = choose_email([tell_email(answer, names.email) for answer in answers])
        subject = readable_text(claims.get(names.subject))
        if subject is None or len(subject) > LONGEST_SUBJECT:
            raise ProviderRefusedError("it does not say who the person is")
        at = answers[0].get("auth_time")
        return SocialProof(
            issuer=self._provider.issuer,
            subject=subject,
            email=email.address if email is not None else None,
            email_verified=email is not None and email.is_verified,
            first_name=readable_text(claims.get(names.first_name)),
            last_name=readable_text(claims.get(names.last_name)),
            tokens=tokens,
            authenticated_at=at if isinstance(at, int) and not isinstance(at, bool) else None,
        )


def _raise_for(error: object) -> NoReturn:
    # Providers older than the standard, such as Facebook, describe a wrong code with an object.
    if isinstance(error, dict) or error in _REFUSALS:
        raise ProviderRefusedError(f"its token endpoint says {str(error)[:100]}")
    raise ProviderUnavailableError(f"its token endpoint says {str(error)[:100]}")


def _read_tokens(token: dict[str, Any]) -> ProviderTokens:
    access_token, id_token, expires_in = token.get("access_token"), token.get("id_token"), token.get("expires_in")
    if not isinstance(access_token, str) or not 0 < len(access_token) <= _LONGEST_TOKEN:
        raise ProviderUnavailableError("its token endpoint answers without an access token")
    return ProviderTokens(
        access_token=access_token,
        id_token=id_token if isinstance(id_token, str) else None,
        expires_in=expires_in if type(expires_in) is int and expires_in >= 0 else None,
    )
