"""A provider's signing keys (RFC 7517), kept for a time, and fetched again for a token that does not fit them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import httpx2
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, JWKRegistry, OctKey, OKPKey, RSAKey

from app.adapters.guarded_http import ProviderUnavailableError
from app.adapters.social.algorithms import EDWARDS, EDWARDS_CURVE, SHARED
from app.adapters.social.discovery import Discovery, Endpoints
from app.adapters.social.http import get_json
from app.adapters.social.kept import Ages, Kept
from app.adapters.social.rules import rules_of
from app.domain.ports import Clock
from app.domain.tenants import SocialProvider

_MOST_KEYS = 50

SigningKey = RSAKey | ECKey | OKPKey | OctKey


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys of one moment, with the endpoints that they came from."""

    endpoints: Endpoints
    keys: tuple[SigningKey, ...]

    def fitting(self, kid: object, algorithm: str) -> list[SigningKey]:
        """Return the keys that a token may be signed with; none where the provider does not announce the algorithm.

        A token without `kid` may be signed with any of the kind, and a key without `kid` may be the one of any token.
        """
        if algorithm not in self.endpoints.algorithms:
            return []
        fitting = [key for key in self.keys if _fits(key, algorithm)]
        return [key for key in fitting if kid is None or key.kid in (None, kid)]


class ProviderKeys:
    """The keys of one provider."""

    def __init__(
        self, provider: SocialProvider, clock: Clock, ages: Ages, discovery: Discovery, http: httpx2.AsyncClient
    ) -> None:
        self._provider = provider
        self._discovery = discovery
        self._http = http
        self._kept = Kept(f"{provider.provider} keys", clock, ages, self._fetch)

    async def ring(self) -> KeyRing:
        """Return the keys as they are known; raises `ProviderUnavailableError`."""
        return KeyRing(await self._discovery.endpoints(), await self._kept.get())

    async def ring_after(self, seen: KeyRing) -> KeyRing | None:
        """Return newer keys than those, from where the discovery document has them now; None if there are none.

        That is read once within a pause, whoever brings a token that does not fit.
        """
        await self._discovery.renew(seen.endpoints)
        keys = await self._kept.get_other_than(seen.keys)
        newer = KeyRing(await self._discovery.endpoints(), keys)
        return newer if newer.keys is not seen.keys or newer.endpoints is not seen.endpoints else None

    def shared(self, algorithm: str) -> SigningKey | None:
        """Return our client secret as a key, where the provider signs with it; for any other algorithm None."""
        secret = self._provider.client_secret
        if algorithm != SHARED or secret is None or not rules_of(self._provider).signs_with_secret:
            return None
        return OctKey.import_key(secret.get_secret_value().encode())

    async def _fetch(self) -> tuple[SigningKey, ...]:
        endpoints = await self._discovery.endpoints()
        if endpoints.keys is None:
            raise ProviderUnavailableError("it does not say where its keys are")
        return tuple(_read(await get_json(self._http, endpoints.keys)))


def _fits(key: SigningKey, algorithm: str) -> bool:
    if algorithm in EDWARDS:
        return isinstance(key, OKPKey) and key.curve_name == EDWARDS_CURVE
    return isinstance(key, ECKey if algorithm.startswith("ES") else RSAKey)


def _read(content: dict[str, Any]) -> list[SigningKey]:
    """Return the keys of a key set that we can use; one that we cannot is left out (RFC 7517 section 5)."""
    entries = content.get("keys")
    if not isinstance(entries, list):
        raise ProviderUnavailableError("its key set holds no keys")
    found = [_read_key(entry) for entry in entries[:_MOST_KEYS]]
    return [key for key in found if key is not None]


def _read_key(entry: object) -> SigningKey | None:
    if not isinstance(entry, dict):
        return None
    # Some write what they leave out as null.
    entry = {name: value for name, value in entry.items() if value is not None}
    if entry.get("use", "sig") != "sig":
        return None
    if entry.get("kty") not in ("RSA", "EC", "OKP"):
        return None
    try:
        # We do not accept a key that the library warns about, such as a short one.
        with warnings.catch_warnings():
            warnings.simplefilter("error", SecurityWarning)
            key = JWKRegistry.import_key(entry)
    except (JoseError, SecurityWarning, ValueError, TypeError, KeyError):
        return None
    return key if isinstance(key, RSAKey | ECKey | OKPKey) else None
