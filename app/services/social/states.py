"""Social logins: a session begins one, and the same session finishes it once, by its state or by its nonce."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from app.domain.errors import DomainError, FieldError, Refused, UserErrorCode, refuse
from app.domain.problems import Problems
from app.domain.social import (
    AuthorizationGrant,
    AuthorizationRequest,
    NativeGrant,
    SocialProof,
    answers_challenge,
    parse_code_challenge,
)
from app.domain.tenants import SocialProvider
from app.domain.tokens import OpaqueToken, TokenPrefix, hash_token
from app.models.social import SocialState
from app.services.limits import guard_social
from app.services.sessions.repeated_calls import TakenError
from app.services.social.answers import ProviderAnswer, check_answer
from app.services.social.parameters import asked_age, check_parameters
from app.services.social.posted_answers import PostedAnswer, posted_redirect_uri, posts_answers, take_posted
from app.services.unit_of_work import UnitOfWork

# No request runs as long as this.
_LONGEST_CALL = timedelta(seconds=20)


@dataclass(frozen=True, slots=True, repr=False)
class BegunSocialLogin:
    """Where to send the person and the state that must come back, unless the app asks the platform's own sheet.

    `nonce` is what the id token must name; None where the provider has no id tokens. `expires_in` in seconds.
    """

    authorization_url: str | None
    state: str | None
    nonce: str | None
    expires_in: int


async def begin_social_login(
    uow: UnitOfWork,
    provider_id: str,
    redirect_uri: str | None,
    code_challenge: str | None,
    *,
    parameters: Sequence[tuple[str, str]] = (),
    reauthenticates: bool = False,
) -> BegunSocialLogin:
    """Begin a social login in the caller's session; if too many are open, the oldest is deleted.

    Without redirect URI and challenge it is native: the app shows the platform's own sheet, and nobody is sent away.

    PROVIDER_UNKNOWN, REDIRECT_URI_NOT_ALLOWED, REQUIRED at `redirectUri` and `codeChallenge`, INVALID at
    `codeChallenge`, PROVIDER_UNAVAILABLE; as `check_parameters` tells at `parameters`. With `reauthenticates` the
    provider has the person log in anew; INVALID at `reauthenticate` for one that cannot.
    """
    await guard_social(uow)
    problems = Problems()
    provider = problems.check(lambda name: _parse_provider(uow, name), provider_id, "provider")
    if reauthenticates and provider is not None and (not provider.is_openid or redirect_uri is None):
        problems.add(UserErrorCode.INVALID, "Nobody can be asked to log in anew there.", "reauthenticate")
    is_native = redirect_uri is None and code_challenge is None and (provider is None or provider.has_id_tokens)
    if provider is not None:
        check_parameters(problems, provider, parameters, is_native=is_native)
    if not is_native:
        _check_beginning(problems, uow, redirect_uri, code_challenge)
    problems.raise_if_any()
    if provider is None:
        raise RuntimeError("An unknown provider is a problem that has been raised.")
    random = uow.tools.random
    state = OpaqueToken.of_tenant(TokenPrefix.SOCIAL_STATE, uow.tenant.id, random.secret())
    nonce = urlsafe_b64encode(random.secret()).rstrip(b"=").decode()
    request = AuthorizationRequest(
        posted_redirect_uri(uow) if posts_answers(provider) and not is_native else redirect_uri or "",
        state.text,
        nonce,
        code_challenge or "",
        parameters=tuple(parameters),
        reauthenticates=reauthenticates,
    )
    url = None if is_native else await _authorization_url(uow, provider, request)
    await _keep(uow, provider, replace(request, redirect_uri=redirect_uri or ""), state)
    return BegunSocialLogin(
        authorization_url=url,
        state=None if is_native else state.text,
        nonce=nonce if provider.is_openid or is_native else None,
        expires_in=uow.tenant.social_state_seconds,
    )


def _check_beginning(problems: Problems, uow: UnitOfWork, redirect_uri: str | None, code_challenge: str | None) -> None:
    """Note what is wrong with where the person is to be sent back to, and with the proof that it is the same app."""
    missing = "This is missing. Only an app that shows the sheet of an OpenID provider leaves out both."
    if redirect_uri is None:
        problems.add(UserErrorCode.REQUIRED, missing, "redirectUri")
    else:
        problems.check(lambda uri: _parse_redirect_uri(uow, uri), redirect_uri, "redirectUri")
    if code_challenge is None:
        problems.add(UserErrorCode.REQUIRED, missing, "codeChallenge")
    else:
        problems.check(parse_code_challenge, code_challenge, "codeChallenge")


async def _authorization_url(uow: UnitOfWork, provider: SocialProvider, request: AuthorizationRequest) -> str:
    try:
        return await uow.tools.social.authorization_url(uow.tenant, provider, request)
    except Refused as refusal:
        raise refuse(refusal.code, refusal.message, "provider") from refusal


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
            max_age=asked_age(provider, request),
            created_at=uow.now,
            expires_at=uow.now + timedelta(seconds=uow.tenant.social_state_seconds),
        )
    )


async def prove(uow: UnitOfWork, answer: ProviderAnswer) -> tuple[SocialProvider, SocialProof]:
    """Use state or nonce up, have the provider's answer checked, and return who came back.

    Writes nothing in this unit of work. Errors at their fields as `check_answer` tells; PROVIDER_UNKNOWN;
    TOKEN_INVALID, TOKEN_EXPIRED at `state` or `nonce`; TOKEN_INVALID at `code`, where the provider posts its answer to
    us and this is not the code that we have handed on; REDIRECT_URI_NOT_ALLOWED; INVALID at `codeVerifier`, and at
    `idToken` for a provider that has none; PROVIDER_REFUSED, PROVIDER_UNAVAILABLE.
    """
    await guard_social(uow)
    problems = Problems()
    provider = problems.check(lambda name: _parse_provider(uow, name), answer.provider, "provider")
    check_answer(problems, answer)
    if provider is not None and answer.id_token is not None and not provider.has_id_tokens:
        problems.add(UserErrorCode.INVALID, "This provider has no id tokens: begin with a redirect.", "idToken")
    problems.raise_if_any()
    if provider is None:
        raise RuntimeError("An unknown provider is a problem that has been raised.")
    try:
        return provider, await _ask(uow, provider, answer)
    except Refused as refusal:
        raise refuse(refusal.code, refusal.message, "provider") from refusal


async def _ask(uow: UnitOfWork, provider: SocialProvider, answer: ProviderAnswer) -> SocialProof:
    """Use up what was begun, and have the answer to it checked; raises `Refused` where it proves nothing."""
    field = "state" if answer.id_token is None else "nonce"
    begun = await _claim(uow, answer.state or "" if answer.id_token is None else answer.nonce or "", field)
    try:
        _check_is_begun(uow, begun, provider, field)
        if answer.id_token is None:
            return await _trade(uow, provider, begun, answer)
        native = NativeGrant(id_token=answer.id_token, nonce=begun.nonce)
        return await uow.tools.social.prove_natively(uow.tenant, provider, native)
    except (Refused, DomainError):
        # So that the same call does not wait for this one.
        async with uow.beside() as ending:
            await ending.social_states.delete(begun.state_hash)
        raise


async def _trade(uow: UnitOfWork, provider: SocialProvider, begun: SocialState, answer: ProviderAnswer) -> SocialProof:
    """Have the code traded: the one in the answer, or the one that the provider has posted to us for it."""
    grant = _grant(begun, answer)
    if not posts_answers(provider):
        return await uow.tools.social.prove(uow.tenant, provider, grant)
    posted = await take_posted(uow, begun, grant.code)
    grant = replace(grant, code=posted.code, redirect_uri=posted_redirect_uri(uow), iss=posted.iss or grant.iss)
    return _with_posted_name(await uow.tools.social.prove(uow.tenant, provider, grant), posted)


def _with_posted_name(proof: SocialProof, posted: PostedAnswer) -> SocialProof:
    # Where the provider itself names the person, that counts.
    if proof.first_name is not None or proof.last_name is not None:
        return proof
    return replace(proof, first_name=posted.first_name, last_name=posted.last_name)


async def is_asking(uow: UnitOfWork, answer: ProviderAnswer) -> bool:
    """Tell whether the caller's session has another call with this answer that is at the provider still."""
    begun = await _find(uow, answer)
    if begun is None or begun.used_at is None or uow.now - begun.used_at > _LONGEST_CALL:
        return False
    if answer.id_token is not None:
        return True
    return begun.redirect_uri == answer.redirect_uri and answers_challenge(
        answer.code_verifier or "", begun.code_challenge
    )


