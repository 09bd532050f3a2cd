"""Which URLs, origins and redirect URIs a tenant may register."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

_HOST_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
_PRIVATE_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+")
_ONE_WORD_SCHEME = re.compile(r"[a-z][a-z0-9+-]*")
# Schemes of one word that mean something to a browser or a system already; an app's own is none of them.
_TAKEN_SCHEMES = frozenset(
    {"about", "blob", "chrome", "content", "data", "file", "filesystem", "ftp", "http", "https", "intent", "javascript"}
    | {"mailto", "market", "sms", "tel", "urn", "vbscript", "view-source", "ws", "wss"}
)
# The prefix of RFC 8215; the well-known prefix already counts as reserved.
_NAT64 = IPv6Network("64:ff9b:1::/48")
_UNPRINTABLE = re.compile(r"[^\x21-\x7e]")


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine: `localhost` or a loopback address, and nothing that only looks so."""
    return host == "localhost" or (_is_address(host) and ip_address(host).is_loopback)


def is_public(address: str) -> bool:
    """Tell whether an IP address is one of the public internet, for unicast.

    No private, loopback, link-local, multicast, reserved or unspecified one, nor an IPv6 address that carries an IPv4
    one (mapped, 6to4, Teredo, NAT64): we cannot know what such an address reaches.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if not parsed.is_global or parsed.is_multicast or parsed.is_reserved:
        return False
    return isinstance(parsed, IPv4Address) or not _is_translated(parsed)


def _is_translated(address: IPv6Address) -> bool:
    carries_ipv4 = address.ipv4_mapped or address.sixtofour or address.teredo
    return carries_ipv4 is not None or address.is_site_local or address in _NAT64


def check_web_url(text: str, *, loopback: bool) -> str:
    """Return an absolute https URL with neither query nor fragment; `loopback` also lets http on loopback pass.

    Raises `ValueError` with what to write instead.
    """
    _check_scheme(_split(text), loopback=loopback)
    if "?" in text or "#" in text:
        raise ValueError("must end with its path: leave the query and the fragment out")
    return text


def check_target_url(text: str, *, loopback: bool) -> str:
    """Return an https URL that we may call: on a public host, or on loopback where `loopback` allows it.

    Raises `ValueError` with what to write instead. Only the name is checked here; its addresses are checked when we
    connect.
    """
    parts = _split(text)
    _check_scheme(parts, loopback=loopback)
    if "#" in text:
        raise ValueError("must have no fragment")
    host = parts.hostname or ""
    if is_loopback(host):
        if not loopback:
            raise ValueError("must name a public host, not loopback")
    elif _is_address(host) and not is_public(host):
        raise ValueError("must name a public host, not a private address")
    return text


def check_origin(text: str, *, loopback: bool) -> str:
    """Return an origin exactly as a browser sends it (RFC 6454 section 6.2): scheme, host, and port if not the usual.

    Raises `ValueError` with what to write instead.
    """
    parts = _split(text)
    _check_scheme(parts, loopback=loopback)
    origin = _origin(parts)
    if text != origin:
        raise ValueError(f"is not the form that a browser sends: write '{origin}'")
    return origin


def origin_of(url: str) -> str:
    """Return the origin of an http or https address, as a browser sends it (RFC 6454 section 6.2)."""
    return _origin(urlsplit(url))


def _origin(parts: SplitResult) -> str:
    usual_port = {"http": 80, "https": 443}[parts.scheme]
    port = "" if parts.port in {None, usual_port} else f":{parts.port}"
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}{port}"


def check_redirect_uri(text: str, *, loopback: bool) -> str:
    """Return a redirect URI: https, a native app's own scheme, or http on loopback (RFC 8252 sections 7.1 to 7.3).

    The name `localhost` and a scheme of one word pass only with `loopback`; a loopback address always does. Raises
    `ValueError` with what to write instead.
    """
    _check_one_address(text)
    scheme = _app_scheme(text)
    if scheme is not None:
        if "." not in scheme and not loopback:
            raise ValueError(
                f"must not have the scheme '{scheme}' in production: a scheme of one word belongs to nobody, and "
                f"another app may claim it. Write the shop's domain reversed: 'com.example.{scheme}:/callback'"
            )
        return text
    parts = _split(text)
    _check_scheme(parts, loopback=loopback or parts.hostname != "localhost")
    return text


def check_mailed_link(text: str, *, loopback: bool) -> str:
    """Return where a mailed link may lead: https, or with `loopback` an app's own scheme, or http on loopback.

    A query is kept; the token is put behind it. Raises `ValueError` with what to write instead.
    """
    _check_one_address(text)
    scheme = _app_scheme(text)
    if scheme is None:
        _check_scheme(_split(text), loopback=loopback)
    elif not loopback:
        raise ValueError(
            f"must begin with https:// in production: another app may claim the scheme '{scheme}', and would get the "
            "token of the link. Let your https address open the app: a universal link (iOS), an app link (Android)"
        )
    return text


def _check_one_address(text: str) -> None:
    if "#" in text:
        raise ValueError("must have no fragment")
    if "*" in text:
        raise ValueError("must be one address, without a wildcard")


def _app_scheme(text: str) -> str | None:
    """Return the own scheme of an app, or None for what is no such address."""
    scheme, colon, rest = text.partition(":")
    is_own = _PRIVATE_SCHEME.fullmatch(scheme) or (_ONE_WORD_SCHEME.fullmatch(scheme) and scheme not in _TAKEN_SCHEMES)
    if not colon or not is_own or rest[:1].isdigit():
        return None  # a host and its port, perhaps
    if not rest.startswith("/") or _UNPRINTABLE.search(rest) or "\\" in rest:
        raise ValueError(f"must have a path: write '{scheme}:/callback'")
    return scheme


def _split(text: str) -> SplitResult:
    """Return the parts of an absolute http or https URL with a plain host."""
    example = "write an absolute URL such as 'https://shop.example'"
    if _UNPRINTABLE.search(text) or "\\" in text:
        raise ValueError(f"must have no spaces, backslashes or other special characters: {example}")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"is not a URL: {example}") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise ValueError(f"is not a web address: {example}")
    if "@" in parts.netloc:
        raise ValueError("must have no user name or password in it")
    if not _is_host(parts.hostname):
        raise ValueError(f"has a bad host name: {example}")
    return parts


def _is_host(host: str) -> bool:
    if _is_address(host):
        return True
    last_label = host.rpartition(".")[2]
    return _HOST_NAME.fullmatch(host) is not None and not last_label.isdigit() and not last_label.startswith("0x")


def _is_address(host: str) -> bool:
    if ":" not in host and not host[:1].isdigit():
        return False  # a name, as almost all are: thousands of shops are checked at the start
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _check_scheme(parts: SplitResult, *, loopback: bool) -> None:
    if parts.scheme == "https":
        return
    if not is_loopback(parts.hostname or ""):
        raise ValueError("must begin with https:// (http is only for loopback in development)")
    if not loopback:
        raise ValueError("must begin with https:// in production, also on loopback")
