"""Logins that take more than one call: the operations, the codes of mails, and shops with the keys of a test."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tests.harness.client import Answer, StorefrontClient
from tests.harness.mails import Mail
from tests.harness.operations import TOKENS, USER_ERRORS
from tests.harness.tenants import integration, shop, storefront, table

STEP = "nextStep { ticket methods expiresIn }"
LOGGED_IN = f"{TOKENS} customer {{ id email emailVerified lastLoginAt }} {STEP} keptUnprovenData {USER_ERRORS}"
LOGIN = f"mutation ($input: LoginInput!) {{ login(input: $input) {{ {LOGGED_IN} }} }}"
COMPLETE_LOGIN = f"mutation ($input: CompleteLoginInput!) {{ completeLogin(input: $input) {{ {LOGGED_IN} }} }}"
REQUEST_LOGIN_CODE = f"""mutation ($input: RequestLoginCodeInput!) {{
    requestLoginCode(input: $input) {{ ticket expiresIn {USER_ERRORS} }}
}}"""
CODE_MAIL = "Your code to log in"
_CODE = re.compile(r"^ {4}(\d{6})\s*$", re.MULTILINE)


def shop_environment(folder: Path, *tables: str, **keys: Any) -> dict[str, str]:
    """Return the variables of a gateway with one shop, `shop`, that has these keys; `tables` are added to the file."""
    text = "\n".join(
        [
            shop("shop", **keys),
            storefront("shop", "shop-storefront"),
            integration("shop", "shop-backend", secret_env="SHOP_BACKEND_SECRET"),
            *tables,
        ]
    )
    file = folder / "tenants.toml"
    file.write_text(text)
    return {"TENANTS_FILE": str(file), "SHOP_BACKEND_SECRET": "a-secret-of-the-backend-of-the-shop-1"}


def limits(**numbers: int) -> str:
    """Return the table of the shop's limits."""
    return table("[tenants.shop.limits]", **numbers)


def code_of(mail: Mail) -> str:
    """Return the six digits of a mail."""
    found = _CODE.search(mail.text)
    assert found, mail.text
    return found[1]


def wrong(code: str) -> str:
    """Return another code."""
    return str((int(code) + 1) % 1_000_000).zfill(6)


def code_mails(gateway: StorefrontClient, email: str) -> list[Mail]:
    """Return the mails with codes to an address, the oldest first."""
    return [mail for mail in gateway.mails(email) if mail.subject == CODE_MAIL]


async def request_code(gateway: StorefrontClient, token: str, email: str, **more: Any) -> str:
    """Ask for a code, and return the ticket that it is good with; the mail waits to be delivered."""
    answer = await gateway.graphql(REQUEST_LOGIN_CODE, {"input": {"email": email, **more}}, token)
    assert answer["requestLoginCode"]["userErrors"] == [], answer.data
    ticket: str = answer["requestLoginCode"]["ticket"]
    return ticket


async def mailed_code(gateway: StorefrontClient, token: str, email: str) -> tuple[str, str]:
    """Ask for a code and return the ticket and the code, as they come to the owner of the address."""
    ticket = await request_code(gateway, token, email)
    await gateway.deliver()
    return ticket, code_of(code_mails(gateway, email)[-1])


async def complete(gateway: StorefrontClient, token: str, ticket: str, **answer: Any) -> Answer:
    """Answer the ticket of a login."""
    return await gateway.graphql(COMPLETE_LOGIN, {"input": {"ticket": ticket, **answer}}, token)
