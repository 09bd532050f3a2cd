"""The built-in demo: its sites are where the gateway is, for it serves their storefront itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.domain.web_addresses import origin_of

DEMO = Path(__file__).with_name("demo_tenants.toml")

# What the file writes for the address of the gateway.
_HERE = "http://localhost:8000"
# Lists of origins, which have no path.
_ORIGINS = frozenset({"origins", "passkey_origins"})


def at_address(content: Any, address: str, key: str = "") -> Any:
    """Return the demo's content with the gateway at this address, a path included."""
    match content:
        case dict():
            return {name: at_address(value, address, name) for name, value in content.items()}
        case list():
            moved = [at_address(value, address, key) for value in content]
            # The address may be one that stands there too.
            return list(dict.fromkeys(moved)) if all(isinstance(value, str) for value in moved) else moved
        case str() if content.startswith(_HERE):
            return (origin_of(address) if key in _ORIGINS else address) + content.removeprefix(_HERE)
    return content
