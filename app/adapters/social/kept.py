"""Something that a provider tells, kept for a time; if it cannot be told again then, the known one serves for a day."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

import httpx2

from app.adapters.guarded_http import ProviderUnavailableError
from app.domain.ports import Clock

LONGEST_LIFE = timedelta(hours=24)
# The part of a call's time that may be spent on asking again for what is known.
_PATIENCE = 0.25

logger = logging.getLogger(__name__)
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Ages:
    """How old a value may become before it is fetched again, and how long there is between two fetches at least.

    `seconds` is how long one call to the provider may take.
    """

    lifetime: timedelta
    pause: timedelta
    seconds: float


class Kept(Generic[Value]):
    """One value; `name` is what logs call it."""

    def __init__(self, name: str, clock: Clock, ages: Ages, fetch: Callable[[], Awaitable[Value]]) -> None:
        self._name = name
        self._clock = clock
        self._ages = ages
        self._fetch = fetch
        self._value: Value | None = None
        self._fetched_at: datetime | None = None
        self._tried_at: datetime | None = None
        self._lock = asyncio.Lock()

    async def get(self) -> Value:
        """Return the value, fetched anew when it is old; raises `ProviderUnavailableError`, or errors of HTTP."""
        async with self._lock:
            if self._value is None or self._has_passed(LONGEST_LIFE, self._fetched_at):
                return await self._fetch_now()
            if self._has_passed(self._ages.lifetime, self._fetched_at) and self._may_try():
                return await self._try_to_fetch(self._value)
            return self._value

    async def get_other_than(self, seen: Value) -> Value:
        """Return another value than the one that did not fit, if there is one already or can be fetched by now."""
        async with self._lock:
            if self._value is None:
                return await self._fetch_now()
            if self._value is seen and self._may_try():
                return await self._try_to_fetch(self._value)
            return self._value

    def _may_try(self) -> bool:
        return self._has_passed(self._ages.pause, self._tried_at)

    def _has_passed(self, time: timedelta, since: datetime | None) -> bool:
        return since is None or self._clock.now() - since >= time

    async def _try_to_fetch(self, known: Value) -> Value:
        try:
            async with asyncio.timeout(self._ages.seconds * _PATIENCE):
                return await self._fetch_now()
        except (TimeoutError, httpx2.HTTPError, httpx2.InvalidURL, ProviderUnavailableError) as error:
            cause = f"{type(error).__name__}: {error}"
            logger.warning(
                "what a social provider told before serves on", extra={"provider": self._name, "cause": cause}
            )
            return known

    async def _fetch_now(self) -> Value:
        self._tried_at = self._clock.now()
        self._value = await self._fetch()
        self._fetched_at = self._tried_at
        return self._value
