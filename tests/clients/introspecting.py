"""Another service of the shop: asks the gateway about each access token (RFC 7662), so a logout counts at once."""

import os
from typing import Any

import requests
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

GATEWAY = os.environ["GATEWAY_URL"]
# An integration of the same shop.
CREDENTIALS = (os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])


def introspect(access_token: str) -> dict[str, Any] | None:
    """Return what the token is worth now; None for nothing. Raises `requests.RequestException` without an answer."""
    form = {"token": access_token}
    answered = requests.post(f"{GATEWAY}/oauth/introspect", data=form, auth=CREDENTIALS, timeout=5)
    answered.raise_for_status()
    claims: dict[str, Any] = answered.json()
    return claims if claims["active"] else None


def answer(request: Request) -> Response:
    """Say who calls; 503 where the gateway does not answer, for then nothing is known of the token."""
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    try:
        claims = introspect(token) if token else None
    except requests.RequestException:
        return PlainTextResponse("The gateway does not answer.", 503, {"Retry-After": "1"})
    if claims is None:
        return PlainTextResponse("Log in.", 401, {"WWW-Authenticate": 'Bearer error="invalid_token"'})
    may = "may" if "addresses.write" in claims["scope"].split() else "may not"
    return PlainTextResponse(f"{claims['kind']} {claims.get('sub', claims.get('sid'))} {may} save addresses")


if __name__ == "__main__":
    uvicorn.run(Starlette(routes=[Route("/", answer)]), port=int(os.environ["PORT"]))
