"""Reads the form of an OAuth request (RFC 6749 appendix B) and its Basic credentials, strictly."""

from __future__ import annotations

from base64 import b64decode
from urllib.parse import parse_qsl, unquote_plus

from app.domain.oauth import BasicCredentials
from app.domain.texts import is_well_formed

_MOST_FIELDS = 32


class BadFormError(ValueError):
    """The request is malformed. The message says why, without any part of it."""


def read_form(body: bytes) -> dict[str, str]:
    """Return the parameters that have a value; raises `BadFormError` if one is there twice (RFC 6749 section 3.2)."""
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise BadFormError("The body is not a URL-encoded form in UTF-8.") from None
    parameters = dict(pairs)
    if len(parameters) != len(pairs):
        raise BadFormError("A parameter is there twice.")
    if not all(map(is_well_formed, parameters.values())):
        raise BadFormError("The form has a NUL character.")
    return {name: value for name, value in parameters.items() if value}


def read_basic(authorization: str) -> BasicCredentials:
    """Return the credentials of an Authorization header (RFC 7617); raises `BadFormError` for any other scheme."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise BadFormError("Authenticate by Basic or in the form, but not both.")
    try:
        text = b64decode(encoded.strip(), validate=True).decode()
        client_id, colon, secret = text.partition(":")
        secrets = {unquote_plus(secret, errors="strict"): None, secret: None}
        if not colon or not all(map(is_well_formed, secrets)):
            raise ValueError
        return BasicCredentials(unquote_plus(client_id, errors="strict"), tuple(secrets))
    except ValueError:
        raise BadFormError("The Basic credentials cannot be read.") from None
