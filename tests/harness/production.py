"""The environment of a gateway in production, with one shop."""

from __future__ import annotations

from pathlib import Path

from app.adapters.keys.signer import Es256Signer
from tests.harness.tenants import shop, storefront


def production(folder: Path) -> dict[str, str]:
    """Write the files that production wants, and return the variables; there is no mail server."""
    keys, tenants = folder / "keys.json", folder / "tenants.toml"
    Es256Signer.load_or_create(keys)
    tenants.write_text(shop("shop") + storefront("shop", "storefront"))
    return {
        "PROFILE": "production",
        "PUBLIC_URL": "https://customers.shop.example",
        "SMTP_URL": "smtp://127.0.0.1:2525",
        "MAIL_FROM": "shop@example.com",
        "SIGNING_KEYS_FILE": str(keys),
        "TENANTS_FILE": str(tenants),
    }
