"""The first steps for somebody who has just started the gateway in development: in the log and on the page at `/`."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, field

from app.domain.tenants import Client, Tenant, TenantDirectory

# How many shops are named.
MOST_NAMED = 10

_NO_STOREFRONT = (
    "No shop of the tenants file has a storefront client, so nobody can begin a session: "
    'add one, [[tenants.….clients]] with kind = "storefront".'
)


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """The first steps with the shops that are served at `url`; `hint` says why they are not possible.

    `integration` is a client whose secret everybody knows, so it may be shown.
    """

    url: str
    shops: tuple[str, ...]
    tenant: Tenant | None
    client: Client | None
    integration: Client | None = field(repr=False)

    @property
    def shop_names(self) -> str:
        """The names of the shops, or of the first of very many."""
        named = ", ".join(self.shops[:MOST_NAMED])
        return named if len(self.shops) <= MOST_NAMED else f"{named} and {len(self.shops) - MOST_NAMED} more"

    @property
    def hint(self) -> str | None:
        """Why the operation cannot run, or None."""
        if self.tenant is None:
            return _NO_STOREFRONT
        if self.tenant.operations is not None:
            return f"{self.tenant.name} runs only the operations of its operations_file."
        return None

    @property
    def operation(self) -> str | None:
        """The operation to begin with: an anonymous session of a storefront."""
        if self.client is None or self.hint is not None:
            return None
        arguments = f'input: {{clientId: "{self.client.id}"}}'
        return f"mutation {{ anonymousLogin({arguments}) {{ tokens {{ accessToken sessionId }} }} }}"

    @property
    def operation_command(self) -> str | None:
        """The same operation for a shell."""
        if self.operation is None:
            return None
        body = shlex.quote(json.dumps({"query": self.operation}))
        return f"curl {shlex.quote(self.url + '/graphql')} -H 'Content-Type: application/json' -d {body}"

    @property
    def token_command(self) -> str | None:
        """The command that gets a token for integrations; None if that needs a real secret."""
        if self.integration is None or self.integration.secret is None:
            return None
        credentials = shlex.quote(f"{self.integration.id}:{self.integration.secret.get_secret_value()}")
        return f"curl {shlex.quote(self.url + '/oauth/token')} -u {credentials} -d grant_type=client_credentials"


def first_steps(tenants: TenantDirectory, url: str, *, built_in: bool) -> FirstSteps:
    """Return the first steps with these tenants; `built_in` if they are the built-in demo."""
    tenant, client = tenants.find_first_storefront() or (None, None)
    known = (
        client
        for tenant in tenants
        for client in tenant.clients
        if not client.is_storefront and client.has_well_known_secret
    )
    return FirstSteps(
        url=url,
        shops=tuple(tenant.name for tenant in tenants),
        tenant=tenant,
        client=client,
        integration=next(known, None) if built_in else None,
    )
