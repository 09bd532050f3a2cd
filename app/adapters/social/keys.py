"""A provider's signing keys (RFC 7517), kept for an hour, and fetched again for an unknown key."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, JWKRegistry, RSAKey

from app.adapters.guarded_http import ProviderUnavailableError
from app.adapters.social.http import ProviderRefusedError
from app.domain.ports import Clock

LIFETIME = timedelta(hours=1)
_MOST_KEYS = 50

SigningKey = RSAKey | ECKey


class ProviderKeys:
    """The keys of one provider. `refetch_pause` is the shortest time between two fetches for an unknown key."""

    def __init__(self, clock: Clock, refetch_pause: timedelta, fetch: Callable[[], Awaitable[dict[str, Any]]]) -> None:
        self._clock = clock
        self._refetch_pause = refetch_pause
        self._fetch = fetch
        self._keys: list[SigningKey] = []
        self._tried_at: datetime | None = None
        self._fetched_at: datetime | None = None
        self._lock = asyncio.Lock()

    async def find(self, kid: object, algorithm: str) -> SigningKey:
        """Return the key that a token's header names; without `kid`, the only one that fits the algorithm.

        Raises `ProviderRefusedError` when the provider has no such key.
        """
        async with self._lock:
            if self._has_passed(LIFETIME, self._fetched_at):
                await self._renew()
            found = self._choose(kid, algorithm)
            if found is None and self._has_passed(self._refetch_pause, self._tried_at):
                await self._renew()
                found = self._choose(kid, algorithm)
        if found is None:
            raise ProviderRefusedError("the id token names a key that the provider does not have")
        return found

    def _has_passed(self, time: timedelta, since: datetime | None) -> bool:
        return since is None or self._clock.now() - since >= time

    async def _renew(self) -> None:
        self._tried_at = self._clock.now()
        self._keys = _read(await self._fetch())
        self._fetched_at = self._tried_at

    def _choose(self, kid: object, algorithm: str) -> SigningKey | None:
        fitting = [key for key in self._keys if key.key_type == ("EC" if algorithm.startswith("ES") else "RSA")]
        if kid is None:
            return fitting[0] if len(fitting) == 1 else None
        return next((key for key in fitting if key.kid == kid), None)


def _read(content: dict[str, Any]) -> list[SigningKey]:
    """Return the keys of a key set that we can use; one that we cannot is left out (RFC 7517 section 5)."""
    entries = content.get("keys")
    if not isinstance(entries, list):
        raise ProviderUnavailableError("its key set holds no keys")
    found = [_read_key(entry) for entry in entries[:_MOST_KEYS]]
    return [key for key in found if key is not None]


def _read_key(entry: object) -> SigningKey | None:
    if not isinstance(entry, dict) or entry.get("kty") not in {"RSA", "EC"} or entry.get("use", "sig") != "sig":
        return None
    try:
        # We do not accept a key that the library warns about, such as a short one.
        with warnings.catch_warnings():
            warnings.simplefilter("error", SecurityWarning)
            key = JWKRegistry.import_key(entry)
    except (JoseError, SecurityWarning, ValueError, TypeError, KeyError):
        return None
    return key if isinstance(key, RSAKey | ECKey) else None
