"""A staff system that names the person at its desk: a token by an assertion (RFC 7523) whose owner is that person."""

import os

import requests
from authlib.oauth2.rfc7523 import JWTBearerGrant

GATEWAY = os.environ["GATEWAY_URL"]
CLIENT_ID, CLIENT_SECRET = os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"]


def access_token(user_id: str) -> str:
    """Return a token whose owner is a user of the organisation, as [[tenants.….users]] has it."""
    assertion = JWTBearerGrant.sign(
        CLIENT_SECRET,
        issuer=CLIENT_ID,
        subject=CLIENT_ID,
        audience=GATEWAY,  # PUBLIC_URL, not the address of the token endpoint
        expires_in=240,  # Authlib's own default is an hour; more than five minutes are refused
        claims={"owner": {"type": "User", "id": user_id}},
        header={"alg": "HS256"},
    )
    form = {"grant_type": JWTBearerGrant.GRANT_TYPE, "assertion": assertion}
    answer = requests.post(f"{GATEWAY}/oauth/token", data=form, auth=(CLIENT_ID, CLIENT_SECRET), timeout=10)
    answer.raise_for_status()
    token: str = answer.json()["access_token"]
    return token


if __name__ == "__main__":
    print(access_token(os.environ["USER_ID"]))
