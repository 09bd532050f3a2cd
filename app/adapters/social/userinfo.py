"""Asks a provider's own calls about the person: the userinfo endpoint, and where the addresses are listed elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx2

from app.adapters.guarded_http import ProviderUnavailableError
from app.adapters.social.claims import ToldEmail, choose_listed_email, seconds_of
from app.adapters.social.http import ProviderRefusedError, content_type, get, read_json, read_object_or_form
from app.adapters.social.id_token import LEEWAY, check_audience
from app.adapters.social.keys import ProviderKeys
from app.adapters.social.rules import rules_of
from app.adapters.social.signatures import verify_signature
from app.domain.ports import Clock
from app.domain.tenants import SocialProvider
from app.domain.texts import mapped_line

_LONGEST_ERROR = 400
_JWT = "application/jwt"


@dataclass(frozen=True, slots=True)
class Userinfo:
    """The calls of one provider."""

    provider: SocialProvider
    http: httpx2.AsyncClient
    keys: ProviderKeys
    clock: Clock

    async def ask(self, url: str, access_token: str) -> dict[str, Any]:
        """Return what the userinfo endpoint says, in JSON, as a form, or signed (OpenID Connect Core section 5.3.2).

        Raises `ProviderUnavailableError`; `ProviderRefusedError` for a signature or an audience that is wrong.
        """
        response = await get(self.http, url, bearer=access_token)
        if content_type(response) != _JWT:
            answer = read_object_or_form(response, url)
            error = rules_of(self.provider).tells_error(answer)
            if error is not None:
                told = mapped_line(error, _LONGEST_ERROR)
                raise ProviderRefusedError(f"the userinfo endpoint says {told}", told)
            return answer
        try:
            token = response.content.decode("ascii").strip()
        except ValueError as error:
            raise ProviderRefusedError("the userinfo endpoint answers with what is no token") from error
        claims = (await verify_signature(token, self.keys)).claims
        if "exp" in claims:
            until = seconds_of(claims["exp"])
            if until is None or until < self.clock.now().timestamp() - LEEWAY:
                raise ProviderRefusedError("the userinfo endpoint answers with what is over")
        if "aud" in claims:
            check_audience(claims, self.provider.own_client_ids)
        if "iss" in claims and claims["iss"] != self.provider.issuer:
            raise ProviderRefusedError(
                f"the userinfo endpoint names the issuer {str(claims['iss'])[:300]!r}, not {self.provider.issuer!r}"
            )
        return claims

    async def list_emails(self, access_token: str) -> ToldEmail | None:
        """Return the address to take of those that the provider lists; None where it does not list them to us."""
        url = self.provider.emails_endpoint
        if url is None:
            return None
        try:
            return choose_listed_email(read_json(await get(self.http, url, bearer=access_token), url))
        except ProviderUnavailableError:
            # Whoever did not let us see the addresses can still be known by the subject.
            return None
