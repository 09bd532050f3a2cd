"""The GraphQL endpoint: one ASGI application for GraphQL over HTTP, strictly."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from typing import Any, Protocol

import orjson
from graphql import ExecutionResult, GraphQLError
from starlette.types import ASGIApp, Receive, Scope, Send

from app.domain.errors import AccessCode, AccessError, BusyError, BusyOutcome, HeaderRefused
from app.domain.principal import Principal
from app.domain.refresh_cookies import CookieKind, RefreshCookie
from app.domain.requests import RequestFacts
from app.domain.value_objects import value_object
from app.graphql.documents import BadDocumentError, Document, Documents, Operation
from app.graphql.idempotency import KeptAnswerError
from app.graphql.operation_lists import KnownOperations
from app.http.errors import (
    bad_request,
    present_access_error,
    present_bug,
    present_execution_errors,
    present_request_errors,
)
from app.http.exchange import Exchange, exchange_of
from app.http.graphql_request import GraphQLRequest, read_body, read_query_string
from app.http.media_types import GRAPHQL_RESPONSE, HTML, JSON, choose_answer_type, is_in_utf8
from app.http.refresh_cookies import RefreshCookies
from app.http.request_facts import read_facts

MAX_BODY_BYTES = 100_000
TIMEOUT_SECONDS = 10.0

Header = tuple[bytes, bytes]


class Context(Protocol):
    """What the endpoint needs from a GraphQL context: the caller for the log, and a way to the audit."""

    @property
    def principal(self) -> Principal | None:
        """The bearer of the token, once known."""
        ...

    @property
    def tenant_ids(self) -> frozenset[str]:
        """The shops that the operation was about."""
        ...

    @property
    def refresh_cookies(self) -> Sequence[RefreshCookie]:
        """What the browser is to keep from now on, or to forget."""
        ...

    @property
    def user_error_codes(self) -> Sequence[str]:
        """The codes of what the payloads say that a person can put right."""
        ...

    @property
    def may_have_written(self) -> bool:
        """Whether it can be that something was written already."""
        ...

    def expect_repetition(self, fields: Collection[str], sent: str) -> None:
        """Prepare for a mutation that may be made again with its `Idempotency-Key`; `sent` is what its answer is to."""
        ...

    async def settle(self, answer: str) -> None:
        """Commit what was kept open until the answer is there, and keep the answer."""
        ...

    async def abandon(self) -> None:
        """Roll back what was not settled."""
        ...

    async def record_denials(self, errors: Sequence[GraphQLError]) -> None:
        """Take notice of what the operation was refused."""
        ...


MakeContext = Callable[[RequestFacts], Awaitable[Context]]


class _BadHttpError(Exception):
    """A request refused for its HTTP form, before GraphQL is looked at."""

    def __init__(self, status: int, message: str, *headers: Header) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers


@value_object
class _Answer:
    """`well_formed`: the request was valid GraphQL over HTTP, whatever its result."""

    status: int
    body: dict[str, Any]
    headers: tuple[Header, ...] = ()
    well_formed: bool = True


class GraphQLEndpoint:
    """Answers `POST` and `GET` for one set of documents.

    `make_context` authenticates; its `AccessError` becomes the answer. `known` has the operations that clients may send
    as a hash. `playground` answers browsers. An operation that takes longer than `timeout_seconds` is cancelled, which
    rolls back the root field that was running, and answered with SERVICE_BUSY. Its `outcome` is UNKNOWN as soon as
    COMMIT was sent, be it for a field before that one.
    """

    def __init__(
        self,
        documents: Documents,
        make_context: MakeContext,
        *,
        known: KnownOperations | None = None,
        playground: ASGIApp | None = None,
        cookies: RefreshCookies | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        max_body_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        self._documents = documents
        self._make_context = make_context
        self._known = known or KnownOperations()
        self._playground = playground
        self._cookies = cookies or RefreshCookies("")
        self._timeout_seconds = timeout_seconds
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        exchange = exchange_of(scope)
        answer_type = JSON
        try:
            headers = _read_headers(scope)
            is_get = _is_get(scope)
            answer_type = self._choose_type(headers, is_get=is_get)
            if answer_type == HTML and self._playground is not None:
                await self._playground(scope, receive, send)
                return
            request = await self._read(scope, receive, headers, is_get=is_get)
            answer = await self._answer(request, headers, exchange, is_get=is_get)
        except _BadHttpError as refusal:
            answer = _Answer(refusal.status, _errors(bad_request(refusal.message)), refusal.headers, well_formed=False)
        except AccessError as error:
            answer = _Answer(_status(error.code), _errors(error), well_formed=False)
        await _send(send, answer, answer_type, exchange)

    def _choose_type(self, headers: dict[bytes, bytes], *, is_get: bool) -> str:
        accept = headers.get(b"accept", b"").decode("latin-1")
        chosen = choose_answer_type(accept, html=is_get and self._playground is not None)
        if chosen is None:
            raise _BadHttpError(406, f"This endpoint answers in {GRAPHQL_RESPONSE} or {JSON}.")
        return chosen

    async def _read(
        self, scope: Scope, receive: Receive, headers: dict[bytes, bytes], *, is_get: bool
    ) -> GraphQLRequest:
        if is_get:
            query_string: bytes = scope["query_string"]
            if len(query_string) > self._max_body_bytes:
                raise _BadHttpError(414, f"A query string has at most {self._max_body_bytes} bytes.")
            return read_query_string(query_string)
        if not is_in_utf8(headers.get(b"content-type", b"").decode("latin-1"), JSON):
            raise _BadHttpError(415, f"Send the request as {JSON} in UTF-8.")
        if headers.get(b"content-encoding", b"identity").strip().lower() != b"identity":
            raise _BadHttpError(415, "Send the request without Content-Encoding.")
        return read_body(await self._receive_body(receive, headers))

    async def _receive_body(self, receive: Receive, headers: dict[bytes, bytes]) -> bytes:
        announced = headers.get(b"content-length", b"0")
        if not announced.isdigit() or int(announced) > self._max_body_bytes:
            raise self._too_large()
        message = await receive()
        body: bytes = message.get("body", b"")
        while message.get("more_body", False):
            if len(body) > self._max_body_bytes:
                break
            message = await receive()
            body += message.get("body", b"")
        if len(body) > self._max_body_bytes:
            raise self._too_large()
        return body

    def _too_large(self) -> _BadHttpError:
        # The rest of the body is still on its way: without closing, it would be read as the next request.
        return _BadHttpError(413, f"A request has at most {self._max_body_bytes} bytes.", (b"connection", b"close"))

    def _text(self, request: GraphQLRequest) -> str:
        """Return the text to run: the one that was sent, or the one with this hash."""
        if request.query is None:
            return self._known.find(request.known_as or "")
        if request.known_as is not None:
            self._known.check(request.known_as, request.query)
        return request.query

    async def _answer(
        self, request: GraphQLRequest, headers: dict[bytes, bytes], exchange: Exchange, *, is_get: bool
    ) -> _Answer:
        try:
            document = self._documents.get(self._text(request))
            operation = document.choose(request.operation_name)
        except BadDocumentError as refusal:
            return _Answer(_status(refusal.code), {"errors": present_request_errors(refusal.code, refusal.errors)})
        except AccessError as error:
            return _Answer(_status(error.code), _errors(error))
        exchange.operation, exchange.fields = operation.name, operation.fields
        if is_get and not operation.is_query:
            raise _BadHttpError(405, "GET is for queries only: send a mutation by POST.", (b"allow", b"POST"))
        if request.known_as is not None:
            self._known.remember(request.known_as, document.text)
        facts = self._read_facts(headers, exchange, document)
        return await self._run(document, operation, request.variables, facts, exchange)

    def _read_facts(self, headers: dict[bytes, bytes], exchange: Exchange, document: Document) -> RequestFacts:
        facts = read_facts(headers, exchange, document.hash)
        sent = headers.get(b"cookie")
        if sent is None or facts.client_id is None:
            return facts
        return replace(
            facts,
            refresh_cookie=self._cookies.read(sent, facts.client_id),
            device_cookie=self._cookies.read(sent, facts.client_id, CookieKind.DEVICE),
        )

    async def _run(
        self,
        document: Document,
        operation: Operation,
        variables: dict[str, Any],
        facts: RequestFacts,
        exchange: Exchange,
    ) -> _Answer:
        context: Context | None = None
        try:
            async with asyncio.timeout(self._timeout_seconds):
                context = await self._make_context(facts)
                if not operation.is_query and facts.idempotency_key is not None:
                    context.expect_repetition(operation.fields, _all_sent(document, operation, variables))
                result = await self._documents.execute(document, operation, variables, context)
                answer = _kept_answer(result) or _present(result, exchange)
                if facts.idempotency_key is not None:
                    await context.settle(orjson.dumps(answer.body).decode())
                if result.errors:
                    await context.record_denials(result.errors)
                    _raise_refused_header(result.errors)
        except TimeoutError:
            busy = _too_slow(may_have_written=context is not None and context.may_have_written)
            return _Answer(_status(busy.code), _errors(busy))
        except AccessError as error:
            refused = isinstance(error, HeaderRefused)
            return _Answer(_status(error.code), _errors(error), well_formed=not refused)
        except Exception as error:
            return _Answer(500, {"errors": [present_bug(error, exchange.request_id)]})
        finally:
            if context is not None:
                await context.abandon()
                exchange.tenants = context.tenant_ids
                exchange.set_cookies = tuple(map(self._cookies.write, context.refresh_cookies))
        exchange.codes += context.user_error_codes
        principal = context.principal
        if principal is not None:
            exchange.tenant, exchange.caller = principal.tenant_id, principal.kind.value
        return answer


def _present(result: ExecutionResult, exchange: Exchange) -> _Answer:
    if not result.errors:
        return _Answer(200, {"data": result.data})
    errors = present_execution_errors(result.errors, exchange.request_id)
    if result.data is None and all(error.path is None for error in result.errors):
        return _Answer(_status(AccessCode(errors[0]["extensions"]["code"])), {"errors": errors})
    return _Answer(200, {"errors": errors, "data": result.data})


def _kept_answer(result: ExecutionResult) -> _Answer | None:
    """Return what a call was answered the first time, if this is a repetition."""
    for error in result.errors or ():
        if isinstance(error.original_error, KeptAnswerError):
            result.errors = None
            return _Answer(200, orjson.loads(error.original_error.answer))
    return None


def _all_sent(document: Document, operation: Operation, variables: dict[str, Any]) -> str:
    """Return all that the answer of an operation depends on, the same text for the same."""
    return json.dumps([document.hash, operation.name, variables], sort_keys=True)


def _raise_refused_header(errors: Sequence[GraphQLError]) -> None:
    for error in errors:
        if isinstance(error.original_error, HeaderRefused):
            raise error.original_error


_STATUS = {
    AccessCode.UNAUTHENTICATED: 401,
    AccessCode.FORBIDDEN: 403,
    AccessCode.OPERATION_NOT_ALLOWED: 403,
    AccessCode.REAUTHENTICATION_REQUIRED: 403,
    AccessCode.RATE_LIMITED: 429,
    AccessCode.CHALLENGE_REQUIRED: 403,
    AccessCode.SERVICE_BUSY: 503,
    AccessCode.IDEMPOTENCY_KEY_REUSED: 422,
    AccessCode.INTERNAL: 500,
}


def _status(code: AccessCode) -> int:
    """Return the status of an answer without data, for clients that accept `application/graphql-response+json`."""
    return _STATUS.get(code, 400)


def _too_slow(*, may_have_written: bool) -> BusyError:
    """Return the error for an operation whose time is up: whoever has sent COMMIT does not know what came of it."""
    if may_have_written:
        return BusyError(
            "The operation took too long, and may have been done: see whether it was, before you send it again.",
            outcome=BusyOutcome.UNKNOWN,
        )
    return BusyError("The operation took too long and was cancelled: nothing was changed.")


def _errors(error: AccessError) -> dict[str, Any]:
    return {"errors": [present_access_error(error)]}


def _is_get(scope: Scope) -> bool:
    method: str = scope["method"]
    if method not in {"GET", "POST"}:
        raise _BadHttpError(405, "This endpoint takes GET and POST.", (b"allow", b"GET, POST"))
    return method == "GET"


def _read_headers(scope: Scope) -> dict[bytes, bytes]:
    """Return the headers by name; only headers with a list may be there twice."""
    pairs: list[Header] = scope["headers"]
    headers = dict(pairs)
    if len(headers) != len(pairs):
        for name in _SINGLE_HEADERS:
            if sum(key == name for key, _ in pairs) > 1:
                raise bad_request("A request header is there twice that may be there only once.")
        for name in _JOINED_HEADERS & headers.keys():
            separator = b"; " if name == b"cookie" else b","
            headers[name] = separator.join(value for key, value in pairs if key == name)
    return headers


_SINGLE_HEADERS = (
    b"authorization",
    b"content-type",
    b"content-length",
    b"content-encoding",
    b"challenge-response",
    b"idempotency-key",
    b"gateway-client",
    b"origin",
)
# Twice, those of a visitor are no secret and no address; to a client without a secret that is nothing.
_JOINED_HEADERS = frozenset({b"accept", b"storefront-secret", b"buyer-ip", b"buyer-user-agent", b"cookie"})


async def _send(send: Send, answer: _Answer, answer_type: str, exchange: Exchange) -> None:
    errors: list[dict[str, Any]] = answer.body.get("errors", [])
    try:
        body = orjson.dumps(answer.body)
    except TypeError as error:  # a resolver returned a value that JSON cannot express
        errors = [present_bug(error, exchange.request_id)]
        answer = _Answer(500, {"errors": errors})
        body = orjson.dumps(answer.body)
    # Clients that only know application/json treat every other status as a failure of the transport.
    is_hidden = answer.well_formed and answer_type == JSON and answer.status < 500
    status = 200 if is_hidden else answer.status
    headers = [
        (b"content-type", _CONTENT_TYPES.get(answer_type, _CONTENT_TYPES[JSON])),
        (b"content-length", str(len(body)).encode()),
        *answer.headers,
        *((_CHALLENGE,) if status == _UNAUTHORIZED else ()),
        *((b"set-cookie", cookie) for cookie in exchange.set_cookies),
    ]
    if errors:
        extensions = [error["extensions"] for error in errors]
        exchange.codes = [*(each["code"] for each in extensions), *exchange.codes]
        seconds = max((each["retryAfter"] for each in extensions if "retryAfter" in each), default=None)
        if seconds is not None:
            headers.append((b"retry-after", str(seconds).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


_UNAUTHORIZED = 401
# A 401 must have it (RFC 9110 section 15.5.2); some libraries take one without it for a failure of the connection.
_CHALLENGE: Header = (b"www-authenticate", b'Bearer realm="graphql"')
_CONTENT_TYPES = {
    JSON: b"application/json; charset=utf-8",
    GRAPHQL_RESPONSE: b"application/graphql-response+json; charset=utf-8",
}
