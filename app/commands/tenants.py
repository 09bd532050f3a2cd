"""`tenants check`, and the same check before the gateway serves."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

from app.domain.profile import Profile
from app.domain.tenants import Tenant
from app.graphql.operation_lists import faults_of_lists
from app.graphql.schema import build_documents
from app.settings import Settings
from app.wiring import TenantFiles, TenantsFileError, faults_of_mail, open_tenants


def check_tenants(settings: Settings) -> None:
    """Print that the tenants file is in order."""
    tenants = read_tenants_whole(settings).reading.tenants
    sys.stdout.write(f"The tenants file is in order: {', '.join(tenant.id for tenant in tenants)}.\n")


def read_tenants_whole(settings: Settings) -> TenantFiles:
    """Return the tenants; raises `TenantsFileError` also for a listed operation that the schema cannot run.

    And for what the environment has to have because a shop has the gateway send its mails.
    """
    files = open_tenants(settings)
    faults = list(faults_of_shops(files.reading.tenants, settings=settings))
    if faults:
        raise TenantsFileError(faults)
    return files


def faults_of_shops(tenants: Iterable[Tenant], *, settings: Settings) -> Iterator[str]:
    """Yield what is wrong with the lists of operations, and what the shops' mails lack.

    The schema is built only if there are any lists.
    """
    yield from faults_of_mail(tenants, settings)
    listing = [tenant for tenant in tenants if tenant.operations is not None]
    if listing:
        yield from faults_of_lists(listing, build_documents(production=settings.profile is Profile.PRODUCTION))
