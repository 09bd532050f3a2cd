"""Asks the provider of a challenge whether an answer is right: Turnstile, hCaptcha and reCAPTCHA are asked alike."""

from __future__ import annotations

import asyncio
import json
import logging
from functools import cached_property
from hmac import compare_digest
from ssl import SSLContext

import httpx2

from app.adapters.guarded_http import GuardedTransport, ProviderUnavailableError
from app.domain.tenants import Challenge, ChallengeProvider

# What "demo" is answered with.
DEMO_ANSWER = "demo"
SECONDS = 5.0
MOST_ANSWER_BYTES = 64_000
MOST_CONNECTIONS = 32
_VERIFY_URLS = {
    ChallengeProvider.TURNSTILE: "https://challenges.cloudflare.com/turnstile/v0/siteverify",
    ChallengeProvider.HCAPTCHA: "https://api.hcaptcha.com/siteverify",
    ChallengeProvider.RECAPTCHA: "https://www.google.com/recaptcha/api/siteverify",
}
# Answers that tell of our own set-up rather than of the person: nobody must be locked out by a wrong secret.
_OUR_FAULTS = frozenset(
    {"missing-input-secret", "invalid-input-secret", "bad-request", "internal-error", "sitekey-secret-mismatch"}
)

logger = logging.getLogger(__name__)


class HttpChallenges:
    """The `Challenges` port over HTTP. `loopback` lets http to this machine pass (development)."""

    def __init__(self, *, loopback: bool, tls: SSLContext | None = None, seconds: float = SECONDS) -> None:
        self._loopback = loopback
        self._tls = tls
        self._seconds = seconds

    @cached_property
    def _client(self) -> httpx2.AsyncClient:
        """Made with the first answer: most shops have no challenge, and the rest is seldom guessed at."""
        transport = httpx2.AsyncHTTPTransport(
            verify=self._tls or True, trust_env=False, limits=httpx2.Limits(max_connections=MOST_CONNECTIONS)
        )
        guarded = GuardedTransport(transport, most_bytes=MOST_ANSWER_BYTES, loopback=self._loopback)
        return httpx2.AsyncClient(transport=guarded, trust_env=False, follow_redirects=False, timeout=None)

    async def verify(self, challenge: Challenge, answer: str) -> bool:
        """Tell whether the answer is right; see the port."""
        if challenge.provider is ChallengeProvider.DEMO:
            return compare_digest(answer.encode(), DEMO_ANSWER.encode())
        url = challenge.verify_url or _VERIFY_URLS[challenge.provider]
        secret = challenge.secret.get_secret_value() if challenge.secret is not None else ""
        try:
            async with asyncio.timeout(self._seconds):
                response = await self._client.post(
                    url, data={"secret": secret, "response": answer, "sitekey": challenge.site_key}
                )
            return _read(response)
        except (httpx2.HTTPError, ProviderUnavailableError, TimeoutError) as error:
            cause = f"{type(error).__name__}: {error}"
            logger.warning("challenge not verified", extra={"provider": challenge.provider.value, "cause": cause})
            raise ConnectionError(cause) from error

    async def close(self) -> None:
        """Let go of the connections."""
        if "_client" in self.__dict__:
            await self._client.aclose()


def _read(response: httpx2.Response) -> bool:
    """Return what the provider says; raises `ProviderUnavailableError` when it says nothing of use."""
    try:
        content = json.loads(response.content)
    except (ValueError, RecursionError) as error:
        raise ProviderUnavailableError(f"it answers {response.status_code} with what is no JSON") from error
    if not isinstance(content, dict) or not isinstance(content.get("success"), bool):
        raise ProviderUnavailableError(f"it answers {response.status_code} with what is no verdict")
    if content["success"] is True:
        return True
    codes = content.get("error-codes")
    faults = (
        _OUR_FAULTS.intersection(code for code in codes if isinstance(code, str)) if isinstance(codes, list) else ()
    )
    if faults:
        raise ProviderUnavailableError(f"it refuses our set-up: {', '.join(sorted(faults))}")
    return False
