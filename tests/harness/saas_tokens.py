"""Saas tokens as another service reads them: with another library, and the keys that we publish."""

from __future__ import annotations

from typing import Any

import jwt

from tests.harness.gateway import Gateway


async def read_saas_token(gateway: Gateway, token: str, shop: str = "demo") -> dict[str, Any]:
    """Return the claims of a good token for this shop; raises `jwt.PyJWTError` for any other.

    Whether it has expired is a question to the clock of the test: `exp` and `iat` are among the claims.
    """
    keys = jwt.PyJWKSet.from_dict((await gateway.http.get("/.well-known/jwks.json")).json())
    claims: dict[str, Any] = jwt.decode(
        token,
        keys[jwt.get_unverified_header(token)["kid"]],
        algorithms=["ES256"],
        audience=shop,
        issuer=gateway.tools.public_url,
        options={"verify_exp": False, "verify_iat": False},
    )
    return claims
