"""Answers about the process: whether it is alive, whether it is ready, and the public keys for its tokens."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from app.domain.ports import Database, Signer

JWKS_SECONDS = 300


def probe_routes(database: Database, signer: Signer) -> list[Route]:
    """Return the routes `/healthz`, `/readyz` and `/.well-known/jwks.json` (RFC 7517)."""

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok")

    async def readyz(_request: Request) -> Response:
        if await database.is_ready():
            return PlainTextResponse("ready")
        return PlainTextResponse("not ready", status_code=503)

    async def jwks(_request: Request) -> Response:
        return JSONResponse(
            signer.jwks(),
            headers={"Cache-Control": f"public, max-age={JWKS_SECONDS}"},
            media_type="application/jwk-set+json",
        )

    return [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/.well-known/jwks.json", jwks),
    ]
