"""The origins of storefronts (RFC 6454): which a client may register, and which browsers are let in for which shop."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from app.domain.web_addresses import check_origin

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

# What the pages of apps call themselves, whose web view shows files of their own; Tauri has the last on Windows and
# Android, where no request to that name leaves the web view.
_OF_APPS = frozenset({"capacitor://localhost", "ionic://localhost", "tauri://localhost", "http://tauri.localhost"})
_ANY = "https://*."
_ONE_LABEL = re.compile(r"https://[a-z0-9_-]{1,63}\.(?P<rest>[a-z0-9._-]+(?::[0-9]+)?)", re.ASCII)


def check_client_origin(text: str, *, loopback: bool) -> str:
    """Return an origin as a client may register it: as a browser sends it, or with `*` for the first label of https.

    Raises `ValueError` with what to write instead.
    """
    if text in _OF_APPS:
        return text
    if "*" in text:
        return _check_wildcard(text)
    return check_origin(text, loopback=loopback)


def _check_wildcard(text: str) -> str:
    rest = text.removeprefix(_ANY)
    if rest == text or "*" in rest:
        raise ValueError("may have one '*', in the place of the whole first label: write 'https://*.preview.example'")
    try:
        check_origin(f"https://x.{rest}", loopback=False)
    except ValueError as error:
        raise ValueError(str(error).replace("https://x.", _ANY)) from None
    if _covers_public_suffix(urlsplit(f"https://{rest}").hostname or ""):
        raise ValueError("lets in a public suffix, below which anybody can have a site: write a domain of your own")
    return text


def _covers_public_suffix(domain: str) -> bool:
    """Tell whether the domain, or a name right below it, is a public suffix of the whole list, its private part too."""
    suffixes, parents = _public_suffixes()
    return suffixes.is_public(domain) or domain in parents


def may_rely_on(domain: str, host: str) -> bool:
    """Tell whether pages of the host may have this relying party id (WebAuthn Level 3).

    That is the host, or a registrable domain above it: one that nobody else has a name below. An IP address is none.
    """
    if domain.rpartition(".")[2].isdigit():
        return False
    if domain == host:
        return True
    registrable = _public_suffixes()[0].privatesuffix(host)
    if registrable is None or not host.endswith(f".{domain}"):
        return False
    return domain == registrable or domain.endswith(f".{registrable}")


@cache
def _public_suffixes() -> tuple[PublicSuffixList, frozenset[str]]:
    """Return the list, and the domains that have a name of the list right below them."""
    from publicsuffixlist import PSLFILE, PublicSuffixList, encode_idn

    lines = Path(PSLFILE).read_text(encoding="utf-8").splitlines()
    names = [line.split()[0].removeprefix("*.") for line in lines if line and not line.startswith(("//", "!"))]
    return PublicSuffixList(), frozenset(encode_idn(name.partition(".")[2]) for name in names if "." in name)


@cache
def top_level_domains() -> frozenset[str]:
    """Return all top-level domains, those of other alphabets in Unicode; this does not load the whole list."""
    from publicsuffixlist import PSLFILE

    lines = Path(PSLFILE).read_text(encoding="utf-8").splitlines()
    return frozenset(line.rpartition(".")[2] for line in lines if line and not line.startswith("//"))


def spellings(origin: str) -> Iterator[str]:
    """Yield how the origin of a browser can be registered: as it is, and with `*` for its first label."""
    if "*" in origin:
        return
    yield origin
    match = _ONE_LABEL.fullmatch(origin)
    if match is not None:
        yield _ANY + match["rest"]


@dataclass(frozen=True, slots=True)
class RegisteredOrigin:
    """An origin of a client of a shop; `with_cookie` if the client's refresh tokens are in cookies."""

    origin: str
    tenant_id: str
    client_id: str = ""
    with_cookie: bool = False


class Origins:
    """Knows for which shops an origin is registered, and which client's pages may send and get its cookie."""

    def __init__(self, registered: Iterable[RegisteredOrigin]) -> None:
        self._registered: dict[str, frozenset[RegisteredOrigin]] = {}
        self._add(registered)

    def with_changes(self, registered: Iterable[RegisteredOrigin], gone: Iterable[RegisteredOrigin]) -> Origins:
        """Return the origins without those that are gone, and with these; these have not changed."""
        later = Origins(())
        later._registered = self._registered.copy()
        for each in gone:
            left = later._registered.pop(each.origin, frozenset()) - {each}
            if left:
                later._registered[each.origin] = left
        later._add(registered)
        return later

    def _add(self, registered: Iterable[RegisteredOrigin]) -> None:
        for each in registered:
            self._registered[each.origin] = self._registered.get(each.origin, frozenset()) | {each}

    def allows(self, origin: str, tenant_ids: Collection[str] = ()) -> bool:
        """Tell whether browsers on this origin may see what is these shops', or if there are none, nobody's."""
        shops = {each.tenant_id for each in self._find(origin)}
        return bool(shops) and shops.issuperset(tenant_ids)

    def allows_cookies(self, origin: str, client_id: str | None, tenant_ids: Collection[str] = ()) -> bool:
        """Tell whether a page on this origin may call with the cookie of this client about nothing but its shop.

        A preflight does not say which client it is for: then with that of any.
        """
        return any(
            each.with_cookie
            and (client_id is None or each.client_id == client_id)
            and {each.tenant_id}.issuperset(tenant_ids)
            for each in self._find(origin)
        )

    def _find(self, origin: str) -> Iterator[RegisteredOrigin]:
        for spelling in spellings(origin):
            yield from self._registered.get(spelling, ())
