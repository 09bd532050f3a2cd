"""Answers about the process: whether it is alive, whether it is ready, and the public keys for its tokens."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from app.domain.ports import Database, Limiter, Signer

JWKS_SECONDS = 300


def probe_routes(database: Database, limiter: Limiter, signer: Signer) -> list[Route]:
    """Return the routes `/healthz`, `/readyz` and `/.well-known/jwks.json` (RFC 7517)."""

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok")

    async def readyz(_request: Request) -> Response:
        found = await asyncio.gather(database.faults(), limiter.faults())
        faults = [fault for part in found for fault in part]
        if not faults:
            return PlainTextResponse("\n".join(("ready", *await database.remarks())))
        return PlainTextResponse("".join(f"{fault}\n" for fault in faults), status_code=503)

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
