"""The settings of well-known social providers, so that a tenants file need not have them."""

from __future__ import annotations

from typing import Any

_GRAPH = "https://graph.facebook.com/v23.0"
_X_FIELDS = "user.fields=confirmed_email,name,username"

PRESETS: dict[str, dict[str, Any]] = {
    "google": {"name": "Google", "issuer": "https://accounts.google.com"},
    # Apple returns the code by a form's POST if it is asked for the name or the address.
    "apple": {
        "name": "Apple",
        "issuer": "https://appleid.apple.com",
        "scopes": ["openid", "email", "name"],
        "response_mode": "form_post",
    },
    "microsoft": {"name": "Microsoft", "issuer": "https://login.microsoftonline.com/common/v2.0"},
    # OAuth 2 without OpenID: the Graph API says who the person is. Its limited login gives apps an id token.
    "facebook": {
        "name": "Facebook",
        "issuer": "https://www.facebook.com",
        "scopes": ["public_profile", "email"],
        "authorization_endpoint": "https://www.facebook.com/v23.0/dialog/oauth",
        "token_endpoint": f"{_GRAPH}/oauth/access_token",
        "userinfo_endpoint": f"{_GRAPH}/me?fields=id,email,first_name,last_name",
        "jwks_uri": "https://limited.facebook.com/.well-known/oauth/openid/jwks/",
        "claim_names": {"subject": "id", "first_name": "first_name", "last_name": "last_name"},
    },
    # The issuer is what GitHub names in its redirects (RFC 9207).
    "github": {
        "name": "GitHub",
        "issuer": "https://github.com/login/oauth",
        "scopes": ["read:user", "user:email"],
        "authorization_endpoint": "https://github.com/login/oauth/authorize",
        "token_endpoint": "https://github.com/login/oauth/access_token",
        "userinfo_endpoint": "https://api.github.com/user",
        "emails_endpoint": "https://api.github.com/user/emails",
        "claim_names": {"subject": "id"},
    },
    # The id token alone has the address.
    "line": {
        "name": "LINE",
        "issuer": "https://access.line.me",
        "scopes": ["openid", "profile", "email"],
        "token_endpoint_auth_method": "client_secret_post",
    },
    "kakao": {
        "name": "Kakao",
        "issuer": "https://kauth.kakao.com",
        "scopes": ["account_email", "profile_nickname"],
        "authorization_endpoint": "https://kauth.kakao.com/oauth/authorize",
        "token_endpoint": "https://kauth.kakao.com/oauth/token",
        "userinfo_endpoint": "https://kapi.kakao.com/v2/user/me",
        "jwks_uri": "https://kauth.kakao.com/.well-known/jwks.json",
        "claim_names": {
            "subject": "id",
            "email": "kakao_account.email",
            "email_verified": "kakao_account.is_email_verified",
            "name": "kakao_account.profile.nickname",
        },
    },
    # It tells no address.
    "tiktok": {
        "name": "TikTok",
        "issuer": "https://www.tiktok.com",
        "client_id_parameter": "client_key",
        "scopes": ["user.info.basic"],
        "authorization_endpoint": "https://www.tiktok.com/v2/auth/authorize/",
        "token_endpoint": "https://open.tiktokapis.com/v2/oauth/token/",
        "userinfo_endpoint": "https://open.tiktokapis.com/v2/user/info/?fields=open_id,display_name",
        "claim_names": {"subject": "data.user.open_id", "name": "data.user.display_name"},
    },
    "discord": {
        "name": "Discord",
        "issuer": "https://discord.com",
        "scopes": ["identify", "email"],
        "authorization_endpoint": "https://discord.com/oauth2/authorize",
        "token_endpoint": "https://discord.com/api/oauth2/token",
        "revocation_endpoint": "https://discord.com/api/oauth2/token/revoke",
        "userinfo_endpoint": "https://discord.com/api/users/@me",
        "claim_names": {"subject": "id", "email_verified": "verified", "name": "global_name"},
    },
    "x": {
        "name": "X",
        "issuer": "https://x.com",
        "scopes": ["users.read", "users.email", "tweet.read"],
        "token_endpoint_auth_method": "client_secret_basic",
        "authorization_endpoint": "https://x.com/i/oauth2/authorize",
        "token_endpoint": "https://api.x.com/2/oauth2/token",
        "revocation_endpoint": "https://api.x.com/2/oauth2/revoke",
        "userinfo_endpoint": f"https://api.x.com/2/users/me?{_X_FIELDS}",
        "claim_names": {"subject": "data.id", "email": "data.confirmed_email", "name": "data.name"},
    },
    "linkedin": {
        "name": "LinkedIn",
        "issuer": "https://www.linkedin.com/oauth",
        "token_endpoint_auth_method": "client_secret_post",
    },
    "auth0": {"name": "Auth0"},
}
# What says how we authenticate: a shop that says it itself does not want the preset's.
_AUTHENTICATIONS = frozenset({"token_endpoint_auth_method", "signing"})


def fill_preset(entry: dict[str, Any]) -> None:
    """Add what the entry of a well-known provider leaves out; any other provider's name is its id, capitalized.

    Which provider it is says `preset`, or else `provider`.
    """
    provider = entry.get("provider")
    if not isinstance(provider, str):
        return
    known = entry.get("preset", provider)
    preset = PRESETS.get(known) if isinstance(known, str) else None
    if preset is None:
        entry.setdefault("name", provider.capitalize())
        return
    if _has_other_names(entry, preset):
        preset = {key: value for key, value in preset.items() if key != "claim_names"}
    filled = {key: value for key, value in preset.items() if key not in _AUTHENTICATIONS or _lets_fill(entry)}
    own_names = entry.get("claim_names")
    if isinstance(own_names, dict):
        entry["claim_names"] = {**preset.get("claim_names", {}), **own_names}
    entry.update({"preset": known, **filled, **entry})


def _lets_fill(entry: dict[str, Any]) -> bool:
    return not _AUTHENTICATIONS & entry.keys()


def _has_other_names(entry: dict[str, Any], preset: dict[str, Any]) -> bool:
    """Tell whether the shop asks for an id token where the preset's names are those of the userinfo endpoint."""
    scopes = entry.get("scopes")
    return isinstance(scopes, list) and "openid" in scopes and "openid" not in preset.get("scopes", ("openid",))
