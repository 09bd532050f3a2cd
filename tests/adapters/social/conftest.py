"""What the tests of the adapters share: a provider that mints tokens, and the registry that talks to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.adapters.social.providers import SocialProviders
from app.domain.tenants import Tenant
from tests.fakes import MovableClock
from tests.harness.social import MintingProvider

NONCE = "nonce-of-this-login"


@pytest.fixture
def minted(minted: MintingProvider) -> MintingProvider:
    minted.nonce = NONCE
    return minted


@pytest.fixture
async def providers(clock: MovableClock) -> AsyncIterator[SocialProviders]:
    social = SocialProviders(clock, loopback=True)
    yield social
    await social.close()


def tenant_with(entry: dict[str, Any], **keys: Any) -> Tenant:
    """Return a tenant with this one provider."""
    return Tenant.model_validate(
        {
            "id": "shop",
            "name": "Shop",
            "signup": "open",
            "sites": [{"id": "main", "url": "https://shop.example", "language": "en"}],
            "clients": [{"id": "web", "kind": "storefront"}],
            "social": [entry],
            **keys,
        }
    )
