"""Calls operations of the API in this process, as the staff page: by the same rules, limits and audit as any caller."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request

from app.domain.errors import AccessError
from app.domain.requests import RequestFacts
from app.domain.tenants import Tenant
from app.domain.tools import LiveTools
from app.graphql.context import Context
from app.graphql.documents import Documents
from app.http.errors import present_execution_errors
from app.http.exchange import Exchange, exchange_of
from app.services.caller import Caller
from app.services.staff.staff_page import find_integration, page_caller, page_caller_with_token
from app.services.unit_of_work import UnitOfWork

_NO_INTEGRATION = (
    'This shop has no client of kind = "integration", so nobody works on its customers by the API: '
    "add one to the tenants file."
)


@dataclass(frozen=True, slots=True)
class Answer:
    """The data by field, what went wrong in words, and the codes of that."""

    data: Mapping[str, Any] = field(default_factory=dict)
    faults: Sequence[str] = ()
    codes: Sequence[str] = ()


class Api:
    """The API of the shops that are served at the moment."""

    def __init__(self, documents: Documents, live: LiveTools) -> None:
        self._documents = documents
        self.live = live

    async def ask(
        self, request: Request, tenant: Tenant, text: str, variables: Mapping[str, Any], *, with_token: bool = False
    ) -> Answer:
        """Return the answer of an operation of ours; `with_token` for one that wants the caller's token itself."""
        exchange, client = exchange_of(request.scope), find_integration(tenant)
        if client is None:
            return Answer(faults=[_NO_INTEGRATION])
        tools, facts = self.live.now, RequestFacts(exchange.request_id, exchange.ip)
        try:
            if with_token:
                caller = await page_caller_with_token(tools, tenant, client, facts)
            else:
                caller = page_caller(tools, tenant, client, facts)
        except AccessError as error:
            return _refused(exchange, [error.message], [error.code.value])
        return await self._run(text, variables, caller, exchange)

    async def _run(self, text: str, variables: Mapping[str, Any], caller: Caller, exchange: Exchange) -> Answer:
        document = self._documents.get(text)
        operation = document.choose(None)
        context = Context(self.live.now, caller, UnitOfWork(self.live.now, caller))
        try:
            result = await self._documents.execute(document, operation, variables, context)
            if result.errors:
                await context.record_denials(result.errors)
        finally:
            await context.abandon()
        principal = caller.require_principal()
        exchange.tenant, exchange.caller = principal.tenant_id, principal.kind.value
        exchange.operation, exchange.fields = operation.name, operation.fields
        data = result.data or {}
        if result.errors:
            entries = present_execution_errors(result.errors, exchange.request_id)
            codes = [entry["extensions"]["code"] for entry in entries]
            return _refused(exchange, [entry["message"] for entry in entries], codes, data)
        errors = list(_user_errors(data))
        return _refused(exchange, [_in_words(error) for error in errors], [error["code"] for error in errors], data)


def _refused(
    exchange: Exchange, faults: Sequence[str], codes: Sequence[str], data: Mapping[str, Any] | None = None
) -> Answer:
    exchange.codes += codes
    return Answer(data or {}, faults, codes)


def _user_errors(data: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for payload in data.values():
        if isinstance(payload, dict):
            yield from payload.get("userErrors", ())


def _in_words(error: Mapping[str, Any]) -> str:
    where = f" at {'.'.join(error['field'])}" if error["field"] else ""
    return f"{error['message']} ({error['code']}{where})"
