"""What a client brings back from a provider: a code for its redirect, or an id token of the platform's own sheet."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.errors import Refused, UserErrorCode
from app.domain.problems import Problems
from app.domain.social import parse_code_verifier
from app.domain.texts import optional_line

LONGEST_CODE = 4_096
LONGEST_ID_TOKEN = 32_768
parse_name = optional_line(100)


@dataclass(frozen=True, slots=True, repr=False)
class ProviderAnswer:
    """Either `code` and what belongs to it, or `id_token` and `nonce`. The names are what the client has been told."""

    provider: str
    code: str | None = None
    redirect_uri: str | None = None
    code_verifier: str | None = None
    state: str | None = None
    iss: str | None = None
    id_token: str | None = None
    nonce: str | None = None
    first_name: str | None = None
    last_name: str | None = None


def check_answer(problems: Problems, answer: ProviderAnswer) -> None:
    """Note what is missing, what is too much, and what cannot be right, each at its field."""
    if answer.id_token is not None:
        _check_native(problems, answer)
    else:
        _check_redirect(problems, answer)
    problems.check(parse_name, answer.first_name, "firstName")
    problems.check(parse_name, answer.last_name, "lastName")


def _check_native(problems: Problems, answer: ProviderAnswer) -> None:
    of_redirect = {
        "code": answer.code,
        "redirectUri": answer.redirect_uri,
        "codeVerifier": answer.code_verifier,
        "state": answer.state,
        "iss": answer.iss,
    }
    for name, value in of_redirect.items():
        if value is not None:
            problems.add(UserErrorCode.INVALID, "Leave this out where you give idToken: give one or the other.", name)
    problems.check(_parse_id_token, answer.id_token or "", "idToken")
    if not answer.nonce:
        problems.add(UserErrorCode.REQUIRED, "The nonce is missing: it is the one that beginSocialLogin gave.", "nonce")


def _check_redirect(problems: Problems, answer: ProviderAnswer) -> None:
    if answer.nonce is not None:
        problems.add(UserErrorCode.INVALID, "Leave the nonce out unless you give idToken.", "nonce")
    problems.check(_parse_code, answer.code or "", "code")
    for name, value in (("redirectUri", answer.redirect_uri), ("state", answer.state)):
        if value is None:
            problems.add(UserErrorCode.REQUIRED, "This is missing: it is needed together with the code.", name)
    if answer.code_verifier is None:
        message = "This is missing: it is needed together with the code."
        problems.add(UserErrorCode.REQUIRED, message, "codeVerifier")
    else:
        problems.check(parse_code_verifier, answer.code_verifier, "codeVerifier")


def _parse_code(code: str) -> str:
    if not code:
        raise Refused(
            UserErrorCode.REQUIRED,
            "The code is missing: it is in the address that the provider sent the person back to. "
            "An app that has an id token gives idToken and nonce instead.",
        )
    if len(code) > LONGEST_CODE:
        raise Refused(UserErrorCode.TOO_LONG, f"The code may have at most {LONGEST_CODE} characters.")
    return code


def _parse_id_token(token: str) -> str:
    if not token:
        raise Refused(UserErrorCode.REQUIRED, "The id token is empty: it is what the platform's sheet has returned.")
    if len(token) > LONGEST_ID_TOKEN:
        raise Refused(UserErrorCode.TOO_LONG, f"The id token may have at most {LONGEST_ID_TOKEN} characters.")
    return token
