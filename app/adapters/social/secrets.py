"""How we authenticate to a provider: with a shared secret, with something that our key has signed, or not at all."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote_plus

from authlib.oauth2.rfc7523.assertion import sign_jwt_bearer_assertion
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from app.adapters.social.algorithms import EDWARDS, EDWARDS_CURVE
from app.domain.tenants import SigningSecret, SocialProvider

_LIFETIME = timedelta(minutes=5)
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
_SHORTEST_RSA = 2048


@dataclass(frozen=True, slots=True, repr=False)
class Authentication:
    """What a request to the provider has to carry, to be ours."""

    headers: dict[str, str] = field(default_factory=dict)
    form: dict[str, str] = field(default_factory=dict)


def authenticate(provider: SocialProvider, method: str, token_endpoint: str, now: datetime) -> Authentication:
    """Return how we authenticate at the token endpoint by one of the methods of OpenID Connect Core section 9."""
    client_id = {provider.client_id_parameter: provider.client_id}
    if method == "none":
        return Authentication(form=client_id)
    if method == "private_key_jwt":
        assertion = _assertion(provider, token_endpoint, now)
        return Authentication(
            form={**client_id, "client_assertion_type": _ASSERTION_TYPE, "client_assertion": assertion}
        )
    secret = _client_secret(provider, now)
    if method == "client_secret_post":
        return Authentication(form={**client_id, "client_secret": secret})
    # Each part is form-encoded first (RFC 6749 section 2.3.1): either may have a colon or what is not ASCII.
    pair = f"{quote_plus(provider.client_id)}:{quote_plus(secret)}"
    return Authentication(headers={"Authorization": f"Basic {b64encode(pair.encode()).decode()}"})


def _client_secret(provider: SocialProvider, now: datetime) -> str:
    if provider.client_secret is not None:
        return provider.client_secret.get_secret_value()
    if provider.signing is None:
        raise RuntimeError("The check of the tenants file refuses a provider without a secret.")
    return _signed_secret(provider, provider.signing, now)


def _signed_secret(provider: SocialProvider, signing: SigningSecret, now: datetime) -> str:
    """Return the JWT for Apple: `iss` is the team, `sub` the client, `aud` the issuer."""
    header = {"alg": signing.algorithm, "kid": signing.key_id}
    claims: dict[str, Any] = {
        "iss": signing.team_id,
        "iat": int(now.timestamp()),
        "exp": int((now + _LIFETIME).timestamp()),
        "aud": provider.issuer,
        "sub": provider.client_id,
    }
    return jwt.encode(header, claims, _key(signing), [signing.algorithm])


def _assertion(provider: SocialProvider, token_endpoint: str, now: datetime) -> str:
    """Return the JWT by which we prove who we are, good once (RFC 7523 section 2.2)."""
    signing = provider.signing
    if signing is None:
        raise RuntimeError("The check of the tenants file refuses this method without a key.")
    return str(
        sign_jwt_bearer_assertion(
            _key(signing),
            issuer=provider.client_id,
            audience=token_endpoint,
            subject=provider.client_id,
            issued_at=int(now.timestamp()),
            expires_at=int((now + _LIFETIME).timestamp()),
            header={"alg": signing.algorithm, "kid": signing.key_id},
        )
    )


def _key(signing: SigningSecret) -> RSAKey | ECKey | OKPKey:
    return read_private_key(signing.private_key.get_secret_value(), signing.algorithm)


def read_private_key(text: str, algorithm: str = "ES256") -> RSAKey | ECKey | OKPKey:
    """Return the private key of a PEM text; raises `ValueError`, without any of the text, if it does not fit."""
    kind: type[RSAKey | ECKey | OKPKey] = ECKey if algorithm in _CURVES else OKPKey if algorithm in EDWARDS else RSAKey
    try:
        key = kind.import_key(text)
    except (JoseError, ValueError, TypeError):
        raise ValueError(f"must hold a private key for {algorithm} in PEM, as the provider's .p8 file has it") from None
    if not key.is_private:
        raise ValueError("must hold a private key, not a public one")
    if isinstance(key, ECKey | OKPKey) and key.curve_name != _CURVES.get(algorithm, EDWARDS_CURVE):
        raise ValueError(
            f"must hold a private key on the curve {_CURVES.get(algorithm, EDWARDS_CURVE)} for {algorithm}"
        )
    if isinstance(key, RSAKey) and key.raw_value.key_size < _SHORTEST_RSA:
        raise ValueError(f"must hold a private key of at least {_SHORTEST_RSA} bits")
    return key
