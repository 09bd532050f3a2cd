"""The settings of well-known social providers, so that a tenants file need not have them."""

from __future__ import annotations

from typing import Any

_GRAPH = "https://graph.facebook.com/v23.0"

PRESETS: dict[str, dict[str, Any]] = {
    "google": {"name": "Google", "issuer": "https://accounts.google.com"},
    # Apple returns the code by a form's POST if it is asked for the name or the address.
    "apple": {
        "name": "Apple",
        "issuer": "https://appleid.apple.com",
        "scopes": ["openid", "email", "name"],
        "response_mode": "form_post",
    },
    # OAuth 2 without OpenID: the Graph API says who the person is.
    "facebook": {
        "name": "Facebook",
        "issuer": "https://www.facebook.com",
        "scopes": ["public_profile", "email"],
        "authorization_endpoint": "https://www.facebook.com/v23.0/dialog/oauth",
        "token_endpoint": f"{_GRAPH}/oauth/access_token",
        "userinfo_endpoint": f"{_GRAPH}/me?fields=id,email,first_name,last_name",
        "claim_names": {"subject": "id", "first_name": "first_name", "last_name": "last_name"},
    },
    "auth0": {"name": "Auth0"},
}


def fill_preset(entry: dict[str, Any]) -> None:
    """Add what the entry of a well-known provider leaves out; any other provider's name is its id, capitalized."""
    provider = entry.get("provider")
    if isinstance(provider, str):
        entry.update({**PRESETS.get(provider, {"name": provider.capitalize()}), **entry})
