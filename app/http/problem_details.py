"""The answer for a path or a method that we do not serve: a problem document (RFC 9457).

`/graphql` and `/oauth/…` answer their own faults in the form of their own protocols.
"""

from __future__ import annotations

from http import HTTPStatus

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.http.exchange import exchange_of

MEDIA_TYPE = "application/problem+json"
_READ_ONLY = "GET, HEAD"


def answer_problem(request: Request, error: Exception) -> Response:
    """Answer an `HTTPException`, without any part of the request except its id."""
    if not isinstance(error, HTTPException):
        raise error
    status = HTTPStatus(error.status_code)
    headers = dict(error.headers or {})
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(sorted(headers.get("Allow", _READ_ONLY).split(", ")))
    problem = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": _detail(status, error, headers),
        "requestId": exchange_of(request.scope).request_id,
    }
    return Response(orjson.dumps(problem), status, headers, MEDIA_TYPE)


def _detail(status: HTTPStatus, error: HTTPException, headers: dict[str, str]) -> str:
    if error.detail != status.phrase:
        return error.detail
    match status:
        case HTTPStatus.NOT_FOUND:
            return "There is nothing at this path: the API is at /graphql."
        case HTTPStatus.METHOD_NOT_ALLOWED:
            return f"This path allows only {headers['Allow']}."
    return status.description or status.phrase
