"""Passkeys: registering, signing in with one, and every ceremony that somebody has tampered with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.harness.authenticator import (
    Authenticator,
)
from tests.harness.client import Person
from tests.harness.gateway import Gateway
from tests.harness.passkeys import (
    begin_registration,
    passkey_login,
    passkeys_of,
    register,
)
from tests.harness.sign_in import shop_environment

pytestmark = pytest.mark.anyio

CLIENT = "shop-storefront"
ORIGIN = "https://shop.example"
TOKEN_INFO = "{ tokenInfo { methods level } }"


@pytest.fixture
def keys() -> dict[str, Any]:
    """Return the keys of the shop, beyond those that every shop needs."""
    return {}


@pytest.fixture
def tables() -> list[str]:
    """Return the tables that the shop has besides."""
    return []


@pytest.fixture
def settings_environment(tmp_path: Path, keys: dict[str, Any], tables: list[str]) -> dict[str, str]:
    return shop_environment(tmp_path, *tables, **{"signup": "confirm_email", **keys})


@pytest.fixture
async def ada(gateway: Gateway) -> Person:
    """Log somebody in."""
    return await gateway.customer(CLIENT)


@pytest.fixture
def device() -> Authenticator:
    return Authenticator(ORIGIN)


class TestBeginPasskeyRegistration:
    async def test_asks_for_a_discoverable_key_and_the_person(self, gateway: Gateway, ada: Person) -> None:
        begun = await begin_registration(gateway, ada.tokens.access)
        options = begun["options"]
        assert options["rp"] == {"id": "shop.example", "name": "The shop"}
        assert options["authenticatorSelection"]["residentKey"] == "required"
        assert options["authenticatorSelection"]["userVerification"] == "required"
        assert (options["attestation"], options["excludeCredentials"]) == ("none", [])
        assert (options["user"]["name"], begun["expiresIn"]) == (ada.email, 600)
        assert options["timeout"] == 600_000


class TestRegisterPasskey:
    async def test_keeps_the_passkey(self, gateway: Gateway, ada: Person, device: Authenticator) -> None:
        passkey = await register(gateway, ada.tokens.access, device, name="  Ada's phone ")
        assert (passkey["name"], passkey["lastUsedAt"], passkey["backedUp"]) == ("Ada's phone", None, False)
        assert await passkeys_of(gateway, ada.tokens.access) == [passkey]


class TestCompleteLogin:
    async def test_signs_in_without_an_address(self, gateway: Gateway, ada: Person, device: Authenticator) -> None:
        await register(gateway, ada.tokens.access, device)
        token = (await gateway.anonymous(CLIENT)).access
        answer = await passkey_login(gateway, token, device)
        assert answer["completeLogin"]["customer"]["id"] == ada.id
        info = await gateway.graphql(TOKEN_INFO, token=answer["completeLogin"]["tokens"]["accessToken"])
        assert info["tokenInfo"] == {"methods": ["PASSKEY"], "level": "2"}
