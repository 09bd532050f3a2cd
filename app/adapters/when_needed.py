"""Tools that are made with their first use, so that a process without has neither the libraries nor the wait for them.

Those that call other servers are made in a thread: the HTTP client and what social login needs take 12 MiB and a tenth
of the start, and most processes never call anybody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Generic, TypeVar

from app.domain.ports import Challenges, MailText, MailTexts, Previews, Social, Webhook, WebhookSender
from app.domain.social import AuthorizationGrant, AuthorizationRequest, NativeGrant, SocialProof
from app.domain.tenants import Challenge, SocialProvider, Tenant

Tool = TypeVar("Tool")


class _MadeAtOnce(Generic[Tool]):
    """Knows how to make the tool, and has it once it was needed: for what takes a few milliseconds."""

    def __init__(self, make: Callable[[], Tool]) -> None:
        self._make = make

    @cached_property
    def _tool(self) -> Tool:
        return self._make()


class MailTextsWhenNeeded(_MadeAtOnce[MailTexts]):
    """The `MailTexts` port."""

    def render(self, template: str, language: str, values: Mapping[str, Any], own: str | None = None) -> MailText:
        """Return the mail; see the port."""
        return self._tool.render(template, language, values, own)


class PreviewsWhenNeeded(_MadeAtOnce[Previews]):
    """The `Previews` port."""

    def list(self, tenant: Tenant) -> Sequence[tuple[str, str]]:
        """Return the name and the language of each mail; see the port."""
        return self._tool.list(tenant)

    def find(self, tenant: Tenant, name: str, language: str) -> MailText | None:
        """Return one of them, or None."""
        return self._tool.find(tenant, name, language)


class _MadeInThread(Generic[Tool]):
    """Knows how to make the tool, and has it once it was needed."""

    def __init__(self, make: Callable[[], Tool]) -> None:
        self._make = make
        self._making = asyncio.Lock()
        self._made: Tool | None = None

    async def _tool(self) -> Tool:
        if self._made is None:
            async with self._making:
                if self._made is None:
                    self._made = await asyncio.to_thread(self._make)
        return self._made


class WebhooksWhenNeeded(_MadeInThread[WebhookSender]):
    """The `WebhookSender` port."""

    async def send(self, webhook: Webhook) -> int:
        """Post the event; see the port."""
        return await (await self._tool()).send(webhook)


class ChallengesWhenNeeded(_MadeInThread[Challenges]):
    """The `Challenges` port."""

    async def verify(self, challenge: Challenge, answer: str) -> bool:
        """Tell whether the answer is right; see the port."""
        return await (await self._tool()).verify(challenge, answer)

    async def close(self) -> None:
        """Let go of the connections, if there are any."""
        if self._made is not None:
            await self._made.close()


class SocialWhenNeeded(_MadeInThread[Social]):
    """The `Social` port."""

    async def authorization_url(self, tenant: Tenant, provider: SocialProvider, request: AuthorizationRequest) -> str:
        """Return the address that the person is sent to; see the port."""
        return await (await self._tool()).authorization_url(tenant, provider, request)

    async def prove(self, tenant: Tenant, provider: SocialProvider, grant: AuthorizationGrant) -> SocialProof:
        """Trade the code for what the provider knows; see the port."""
        return await (await self._tool()).prove(tenant, provider, grant)

    async def prove_natively(self, tenant: Tenant, provider: SocialProvider, grant: NativeGrant) -> SocialProof:
        """Return what an id token says; see the port."""
        return await (await self._tool()).prove_natively(tenant, provider, grant)

    async def revoke(self, tenant: Tenant, provider: SocialProvider, refresh_token: str) -> None:
        """Have a refresh token revoked; see the port."""
        await (await self._tool()).revoke(tenant, provider, refresh_token)

    async def close(self) -> None:
        """Close the connections, if there are any."""
        if self._made is not None:
            await self._made.close()
