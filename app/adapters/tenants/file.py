"""Reads and checks the whole tenants file. Each fault is one line that says where it is and what to write instead."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from app.adapters.tenants.faults import describe, dotted
from app.adapters.tenants.tables import Surroundings, TenantTable
from app.domain.profile import Profile
from app.domain.tenants import Tenant, TenantDirectory

_DEMO = Path(__file__).with_name("demo_tenants.toml")


class TenantsFileError(Exception):
    """What is wrong with the tenants file; `faults` has a line for each."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def load_tenants(path: Path | None, environment: Mapping[str, str], profile: Profile) -> TenantDirectory:
    """Return the tenants of a TOML file, or of the built-in demo where `path` is None.

    `environment` has the secrets that the file names. Raises `TenantsFileError` with every fault found.
    """
    file = path or _DEMO
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise TenantsFileError([f"{file}: cannot be read: {error.strerror}"]) from error
    except ValueError as error:
        raise TenantsFileError([f"{file}: is not TOML in UTF-8: {error}"]) from error
    surroundings = Surroundings(file.parent, environment, profile, built_in=path is None)
    tenants, faults = _read(document, surroundings)
    if faults:
        raise TenantsFileError([f"{file}: {fault}" for fault in faults])
    return TenantDirectory(tenants)


def _read(document: dict[str, Any], surroundings: Surroundings) -> tuple[list[Tenant], list[str]]:
    """Return the tenants of the document and what is wrong with it."""
    faults = [f"{dotted(key)} is not known: put everything under [tenants.…]" for key in document.keys() - {"tenants"}]
    tables = document.get("tenants")
    if not isinstance(tables, dict) or not tables:
        return [], [*faults, "tenants is missing: write at least one table [tenants.…]"]
    tenants = []
    for tenant_id, content in tables.items():
        if not isinstance(content, dict):
            faults.append(f"{dotted('tenants', tenant_id)} must be a table: write [{dotted('tenants', tenant_id)}]")
            continue
        table = TenantTable(tenant_id, content, surroundings)
        faults += table.faults
        try:
            tenant = Tenant.model_validate(table.prepared, context={"profile": surroundings.profile})
        except ValidationError as error:
            faults += describe(error, tenant_id, table.path)
        else:
            tenants.append(tenant)
    return tenants, [*faults, *_shared_clients(tables)]


def _shared_clients(tables: dict[str, Any]) -> list[str]:
    """Return a fault for each client id that more than one tenant uses, read from the raw tables."""
    owners = Counter(client_id for table in tables.values() for client_id in _client_ids(table))
    return [
        f"tenants: client id '{client_id}' is used by {count} tenants: give each client its own"
        for client_id, count in owners.items()
        if count > 1
    ]


def _client_ids(table: object) -> set[str]:
    clients = table.get("clients") if isinstance(table, dict) else None
    if not isinstance(clients, list):
        return set()
    return {client["id"] for client in clients if isinstance(client, dict) and isinstance(client.get("id"), str)}
