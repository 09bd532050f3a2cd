"""Passkeys over the API: the operations, registering and signing in."""

from __future__ import annotations

from typing import Any

from tests.harness.authenticator import Authenticator, Lies
from tests.harness.client import Answer, StorefrontClient
from tests.harness.operations import USER_ERRORS
from tests.harness.sign_in import complete

PASSKEY = "id name createdAt lastUsedAt backedUp"
BEGIN_REGISTRATION = f"""mutation ($input: BeginPasskeyRegistrationInput) {{
    beginPasskeyRegistration(input: $input) {{ ticket options expiresIn {USER_ERRORS} }}
}}"""
REGISTER = f"""mutation ($input: RegisterPasskeyInput!) {{
    registerPasskey(input: $input) {{ passkey {{ {PASSKEY} }} {USER_ERRORS} }}
}}"""
RENAME = f"""mutation ($input: RenamePasskeyInput!) {{
    renamePasskey(input: $input) {{ passkey {{ {PASSKEY} }} {USER_ERRORS} }}
}}"""
DELETE = f"mutation ($input: DeletePasskeyInput!) {{ deletePasskey(input: $input) {{ deletedId {USER_ERRORS} }} }}"
BEGIN_LOGIN = f"""mutation ($input: BeginPasskeyLoginInput) {{
    beginPasskeyLogin(input: $input) {{ ticket options expiresIn {USER_ERRORS} }}
}}"""
PASSKEYS = f"{{ me {{ passkeys {{ {PASSKEY} }} }} }}"


async def begin_registration(gateway: StorefrontClient, token: str, ticket: str | None = None) -> dict[str, Any]:
    """Return the payload of `beginPasskeyRegistration`."""
    answer = await gateway.graphql(BEGIN_REGISTRATION, {"input": {"ticket": ticket}}, token)
    payload: dict[str, Any] = answer["beginPasskeyRegistration"]
    return payload


async def register(
    gateway: StorefrontClient, token: str, device: Authenticator, *, ticket: str | None = None, name: str = "Phone"
) -> dict[str, Any]:
    """Register the passkey of a device, and return it."""
    begun = await begin_registration(gateway, token, ticket)
    assert begun["userErrors"] == [], begun
    answer = await send_new(gateway, token, begun["ticket"], device.create(begun["options"]), name=name)
    assert answer["registerPasskey"]["userErrors"] == [], answer.data
    passkey: dict[str, Any] = answer["registerPasskey"]["passkey"]
    return passkey


async def send_new(gateway: StorefrontClient, token: str, ticket: str, credential: Any, **more: Any) -> Answer:
    """Send what a device has made."""
    return await gateway.graphql(REGISTER, {"input": {"ticket": ticket, "credential": credential, **more}}, token)


async def begin_login(gateway: StorefrontClient, token: str, ticket: str | None = None) -> dict[str, Any]:
    """Return the payload of `beginPasskeyLogin`, which must be no refusal."""
    answer = await gateway.graphql(BEGIN_LOGIN, {"input": {"ticket": ticket}}, token)
    payload: dict[str, Any] = answer["beginPasskeyLogin"]
    assert payload["userErrors"] == [], payload
    return payload


async def passkey_login(
    gateway: StorefrontClient, token: str, device: Authenticator, lies: Lies | None = None
) -> Answer:
    """Sign in with a passkey alone."""
    begun = await begin_login(gateway, token)
    return await complete(gateway, token, begun["ticket"], passkey=device.get(begun["options"], lies or Lies()))


async def passkeys_of(gateway: StorefrontClient, token: str) -> list[dict[str, Any]]:
    """Return a customer's passkeys."""
    found: list[dict[str, Any]] = (await gateway.graphql(PASSKEYS, token=token))["me"]["passkeys"]
    return found
