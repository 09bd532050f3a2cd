"""Another service of the shop: learns from a saas token whose session it is, and asks the gateway for its keys only."""

import os
from typing import Any

import jwt
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

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


def answer(request: Request) -> Response:
    """Say who calls. A plain `def`, so that it runs in a thread, as in FastAPI: to read the keys takes time."""
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    try:
        claims = read(token)
    except jwt.PyJWKClientConnectionError:
        return PlainTextResponse("The keys cannot be read.", 503, {"Retry-After": "1"})
    except jwt.PyJWTError as error:
        return PlainTextResponse(type(error).__name__, 401, {"WWW-Authenticate": 'Bearer error="invalid_token"'})
    return PlainTextResponse(f"{who(claims)} {'may' if may(claims, 'addresses.write') else 'may not'} save addresses")


if __name__ == "__main__":
    uvicorn.run(Starlette(routes=[Route("/", answer)]), port=int(os.environ["PORT"]))