async def end_asking(uow: UnitOfWork, answer: ProviderAnswer) -> None:
    """Note that no tokens come of the provider's answer, so that nobody waits for them."""
    begun = await _find(uow, answer)
    if begun is not None:
        await uow.social_states.delete(begun.state_hash)


async def _find(uow: UnitOfWork, answer: ProviderAnswer) -> SocialState | None:
    session_id = uow.caller.require_principal().session_id or ""
    if answer.id_token is not None:
        return await uow.social_states.find_by_nonce(answer.nonce or "", session_id)
    return await uow.social_states.find(hash_token(answer.state or ""), session_id)


async def _claim(uow: UnitOfWork, text: str, field: str) -> SocialState:
    """Use up what the session has begun, by its `state` or its `nonce`, for good, whatever comes of it.

    Before the provider is asked, in a unit of its own: nobody waits for the provider here.
    """
    session_id = uow.caller.require_principal().session_id or ""
    async with uow.beside() as claiming:
        states = claiming.social_states
        if field == "nonce":
            claimed = await states.claim_by_nonce(text, session_id, claiming.now)
            begun = await states.find_by_nonce(text, session_id)
        else:
            claimed = await states.claim(hash_token(text), session_id, claiming.now)
            begun = await states.find(hash_token(text), session_id)
    if begun is not None and claimed:
        return begun
    if begun is not None and begun.used_at is None:
        raise refuse(UserErrorCode.TOKEN_EXPIRED, "This took too long. Please begin again.", field)
    raise _not_begun(field)


