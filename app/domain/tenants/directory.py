"""All shops of a gateway, found by what a request names: a client, a hint in a token, an operation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence

from app.domain.tenants.clients import Client
from app.domain.tenants.tenant import Tenant
from app.domain.tokens import hint_of, read_hint
from app.domain.web_origins import Origins, RegisteredOrigin


class TenantDirectory:
    """All tenants, in the order of the file. A client belongs to one tenant, so the client id tells which.

    It never changes: a change of the file makes another one, and whoever has this one goes on with it.
    """

    def __init__(self, tenants: Iterable[Tenant]) -> None:
        """Index the tenants; raises `ValueError` when two of them share a client id."""
        self._tenants: dict[str, Tenant] = {}
        self._clients: dict[str, tuple[Tenant, Client]] = {}
        # How many tenants list each operation.
        self._operations: Counter[tuple[str, str]] = Counter()
        self._texts: dict[str, str] = {}
        # The tenants whose tokens have each hint: one, unless two tenants have the same by chance.
        self._hinted: dict[str, tuple[str, ...]] = {}
        for tenant in tenants:
            self._add(tenant)
        self.origins = Origins(each for tenant in self for each in _origins(tenant))

    def __iter__(self) -> Iterator[Tenant]:
        return iter(self._tenants.values())

    def __len__(self) -> int:
        return len(self._tenants)

    def with_changes(self, changed: Collection[Tenant], gone: Collection[str] = ()) -> TenantDirectory:
        """Return the directory with these tenants, new or changed, and without those that are gone.

        It costs what has changed, whatever the number of all. Raises `ValueError` when two tenants share a client id.
        """
        later = TenantDirectory(())
        later._tenants = self._tenants.copy()
        later._clients = self._clients.copy()
        later._operations = self._operations.copy()
        later._texts = self._texts.copy()
        later._hinted = self._hinted.copy()
        before = [
            tenant for each in (*gone, *(t.id for t in changed)) if (tenant := self._tenants.get(each)) is not None
        ]
        later.origins = self.origins.with_changes(
            (each for tenant in changed for each in _origins(tenant)),
            (each for tenant in before for each in _origins(tenant)),
        )
        for tenant_id in (*gone, *(tenant.id for tenant in changed)):
            later._take_out(tenant_id)
        for tenant_id in gone:
            if later._tenants.pop(tenant_id, None) is not None:
                later._forget_hint(tenant_id)
        for tenant in changed:
            later._add(tenant)
        return later

    def _add(self, tenant: Tenant) -> None:
        for client in tenant.clients:
            if client.id in self._clients:
                raise ValueError(f"'{client.id}' is here twice: give each its own")
            self._clients[client.id] = (tenant, client)
        if tenant.operations is not None:
            self._operations.update(tenant.operations.items())
            self._texts.update(tenant.operations)
        if tenant.id not in self._tenants:
            hint = hint_of(tenant.id)
            self._hinted[hint] = (*self._hinted.get(hint, ()), tenant.id)
        self._tenants[tenant.id] = tenant

    def _forget_hint(self, tenant_id: str) -> None:
        hint = hint_of(tenant_id)
        others = tuple(each for each in self._hinted[hint] if each != tenant_id)
        if others:
            self._hinted[hint] = others
        else:
            del self._hinted[hint]

    def _take_out(self, tenant_id: str) -> None:
        """Remove what was indexed of a tenant; its place in the order stays."""
        tenant = self._tenants.get(tenant_id)
        if tenant is None:
            return
        for client in tenant.clients:
            del self._clients[client.id]
        for listed in (tenant.operations or {}).items():
            self._operations[listed] -= 1
            if not self._operations[listed]:
                del self._operations[listed]
                self._texts.pop(listed[0], None)

    def tenant(self, tenant_id: str) -> Tenant:
        """Return the tenant of this id; raises `LookupError` when the file no longer has it."""
        return self._tenants[tenant_id]

    def find_tenant(self, tenant_id: str) -> Tenant | None:
        """Return the tenant of this id, or None."""
        return self._tenants.get(tenant_id)

    def hinted(self, token: str) -> Sequence[str]:
        """Return the ids of the tenants that a token's hint means: one, by chance several, or none that we know.

        Without one it may be a token of any tenant, from before there were hints. That the random beginning of such a
        token is by chance a tenant's hint (2^-48 for each tenant) is left out of account: it is found no more.
        """
        return self._hinted.get(read_hint(token), ())

    def find_first_storefront(self) -> tuple[Tenant, Client] | None:
        """Return the storefront to try the gateway with, and its shop: one that runs any operation, if there is one."""
        found = [(tenant, client) for tenant in self for client in tenant.clients if client.is_storefront]
        return min(found, key=lambda pair: pair[0].operation_list is not None, default=None)

    def find_client(self, client_id: str) -> tuple[Tenant, Client] | None:
        """Return the client of this id and the tenant that it belongs to, or None."""
        return self._clients.get(client_id)

    def find_operation(self, known_as: str) -> str | None:
        """Return the text with this hash that is on a tenant's list of operations, or None."""
        return self._texts.get(known_as)

    def find_integration(self, client_id: str) -> tuple[Tenant, Client] | None:
        """Return the confidential client of this id and its tenant; a storefront with a secret is none."""
        found = self._clients.get(client_id)
        return None if found is None or found[1].is_storefront else found


def _origins(tenant: Tenant) -> Iterator[RegisteredOrigin]:
    return (
        RegisteredOrigin(origin, tenant.id, client.id, client.refresh_cookie)
        for client in tenant.clients
        for origin in client.origins
    )
