"""Tables of a tenants file: a shop that is as small as can be, whoever comes to it, and what a test adds."""

from __future__ import annotations

import json
from typing import Any


def table(head: str, **values: Any) -> str:
    """Return a table of TOML, in which strings, numbers, booleans and lists are written as in JSON."""
    return "\n".join([head, *(f"{name} = {json.dumps(value)}" for name, value in values.items()), ""])


def shop(tenant: str, **settings: Any) -> str:
    """Return a shop with one site; it wants a client yet."""
    own = {"name": "The shop", "signup": "open", **settings}
    site = {"url": f"https://{tenant}.example", "language": "en"}
    return table(f"[tenants.{tenant}]", **own) + table(f"[tenants.{tenant}.sites.main]", **site)


def storefront(tenant: str, client_id: str, **settings: Any) -> str:
    """Return a public client of the shop."""
    return table(f"[[tenants.{tenant}.clients]]", id=client_id, kind="storefront", **settings)


def integration(tenant: str, client_id: str, **settings: Any) -> str:
    """Return a confidential client of the shop, which may read and manage customers if nothing else is said."""
    scopes = {"scopes": ["customers.read", "customers.manage"]}
    return table(f"[[tenants.{tenant}.clients]]", id=client_id, kind="integration", **{**scopes, **settings})


def user(tenant: str, user_id: str, **settings: Any) -> str:
    """Return somebody of the shop's organisation."""
    return table(f"[[tenants.{tenant}.users]]", id=user_id, **settings)
