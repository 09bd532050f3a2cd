"""The units of work in which the worker acts: nobody calls it, and it comes from nowhere."""

from __future__ import annotations

from app.domain.requests import RequestFacts
from app.domain.tenants import Tenant
from app.domain.tools import Tools
from app.services.caller import Caller
from app.services.unit_of_work import UnitOfWork


def open_for_worker(tools: Tools, tenant: Tenant | None = None) -> UnitOfWork:
    """Return a unit of work of the worker in this tenant; without one, to see the rows of all tenants."""
    uow = UnitOfWork(tools, Caller(RequestFacts(request_id="worker", ip="")))
    if tenant is not None:
        uow.enter(tenant)
    return uow
