"""If a tenant lists its operations, its storefronts can run only those."""

from __future__ import annotations

from app.domain.errors import AccessCode, AccessError
from app.domain.tenants import Tenant
from app.services.caller import Caller


def check_operation(tenant: Tenant, caller: Caller) -> None:
    """Raise `AccessError` OPERATION_NOT_ALLOWED unless the caller may run its operation on the tenant's data.

    Asked whenever a tenant becomes known: by the token, or by the client id or the mailed token in the input. Without
    a token of an integration, the caller is taken for a storefront.
    """
    allowed, operation = tenant.operations, caller.facts.operation
    if allowed is None or operation is None or operation in allowed:
        return
    client = tenant.find_client(caller.principal.client_id) if caller.principal is not None else None
    if client is None or client.is_storefront:
        raise AccessError(AccessCode.OPERATION_NOT_ALLOWED, "This shop runs only the operations on its list.")
