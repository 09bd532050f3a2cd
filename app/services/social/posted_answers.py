"""Answers that a provider posts to us (OAuth 2.0 Form Post Response Mode), handed on to the app by a code of ours.

Apple does so where it is asked for a name or an address. The post comes from the provider's pages, so that no cookie
can be relied on: only its `state` says what it answers. The app gets a code that is worth nothing without the session
that began; the provider's own code stays here, sealed.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import orjson

from app.domain.errors import DomainError, UserErrorCode, refuse
from app.domain.requests import RequestFacts
from app.domain.social import FORM_POST_PATH
from app.domain.tenants import SocialProvider
from app.domain.texts import mapped_line
from app.domain.tokens import OpaqueToken, TokenPrefix, hash_token
from app.domain.tools import Tools
from app.models.social import SocialAnswer, SocialState
from app.services.caller import Caller
from app.services.limits import guard_posted_answer
from app.services.social.answers import LONGEST_CODE
from app.services.unit_of_work import UnitOfWork

# How long what was posted is kept for the app, which fetches it at once.
_KEPT = timedelta(minutes=5)
_LONGEST_ERROR = 100
_LONGEST_DESCRIPTION = 400
_LONGEST_ISSUER = 300
_LONGEST_NAME = 100
_LONGEST_USER = 4_096


@dataclass(frozen=True, slots=True, repr=False)
class PostedAnswer:
    """What a provider has posted. The name comes by way of the browser, which may have written another."""

    code: str
    iss: str | None = None
    first_name: str | None = None
    last_name: str | None = None


@dataclass(frozen=True, slots=True)
class HandedOn:
    """Where the browser goes with the answer, and whose shop that is; `error` is what the provider or we told."""

    address: str
    tenant_id: str
    error: str | None = None


def posted_redirect_uri(uow: UnitOfWork) -> str:
    """Return where a provider has to post its answers: what the shop registers there."""
    return uow.tools.public_url + FORM_POST_PATH


def posts_answers(provider: SocialProvider) -> bool:
    """Tell whether the provider posts its answers to us."""
    return provider.response_mode == "form_post"


async def hand_on(tools: Tools, facts: RequestFacts, form: Mapping[str, str]) -> HandedOn:
    """Keep what a provider has posted, and return the app's redirect URI with a code of ours, or with the error.

    TOKEN_INVALID for a state that nobody began with, who then cannot be sent anywhere; RATE_LIMITED. The same answer,
    posted once more because the first reply was lost, is handed on once more.
    """
    async with UnitOfWork(tools, Caller(facts)) as uow:
        begun = await _find(uow, form.get("state", ""))
        await guard_posted_answer(uow)
        if form.get("error"):
            return _back(begun, form["state"], **_told_error(form))
        if begun.used_at is not None or begun.expires_at <= uow.now:
            return _over(begun, form["state"], "This took too long, or is finished. Please begin again.")
        code = form.get("code", "")
        if not 0 < len(code) <= LONGEST_CODE:
            return _over(begun, form["state"], "The provider has sent no code that can be used.")
        ours = _code_for(code, form["state"])
        if not await _keep(uow, begun, ours, _read(code, form)):
            return _over(begun, form["state"], "This was answered before. Please begin again.")
        return _back(begun, form["state"], code=ours.text)


async def take_posted(uow: UnitOfWork, begun: SocialState, code: str) -> PostedAnswer:
    """Return what was posted for the code that the app was handed, once.

    TOKEN_INVALID at `code` for another code, and when it is over. The state is used up before: nobody else can ask.
    """
    async with uow.beside() as taking:
        kept = await taking.social_answers.take(begun.state_hash, hash_token(code), taking.now)
    try:
        return PostedAnswer(**orjson.loads(uow.tools.sealer.open(kept.sealed))) if kept is not None else _refuse()
    except ValueError:  # Sealed with a key that was taken away since.
        return _refuse()


def _refuse() -> PostedAnswer:
    raise refuse(
        UserErrorCode.TOKEN_INVALID,
        "This is not the code that came back with the state, or it is over. Please begin again.",
        "code",
    )


async def _find(uow: UnitOfWork, state: str) -> SocialState:
    begun = await uow.social_state_lookup.find(uow.tenants_of(state), hash_token(state))
    tenant = uow.tools.tenants.find_tenant(begun.tenant_id) if begun is not None else None
    provider = tenant.find_social_provider(begun.provider) if tenant is not None and begun is not None else None
    if begun is None or tenant is None or provider is None or not posts_answers(provider) or not begun.redirect_uri:
        raise _unknown()
    uow.enter(tenant)
    return begun


def _unknown() -> DomainError:
    return refuse(UserErrorCode.TOKEN_INVALID, "Nobody began with this state, or it is long over.", "state")


def _code_for(code: str, state: str) -> OpaqueToken:
    """Return our code for the provider's: nobody knows it but who knows that and the state, and it is always the same.

    So a browser that posts once more, because the reply was lost, gets it again.
    """
    return OpaqueToken.of(TokenPrefix.SOCIAL_CODE, hmac.digest(code.encode(), state.encode(), "sha256"))


async def _keep(uow: UnitOfWork, begun: SocialState, ours: OpaqueToken, answer: PostedAnswer) -> bool:
    """Keep the answer for the session; False if there is another one already."""
    kept = SocialAnswer(
        tenant_id=begun.tenant_id,
        state_hash=begun.state_hash,
        session_id=begun.session_id,
        customer_id=begun.customer_id,
        code_hash=ours.hash,
        sealed=uow.tools.sealer.seal(orjson.dumps(asdict(answer)).decode()),
        created_at=uow.now,
        expires_at=min(begun.expires_at, uow.now + _KEPT),
    )
    if await uow.social_answers.add_unless_answered(kept):
        return True
    first = await uow.social_answers.find(begun.state_hash)
    return first is not None and first.code_hash == ours.hash


def _read(code: str, form: Mapping[str, str]) -> PostedAnswer:
    first_name, last_name = _read_name(form.get("user", ""))
    iss = form.get("iss", "")[:_LONGEST_ISSUER]
    return PostedAnswer(code, iss or None, first_name, last_name)


def _read_name(user: str) -> tuple[str | None, str | None]:
    """Return the names in the field `user`, which Apple posts at somebody's first login only; what is odd is none."""
    try:
        told = orjson.loads(user) if len(user) <= _LONGEST_USER else None
    except orjson.JSONDecodeError:
        return None, None
    name = told.get("name") if isinstance(told, dict) else None
    if not isinstance(name, dict):
        return None, None
    return _name(name.get("firstName")), _name(name.get("lastName"))


def _name(value: Any) -> str | None:
    return mapped_line(value, _LONGEST_NAME) if isinstance(value, str) else None


def _told_error(form: Mapping[str, str]) -> dict[str, str]:
    """Return what the provider says went wrong, as a line that can be shown."""
    error = mapped_line(form["error"], _LONGEST_ERROR) or "server_error"
    description = mapped_line(form.get("error_description", ""), _LONGEST_DESCRIPTION)
    return {"error": error, **({"error_description": description} if description else {})}


def _over(begun: SocialState, state: str, why: str) -> HandedOn:
    return _back(begun, state, error="invalid_request", error_description=why)


def _back(begun: SocialState, state: str, **answer: str) -> HandedOn:
    """Return the app's own redirect URI with these parameters behind those that it has (RFC 6749 section 4.1.2)."""
    uri = begun.redirect_uri
    joint = "" if uri.endswith(("?", "&")) else "&" if "?" in uri else "?"
    return HandedOn(uri + joint + urlencode({**answer, "state": state}), begun.tenant_id, answer.get("error"))
