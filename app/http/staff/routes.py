"""All routes of the staff page."""

from __future__ import annotations

from starlette.routing import BaseRoute

from app.domain.tools import LiveTools
from app.graphql.documents import Documents
from app.http.staff.api import Api
from app.http.staff.audit import audit_routes
from app.http.staff.customer import CustomerPages
from app.http.staff.customers import list_routes
from app.http.staff.sending import SendingPages
from app.http.staff.shops import shop_routes


def staff_routes(documents: Documents, live: LiveTools, base: str) -> list[BaseRoute]:
    """Return the routes of the staff page, which calls operations with these `documents`; links begin with `base`."""
    api = Api(documents, live)
    return [
        *list_routes(api, base),
        *CustomerPages(api, base).routes(),
        *audit_routes(live, base),
        *SendingPages(live, base).routes(),
        *shop_routes(live, base),
    ]
