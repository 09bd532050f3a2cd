"""Passkey ceremonies in a thread: the library behind them takes half a second to import, with the first of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from app.domain.passkeys import KeyUse, KnownKey, NewKey, PasskeyUser, RelyingParty, StoredKey


class WebAuthnPasskeys:
    """The `Passkeys` port."""

    async def creation_options(
        self, party: RelyingParty, user: PasskeyUser, challenge: bytes, exclude: Sequence[KnownKey], seconds: int
    ) -> dict[str, Any]:
        """Return what the browser makes a passkey by; see the port."""

        def work() -> dict[str, Any]:
            from app.adapters.webauthn_ceremonies import creation_options

            return creation_options(party, user, challenge, exclude, seconds)

        return await asyncio.to_thread(work)

    async def request_options(
        self, party: RelyingParty, challenge: bytes, allow: Sequence[KnownKey], seconds: int
    ) -> dict[str, Any]:
        """Return what the browser finds a passkey by; see the port."""

        def work() -> dict[str, Any]:
            from app.adapters.webauthn_ceremonies import request_options

            return request_options(party, challenge, allow, seconds)

        return await asyncio.to_thread(work)

    async def verify_registration(self, party: RelyingParty, challenge: bytes, answer: Any) -> NewKey:
        """Return what a registration proves; see the port."""

        def work() -> NewKey:
            from app.adapters.webauthn_ceremonies import verify_registration

            return verify_registration(party, challenge, answer)

        return await asyncio.to_thread(work)

    async def verify_use(self, party: RelyingParty, challenge: bytes, answer: Any, key: StoredKey) -> KeyUse:
        """Return what the use of a passkey proves; see the port."""

        def work() -> KeyUse:
            from app.adapters.webauthn_ceremonies import verify_use

            return verify_use(party, challenge, answer, key)

        return await asyncio.to_thread(work)
