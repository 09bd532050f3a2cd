"""Social logins: a session begins one, and the same session finishes it once."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import timedelta

from app.domain.errors import DomainError, Refused, UserErrorCode, refuse
from app.domain.problems import Problems
from app.domain.social import (
    AuthorizationGrant,
    AuthorizationRequest,
    SocialProof,
    answers_challenge,
    parse_code_challenge,
    parse_code_verifier,
)
from app.domain.tenants import SocialProvider
from app.domain.tokens import OpaqueToken, TokenPrefix, hash_token
from app.models.social import SocialState
from app.services.limits import guard_social
from app.services.unit_of_work import UnitOfWork

LONGEST_CODE = 2_048


@dataclass(frozen=True, slots=True, repr=False)
class BegunSocialLogin:
    """Where to send the person, and the state that must come back; `expires_in` in seconds."""

    authorization_url: str
    state: str
    expires_in: int


@dataclass(frozen=True, slots=True, repr=False)
class ProviderAnswer:
    """What the client brings back from a provider."""

    provider: str
    code: str
    redirect_uri: str
    code_verifier: str
    state: str
    iss: str | None = None


async def begin_social_login(
    uow: UnitOfWork, provider_id: str, redirect_uri: str, code_challenge: str
) -> BegunSocialLogin:
    """Begin a social login in the caller's session; if too many are open, the oldest is deleted.

    PROVIDER_UNKNOWN, REDIRECT_URI_NOT_ALLOWED, INVALID at `codeChallenge`, PROVIDER_UNAVAILABLE.
    """
    await guard_social(uow)
    problems = Problems()
    provider = problems.check(lambda name: _parse_provider(uow, name), provider_id, "provider")
    problems.check(lambda uri: _parse_redirect_uri(uow, uri), redirect_uri, "redirectUri")
    problems.check(parse_code_challenge, code_challenge, "codeChallenge")
    problems.raise_if_any()
    if provider is None:
        raise RuntimeError("An unknown provider is a problem that has been raised.")
    random = uow.tools.random
    state = OpaqueToken.of(TokenPrefix.SOCIAL_STATE, random.secret())
    nonce = urlsafe_b64encode(random.secret()).rstrip(b"=").decode()
    request = AuthorizationRequest(redirect_uri, state.text, nonce, code_challenge)
    try:
        url = await uow.tools.social.authorization_url(uow.tenant, provider, request)
    except Refused as refusal:
        raise refuse(refusal.code, refusal.message, "provider") from refusal
    await _keep(uow, provider, request, state)
    return BegunSocialLogin(url, state.text, uow.tenant.social_state_seconds)


def _parse_provider(uow: UnitOfWork, provider_id: str) -> SocialProvider:
    provider = uow.tenant.find_social_provider(provider_id)
    if provider is None:
        known = ", ".join(each.provider for each in uow.tenant.social) or "none"
        raise Refused(UserErrorCode.PROVIDER_UNKNOWN, f"The shop has no such provider; it has: {known}.")
    return provider


def _parse_redirect_uri(uow: UnitOfWork, redirect_uri: str) -> str:
    client = uow.tenant.find_client(uow.caller.require_principal().client_id)
    if client is None or redirect_uri not in client.redirect_uris:
        raise Refused(
            UserErrorCode.REDIRECT_URI_NOT_ALLOWED,
            "The client has not registered this redirect URI. It must be exactly the same text.",
        )
    return redirect_uri


async def _keep(uow: UnitOfWork, provider: SocialProvider, request: AuthorizationRequest, state: OpaqueToken) -> None:
    principal = uow.caller.require_principal()
    session_id = principal.session_id or ""
    # The lock makes the count right for simultaneous calls.
    await uow.sessions.lock(session_id)
    most = uow.tenant.limits.social_states_per_session
    so_far = await uow.social_states.list_open(session_id, uow.now)
    for oldest in so_far[: max(0, len(so_far) + 1 - most)]:
        await uow.social_states.delete(oldest.state_hash)
    await uow.social_states.add(
        SocialState(
            tenant_id=uow.tenant.id,
            state_hash=state.hash,
            session_id=session_id,
            customer_id=principal.customer_id,
            provider=provider.provider,
            issuer=provider.issuer,
            redirect_uri=request.redirect_uri,
            code_challenge=request.code_challenge,
            nonce=request.nonce,
            created_at=uow.now,
            expires_at=uow.now + timedelta(seconds=uow.tenant.social_state_seconds),
        )
    )


async def prove(uow: UnitOfWork, answer: ProviderAnswer) -> tuple[SocialProvider, SocialProof]:
    """Use the state up, trade the code at the provider, and return who came back. Writes nothing in this unit of work.

    PROVIDER_UNKNOWN; REQUIRED, TOO_LONG at `code`; TOO_SHORT, TOO_LONG, INVALID at `codeVerifier`; TOKEN_INVALID,
    TOKEN_EXPIRED at `state`; REDIRECT_URI_NOT_ALLOWED; PROVIDER_REFUSED, PROVIDER_UNAVAILABLE.
    """
    await guard_social(uow)
    problems = Problems()
    provider = problems.check(lambda name: _parse_provider(uow, name), answer.provider, "provider")
    problems.check(_parse_code, answer.code, "code")
    problems.check(parse_code_verifier, answer.code_verifier, "codeVerifier")
    problems.raise_if_any()
    if provider is None:
        raise RuntimeError("An unknown provider is a problem that has been raised.")
    state = await _claim(uow, answer.state)
    _check_fits(uow, state, provider, answer)
    grant = AuthorizationGrant(
        code=answer.code,
        redirect_uri=state.redirect_uri,
        code_verifier=answer.code_verifier,
        nonce=state.nonce,
        iss=answer.iss,
    )
    try:
        proof = await uow.tools.social.prove(uow.tenant, provider, grant)
    except Refused as refusal:
        raise refuse(refusal.code, refusal.message, "provider") from refusal
    return provider, proof


def _parse_code(code: str) -> str:
    if not code:
        raise Refused(
            UserErrorCode.REQUIRED,
            "The code is missing: it is in the address that the provider sent the person back to.",
        )
    if len(code) > LONGEST_CODE:
        raise Refused(UserErrorCode.TOO_LONG, f"The code may have at most {LONGEST_CODE} characters.")
    return code


async def _claim(uow: UnitOfWork, text: str) -> SocialState:
    """Use the state up for good, whatever comes of it, and before the provider is asked: nobody waits for it here."""
    state_hash, session_id = hash_token(text), uow.caller.require_principal().session_id or ""
    async with UnitOfWork(uow.tools, uow.caller) as claiming:
        claimed = await claiming.social_states.claim(state_hash, session_id, claiming.now)
        state = await claiming.social_states.find(state_hash, session_id)
    if state is not None and claimed:
        return state
    if state is not None and state.used_at is None:
        raise refuse(UserErrorCode.TOKEN_EXPIRED, "This took too long. Please begin again.", "state")
    raise _invalid_state()


def _invalid_state() -> DomainError:
    return refuse(
        UserErrorCode.TOKEN_INVALID,
        "This social login was begun in another session, or is finished. Please begin again.",
        "state",
    )


def _check_fits(uow: UnitOfWork, state: SocialState, provider: SocialProvider, answer: ProviderAnswer) -> None:
    """Refuse an answer that does not fit the request."""
    if (state.provider, state.issuer) != (provider.provider, provider.issuer):
        raise _invalid_state()
    if state.customer_id != uow.caller.require_principal().customer_id:
        raise _invalid_state()
    if state.redirect_uri != answer.redirect_uri:
        raise refuse(
            UserErrorCode.REDIRECT_URI_NOT_ALLOWED,
            "The social login was begun with another redirect URI.",
            "redirectUri",
        )
    if not answers_challenge(answer.code_verifier, state.code_challenge):
        raise refuse(UserErrorCode.INVALID, "The code challenge was not made from this code verifier.", "codeVerifier")
