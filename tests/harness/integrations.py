"""Confidential clients of two shops: their tenants file, their keys, and how they get tokens."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
from joserfc import jws
from joserfc.jwk import ECKey, Key, OctKey

from tests.harness.gateway import Gateway
from tests.harness.tenants import integration, shop, storefront, user

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ISSUER = "https://customers.test"
SECRET = "correct-secret-of-the-order-system"
KEY = ECKey.generate_key("P-256", auto_kid=True)
OTHER_KEY = ECKey.generate_key("P-256", auto_kid=True)
STAFF = "aqwDFvELOz"
ALL_SCOPES = ("customers.read", "customers.manage", "customers.anonymize")

_SHOP = (
    shop("shop")
    + storefront("shop", "shop-storefront")
    + integration("shop", "shop-reports", scopes=["customers.read"], secret_env="REPORTS_SECRET")
)
BACKEND = integration("shop", "shop-backend", secret_env="BACKEND_SECRET")
KEYED = integration("shop", "shop-keyed", scopes=list(ALL_SCOPES), secret_env="KEYED_SECRET", jwks_file="keyed.json")
# The same client where it may do what such clients may do everywhere, and nothing that erases.
NARROW = integration("shop", "shop-keyed", secret_env="KEYED_SECRET", jwks_file="keyed.json")
_OTHER_SHOP = (
    shop("other", name="The other shop")
    + storefront("other", "other-storefront")
    + integration("other", "other-keyed", scopes=["customers.read"], jwks_file="other.json")
    + user("other", "a-user-of-the-other-shop")
)


def shops(
    folder: Path,
    *clients: str,
    keyed_by: Key = KEY,
    staff: str = STAFF,
    staff_may: Sequence[str] = ALL_SCOPES,
    **secrets: str,
) -> dict[str, str]:
    """Write a tenants file with these clients of the first shop; return the variables of a gateway that reads it.

    `staff` is the user of its organisation, with the scopes of `staff_may`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, key in (("keyed", keyed_by), ("other", OTHER_KEY)):
        public = {"keys": [key.as_dict(private=False)]}
        (folder / f"{name}.json").write_text(json.dumps(public))
    file = folder / "tenants.toml"
    file.write_text("\n".join((_SHOP, user("shop", staff, scopes=list(staff_may)), *clients, _OTHER_SHOP)))
    return {
        "TENANTS_FILE": str(file),
        "PUBLIC_URL": ISSUER,
        "BACKEND_SECRET": SECRET,
        "KEYED_SECRET": SECRET,
        "REPORTS_SECRET": SECRET,
        **secrets,
    }


def basic(client_id: str, secret: str = SECRET) -> dict[str, str]:
    """Return the header of HTTP Basic."""
    return {"Authorization": f"Basic {b64encode(f'{client_id}:{secret}'.encode()).decode()}"}


def claims(now: datetime, client_id: str = "shop-keyed", /, **changes: Any) -> dict[str, Any]:
    """Return the claims of a good assertion with these changes; None leaves a claim out."""
    good = {
        "iss": client_id,
        "sub": client_id,
        "aud": ISSUER,
        "iat": int(now.timestamp()),
        "exp": int(now.timestamp()) + 240,
        "jti": str(uuid4()),
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def signed(content: dict[str, Any], key: Key = KEY, alg: str = "ES256") -> str:
    """Return the assertion as a JWT."""
    return jws.serialize_compact({"alg": alg, "typ": "JWT"}, json.dumps(content), key, algorithms=[alg])


def signed_by_secret(content: dict[str, Any], secret: str = SECRET, alg: str = "HS256") -> str:
    """Return the assertion as a JWT with the secret's HMAC."""
    return signed(content, OctKey.import_key(secret), alg)


async def post(gateway: Gateway, path: str, headers: dict[str, str] | None = None, /, **form: str) -> httpx2.Response:
    """Post a form to an OAuth endpoint."""
    return await gateway.http.post(f"/oauth/{path}", data=form, headers=headers)


async def ask_for_token(gateway: Gateway, assertion: str, **form: str) -> httpx2.Response:
    """Present an assertion to the token endpoint, alone but for these parameters."""
    return await post(gateway, "token", grant_type=JWT_BEARER, assertion=assertion, **form)


async def integration_token(
    gateway: Gateway, client_id: str = "shop-backend", secret: str = SECRET, **form: str
) -> str:
    """Return an access token that the client got by its secret."""
    response = await post(gateway, "token", basic(client_id, secret), grant_type="client_credentials", **form)
    assert response.status_code == 200, response.text
    token: str = response.json()["access_token"]
    return token


async def owned_token(gateway: Gateway, owner: str = STAFF, **form: str) -> str:
    """Return an access token whose owner is a user of the organisation."""
    assertion = signed(claims(gateway.clock.now(), owner={"type": "User", "id": owner}))
    response = await ask_for_token(gateway, assertion, **form)
    assert response.status_code == 200, response.text
    token: str = response.json()["access_token"]
    return token
