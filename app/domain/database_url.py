"""Reads the database's address as hosting companies and libpq write it; every connection is made of what this returns.

The form is libpq's (PostgreSQL documentation, section "Connection URIs"), so that the same text serves `pg_dump`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from urllib.parse import unquote

from app.domain.profile import Profile
from app.domain.web_addresses import is_loopback

FORM = "must be sqlite:///path/to/file.db or postgresql://user:password@host:5432/name"
_SCHEMES = ("postgresql", "postgres", "postgresql+asyncpg")
_PORT = 5432
_TARGETS = ("any", "read-write", "read-only", "primary", "standby", "prefer-standby")
_BINDINGS = ("disable", "prefer", "require")
# What may stand after '?'.
_PARAMETERS = (
    "application_name",
    "channel_binding",
    "connect_timeout",
    "dbname",
    "host",
    "options",
    "password",
    "port",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslnegotiation",
    "sslrootcert",
    "target_session_attrs",
    "user",
)


class TlsMode(IntEnum):
    """How a connection is encrypted, and how much is proved of the server, from nothing to everything."""

    DISABLE = 0
    ALLOW = 1
    PREFER = 2
    REQUIRE = 3
    VERIFY_CA = 4
    VERIFY_FULL = 5

    @property
    def text(self) -> str:
        """The mode as it stands in a URL."""
        return self.name.lower().replace("_", "-")


_MODES = {mode.text: mode for mode in TlsMode}


@dataclass(frozen=True, slots=True)
class Host:
    """One server: a name or address, or the folder of a socket on this machine."""

    name: str
    port: int = _PORT

    @property
    def is_socket(self) -> bool:
        """Whether it is the folder of a socket."""
        return self.name.startswith("/")

    @property
    def is_here(self) -> bool:
        """Whether it is this machine, by what the URL says: no name is looked up."""
        return self.is_socket or is_loopback(self.name.lower())


@dataclass(frozen=True, slots=True)
class ServerUrl:
    """What a URL says about a PostgreSQL database. Times are in seconds.

    `tls_roots` is the path of a file of authorities, or `system` for those of this machine.
    """

    hosts: tuple[Host, ...]
    database: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: TlsMode = TlsMode.PREFER
    tls_roots: str | None = None
    tls_certificate: str | None = None
    tls_key: str | None = None
    tls_at_once: bool = False
    connect_seconds: int | None = None
    application_name: str = "customer-gateway"
    options: str | None = None
    target: str = "any"


def read_server_url(text: str, profile: Profile = Profile.DEVELOPMENT, *, plaintext: bool = False) -> ServerUrl:
    """Return what the URL says; raises `ValueError` with what is wrong, in words that never hold a password.

    In production a server on another machine is spoken to by TLS with a verified name, unless the URL has another
    `sslmode`; `disable` is refused there unless `plaintext` allows it.
    """
    head, _, query = text.partition("?")
    parameters = _parameters(query)
    scheme, separator, rest = head.partition("://")
    if scheme.lower() not in _SCHEMES or not separator or "#" in text:
        raise ValueError(FORM)
    authority, _, path = rest.partition("/")
    login, _, servers = authority.rpartition("@")
    if "@" in login:
        raise ValueError("has an '@' in the user or the password: write %40 there")
    user, has_password, password = login.partition(":")
    hosts = _hosts(servers, parameters)
    database = parameters.get("dbname") or _decode(path)
    if not hosts or not database:
        raise ValueError(FORM)
    return ServerUrl(
        hosts=hosts,
        database=database,
        user=parameters.get("user") or _decode(user) or None,
        password=parameters.get("password") or (_decode(password) if has_password else None),
        tls=_tls(parameters, hosts, profile, plaintext=plaintext),
        tls_roots=parameters.get("sslrootcert"),
        tls_certificate=parameters.get("sslcert"),
        tls_key=parameters.get("sslkey"),
        tls_at_once=_choice(parameters, "sslnegotiation", ("postgres", "direct")) == "direct",
        connect_seconds=_seconds(parameters),
        application_name=parameters.get("application_name") or "customer-gateway",
        options=parameters.get("options") or None,
        target=_choice(parameters, "target_session_attrs", _TARGETS) or "any",
    )


def _decode(text: str) -> str:
    if re.search(r"%(?![0-9A-Fa-f]{2})|%00", text):
        raise ValueError("has a '%' that two hexadecimal digits must follow: write %25 for the sign itself")
    return unquote(text)


def _parameters(query: str) -> Mapping[str, str]:
    """Return what stands after '?'; as in libpq, a '+' is no blank."""
    parameters: dict[str, str] = {}
    for part in filter(None, query.split("&")):
        name, separator, value = part.partition("=")
        if part == "ssl=true":  # libpq's courtesy to JDBC
            name, value = "sslmode", "require"
        name = _decode(name)
        if name not in _PARAMETERS:
            # An '@' behind it tells of a password with an unencoded '?'.
            shown = name if re.fullmatch(r"\w{1,40}", name) and "@" not in query else "…"
            raise ValueError(f"has the parameter '{shown}', which is none of {', '.join(_PARAMETERS)}")
        if not separator:
            raise ValueError(f"has the parameter '{name}' without a value")
        if name in parameters:
            raise ValueError(f"has the parameter '{name}' twice")
        parameters[name] = _decode(value)
    return parameters


def _choice(parameters: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> str | None:
    value = parameters.get(name)
    if value is not None and value not in allowed:
        raise ValueError(f"has a {name} that is none of {', '.join(allowed)}")
    return value


def _seconds(parameters: Mapping[str, str]) -> int | None:
    """Return how long to wait for each host; as in libpq, 0 and less is the same as nothing said."""
    text = parameters.get("connect_timeout")
    if text is None:
        return None
    if not re.fullmatch(r"-?\d{1,6}", text):
        raise ValueError("has a connect_timeout that is no whole number of seconds")
    return int(text) if int(text) > 0 else None


def _hosts(servers: str, parameters: Mapping[str, str]) -> tuple[Host, ...]:
    """Return the hosts of `a:1,b:2`, of `?host=a,b&port=1,2`, or of a mixture."""
    named = parameters.get("host")
    pairs = [_host(each) for each in servers.split(",")] if servers and named is None else []
    if named is not None:
        pairs = [(name.strip("[]"), None) for name in named.split(",")]
    ports = parameters["port"].split(",") if "port" in parameters else []
    if any(not name for name, _ in pairs) or len(ports) not in {0, 1, len(pairs)}:
        raise ValueError("must have a name for each host, and one port for all of them or one for each")
    ports = ports * len(pairs) if len(ports) == 1 else ports
    return tuple(Host(name, _port(ports[at] if ports else port)) for at, (name, port) in enumerate(pairs))


def _host(text: str) -> tuple[str, str | None]:
    found = re.fullmatch(r"(?:\[(?P<six>[^\]]+)\]|(?P<name>[^:\[\]]*))(?::(?P<port>[^:]*))?", text)
    if found is None:
        raise ValueError("must have brackets around an IPv6 address, such as postgresql://user@[::1]:5432/name")
    return _decode(found["six"] or found["name"] or ""), found["port"]


def _port(text: str | None) -> int:
    if not text:
        return _PORT
    if not re.fullmatch(r"\d{1,5}", text) or not 0 < int(text) < 65_536:
        # Perhaps a part of a password with an unencoded '/', so it is not shown.
        raise ValueError(
            "must have a port from 1 to 65535 after a ':'; a password writes / ? # @ : as %2F %3F %23 %40 %3A"
        )
    return int(text)


def _tls(parameters: Mapping[str, str], hosts: tuple[Host, ...], profile: Profile, *, plaintext: bool) -> TlsMode:
    said = _choice(parameters, "sslmode", tuple(_MODES))
    is_far = profile is Profile.PRODUCTION and not all(host.is_here for host in hosts)
    mode = _MODES[said] if said is not None else TlsMode.VERIFY_FULL if is_far else TlsMode.PREFER
    if mode is TlsMode.DISABLE and is_far and not plaintext:
        raise ValueError(
            "has sslmode=disable for another machine: in production that wants DATABASE_PLAINTEXT=allow beside it"
        )
    if _choice(parameters, "channel_binding", _BINDINGS) == "require":
        if mode is TlsMode.DISABLE or any(host.is_socket for host in hosts):
            raise ValueError("has channel_binding=require, which wants TLS, and a connection without TLS")
        mode = max(mode, TlsMode.REQUIRE)
    if parameters.get("sslrootcert") == "system":
        if said is not None and mode is not TlsMode.VERIFY_FULL:
            raise ValueError("has sslrootcert=system, which wants sslmode=verify-full")
        mode = TlsMode.VERIFY_FULL
    if parameters.get("sslnegotiation") == "direct" and mode < TlsMode.REQUIRE:
        raise ValueError("has sslnegotiation=direct, which wants sslmode=require or more")
    if "sslkey" in parameters and "sslcert" not in parameters:
        raise ValueError("has an sslkey without an sslcert")
    return mode