def _not_begun(field: str) -> TakenError:
    message = "This social login was begun in another session, or is finished. Please begin again."
    return TakenError(FieldError(UserErrorCode.TOKEN_INVALID, (field,), message))


def _check_is_begun(uow: UnitOfWork, begun: SocialState, provider: SocialProvider, field: str) -> None:
    """Refuse an answer of another provider, or by somebody who was not logged in yet at the beginning."""
    if (begun.provider, begun.issuer) != (provider.provider, provider.issuer):
        raise _not_begun(field)
    if begun.customer_id != uow.caller.require_principal().customer_id:
        raise _not_begun(field)


def _grant(begun: SocialState, answer: ProviderAnswer) -> AuthorizationGrant:
    """Return what the provider is to be asked with; refuses an answer that does not fit the request."""
    if begun.redirect_uri != answer.redirect_uri:
        raise refuse(
            UserErrorCode.REDIRECT_URI_NOT_ALLOWED,
            "The social login was begun with another redirect URI.",
            "redirectUri",
        )
    verifier = answer.code_verifier or ""
    if not answers_challenge(verifier, begun.code_challenge):
        raise refuse(UserErrorCode.INVALID, "The code challenge was not made from this code verifier.", "codeVerifier")
    return AuthorizationGrant(
        code=answer.code or "",
        redirect_uri=begun.redirect_uri,
        code_verifier=verifier,
        nonce=begun.nonce,
        iss=answer.iss,
        max_age=begun.max_age,
        asked_at=int(begun.created_at.timestamp()),
    )
