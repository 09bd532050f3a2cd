"""Another service of the shop: learns from a saas token whose session it is, and asks the gateway for its keys only."""

import os
from typing import Any

import jwt

GATEWAY, SHOP = os.environ["GATEWAY_URL"], os.environ["SHOP"]
# Keeps the keys for five minutes, and reads them again when a token names one that it does not know.
KEYS = jwt.PyJWKClient(f"{GATEWAY}/.well-known/jwks.json")


def read(saas_token: str) -> dict[str, Any]:
    """Return what the token says. Raises `jwt.PyJWTError`: answer 401, and the storefront gets a new one."""
    claims: dict[str, Any] = jwt.decode(
        saas_token,
        KEYS.get_signing_key_from_jwt(saas_token),
        algorithms=["ES256"],
        audience=SHOP,  # the shop's id: a token of another shop is refused
        issuer=GATEWAY,  # PUBLIC_URL
        options={"require": ["exp", "sub", "sid", "scope"]},
    )
    return claims


def may(claims: dict[str, Any], word: str) -> bool:
    """Tell whether the session may do this; compare whole words, `scope` is no text to search in."""
    return word in claims["scope"].split()


def who(claims: dict[str, Any]) -> str:
    """Return whom the service deals with."""
    if claims["kind"] == "ANONYMOUS":
        return f"guest {claims['sid']}"
    customer = f"customer {claims['customer_number']}"
    return f"{claims['act']['sub']} for {customer}" if "act" in claims else customer


if __name__ == "__main__":
    session = read(os.environ["SAAS_TOKEN"])
    print(who(session), "may save addresses" if may(session, "addresses.write") else "may not save addresses")
