"""How we authenticate to a provider: with a shared secret, or for Apple with a short-lived signed JWT."""

from __future__ import annotations

from datetime import datetime, timedelta

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from app.domain.tenants import SigningSecret, SocialProvider

_ALGORITHM = "ES256"
_LIFETIME = timedelta(minutes=5)


def client_secret(provider: SocialProvider, now: datetime) -> str:
    """Return the current client secret for the token endpoint."""
    if provider.client_secret is not None:
        return provider.client_secret.get_secret_value()
    if provider.signing is None:
        raise RuntimeError("The check of the tenants file refuses a provider without a secret.")
    return _signed_secret(provider, provider.signing, now)


def _signed_secret(provider: SocialProvider, signing: SigningSecret, now: datetime) -> str:
    """Return the JWT for Apple: `iss` is the team, `sub` the client, `aud` the issuer."""
    header = {"alg": _ALGORITHM, "kid": signing.key_id}
    claims = {
        "iss": signing.team_id,
        "iat": int(now.timestamp()),
        "exp": int((now + _LIFETIME).timestamp()),
        "aud": provider.issuer,
        "sub": provider.client_id,
    }
    return jwt.encode(header, claims, read_private_key(signing.private_key.get_secret_value()), [_ALGORITHM])


def read_private_key(text: str) -> ECKey:
    """Return the P-256 private key of a PEM text; raises `ValueError`, without any of the text, if it is not one."""
    try:
        key = ECKey.import_key(text)
    except (JoseError, ValueError, TypeError):
        raise ValueError("must hold a private key in PEM, as the provider's .p8 file has it") from None
    if not key.is_private or key.curve_name != "P-256":
        raise ValueError("must hold a private key on the curve P-256, as the provider's .p8 file has it")
    return key
