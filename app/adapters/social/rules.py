"""In what the well-known providers differ from the standards, and what each of them says about its addresses."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from app.domain.tenants import SocialProvider

_DIRECTORY = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_TEMPLATE = "{tenantid}"
# Microsoft's directory of all personal accounts.
_CONSUMERS = "9188040d-6c67-4c5b-b112-36a304b66dad"

Claims = Mapping[str, Any]


def _says_true(told: object, _claims: Claims, _provider: SocialProvider) -> bool | None:
    return None if told is None else told is True


def _apple_says(told: object, _claims: Claims, _provider: SocialProvider) -> bool | None:
    return None if told is None else told is True or told == "true"


def _microsoft_says(_told: object, claims: Claims, provider: SocialProvider) -> bool | None:
    """`email_verified` proves nothing there: an administrator writes any address into a directory of their own."""
    if "tid" not in claims and "xms_edov" not in claims:
        return None
    return claims.get("xms_edov") is True or claims.get("tid") in provider.trusted_tenants


def _kakao_says(told: object, claims: Claims, _provider: SocialProvider) -> bool | None:
    # An address that Kakao has verified once may belong to another account since: then it is not valid any more.
    account = claims.get("kakao_account")
    if not isinstance(account, Mapping):
        return _says_true(told, claims, _provider)
    return told is True and account.get("is_email_valid") is True


def _tells_no_error(_answer: Claims) -> str | None:
    return None


def _tiktok_tells_error(answer: Claims) -> str | None:
    """Its calls answer in an envelope, which says `ok`, or what is wrong, whatever the status is."""
    error = answer.get("error")
    if not isinstance(error, Mapping) or error.get("code") in (None, "ok"):
        return None
    told = (error.get("code"), error.get("message"))
    return ": ".join(each for each in told if isinstance(each, str) and each)


def _keeps_none(_address: str, _claims: Claims, _provider: SocialProvider) -> bool:
    return False


def _google_keeps(address: str, claims: Claims, _provider: SocialProvider) -> bool:
    """`hd` is the domain of the Workspace whose administrator gave out the address."""
    hosted = claims.get("hd")
    return isinstance(hosted, str) and hosted != "" and hosted.lower() == address.rpartition("@")[2].lower()


def _microsoft_keeps(_address: str, _claims: Claims, _provider: SocialProvider) -> bool:
    # What is verified there is so because the directory has proved that the domain is its own.
    return True


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one provider.

    `signs_with_secret`: id tokens may be signed with our client secret (HS256). `sends_nonce` and `sends_verifier`:
    whether the provider gets them; where it does not know them, we check what we can ourselves. `tells_verified` says
    whether an address is verified, None if the answer does not tell; `keeps_domain` whether the provider keeps the
    domain of a verified address itself. `has_directories`: each customer of the provider has an issuer of its own.
    `omits_scheme`: id tokens may name the issuer without `https://`. `tells_error` says what is wrong in an answer
    about the person that came as if nothing were.
    """

    signs_with_secret: bool = False
    sends_nonce: bool = True
    sends_verifier: bool = True
    has_directories: bool = False
    omits_scheme: bool = False
    scope_separator: str = " "
    tells_verified: Callable[[object, Claims, SocialProvider], bool | None] = _says_true
    keeps_domain: Callable[[str, Claims, SocialProvider], bool] = _keeps_none

    tells_error: Callable[[Claims], str | None] = _tells_no_error

    def announces(self, provider: SocialProvider, announced: object) -> bool:
        """Tell whether a discovery document may name this issuer; with directories that may be a template."""
        if announced == provider.issuer:
            return True
        before, directory, after = _split(provider.issuer)
        if not self.has_directories or not isinstance(announced, str) or _DIRECTORY.fullmatch(directory):
            return False
        if directory == "consumers":
            return announced == f"{before}{_CONSUMERS}{after}"
        if directory in {"common", "organizations"}:
            return announced == f"{before}{_TEMPLATE}{after}"
        # A directory can be written by its domain; its own number is then in the document.
        told_before, told_directory, told_after = _split(announced)
        return (told_before, told_after) == (before, after) and _DIRECTORY.fullmatch(told_directory) is not None

    def issuer_of(self, provider: SocialProvider, announced: str, claims: Claims) -> str | None:
        """Return the issuer that the id token must name: that of its own directory, where the provider has those.

        None for a directory that cannot be, or that the provider is not asked for.
        """
        if not self.has_directories:
            return announced
        directory = claims.get("tid")
        if not isinstance(directory, str) or _DIRECTORY.fullmatch(directory) is None:
            return None
        if directory == _CONSUMERS and _split(provider.issuer)[1] == "organizations":
            return None
        issuer = announced.replace(_TEMPLATE, directory)
        return issuer if _split(issuer)[1] == directory else None

    def is_issuer(self, told: object, wanted: str) -> bool:
        """Tell whether an id token that names its issuer so is of the one that is wanted."""
        return told == wanted or (self.omits_scheme and told == wanted.partition("://")[2])

    def may_redirect_as(self, announced: str, iss: str) -> bool:
        """Tell whether a redirect may name this issuer (RFC 9207)."""
        if not self.has_directories or _TEMPLATE not in announced:
            return iss == announced
        before, _, after = announced.partition(_TEMPLATE)
        directory = iss.removeprefix(before).removesuffix(after)
        return iss == f"{before}{directory}{after}" and _DIRECTORY.fullmatch(directory) is not None


def _split(issuer: str) -> tuple[str, str, str]:
    """Return an issuer as what is before its directory, the directory, and what is after it."""
    start, _, version = issuer.rpartition("/")
    before, _, directory = start.rpartition("/")
    return f"{before}/", directory, f"/{version}"


_STANDARD = Rules()
_RULES = {
    "apple": Rules(tells_verified=_apple_says),
    "google": Rules(omits_scheme=True, keeps_domain=_google_keeps),
    "kakao": Rules(tells_verified=_kakao_says),
    "line": Rules(signs_with_secret=True),
    "linkedin": Rules(sends_nonce=False, sends_verifier=False),
    "microsoft": Rules(has_directories=True, tells_verified=_microsoft_says, keeps_domain=_microsoft_keeps),
    "tiktok": Rules(scope_separator=",", tells_error=_tiktok_tells_error),
}


def rules_of(provider: SocialProvider) -> Rules:
    """Return the rules of the provider's preset; any other provider keeps to the standards."""
    return _RULES.get(provider.preset or "", _STANDARD)
