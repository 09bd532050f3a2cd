"""The settings from the environment, typed and checked once at start. Nothing else reads the environment."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import stat
from collections.abc import Collection, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self
from urllib.parse import SplitResult, parse_qsl, urlsplit

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from app.domain.database_limits import DatabaseLimits, Pooler
from app.domain.database_url import FORM, read_server_url
from app.domain.hosts import ALL_IPV4, ALL_IPV6, SOCKET, read_hosts
from app.domain.profile import Profile
from app.domain.redis_url import read_redis_url
from app.domain.sharding import Sharding
from app.domain.web_addresses import check_web_url, is_loopback, origin_of

_MISSING_IN_PRODUCTION = {
    "mail_from": "the address that mail is sent from, such as 'Shop <no-reply@shop.example>'",
    "public_url": "the public https address of this service",
    "signing_keys_file": "a private JWK set of ES256 keys; the one in STATE_DIR is only for development",
    "smtp_url": "the mail server, such as smtp://user:password@mail.example:587?starttls=required",
    "tenants_file": "your own tenants; everybody knows the secrets of the built-in demo",
}
_FEWEST_WITH_STANDBY = 5
_FOR_MAIL = frozenset({"mail_from", "smtp_url"})


class SettingsError(Exception):
    """What is wrong with the environment; `faults` has a line for each, beginning with the variable's name."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def _database_url(text: str) -> str:
    if text.partition(":")[0] != "sqlite":
        read_server_url(text)
    elif not text.startswith("sqlite:///") or len(text) == len("sqlite:///"):
        raise ValueError(FORM)
    return text


def _database_read_url(text: str) -> str:
    if text.partition(":")[0] == "sqlite":
        raise ValueError("must be postgresql://…: SQLite has no standby")
    read_server_url(text)
    return text


def _redis_url(text: str) -> str:
    read_redis_url(text)
    return text


def _parts(text: str, schemes: Collection[str]) -> SplitResult | None:
    """Return the parts of a URL with one of the schemes, a host, and a port that can be; None for another text."""
    try:
        parts = urlsplit(text)
        is_server = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if is_server else None


def _smtp_url(text: str) -> str:
    parts = _parts(text, {"smtp", "smtps"})
    if parts is None or parts.path.strip("/") or parts.fragment:
        raise ValueError(
            "must be smtp://user:password@host:port, with ?starttls=required if the server has TLS, or smtps://…; "
            "a password writes / ? # @ : as %2F %3F %23 %40 %3A"
        )
    query = parse_qsl(parts.query, keep_blank_values=True)
    if query not in ([], [("starttls", "required")]):
        raise ValueError("must have nothing after '?' except starttls=required")
    if query and parts.scheme == "smtps":
        raise ValueError("must be smtps:// without ?starttls=required: it has TLS from the start")
    if parts.password and not parts.username:
        raise ValueError("must have a user where it has a password")
    return text


def _token_command(text: str) -> str:
    try:
        program = next(iter(shlex.split(text)), "")
    except ValueError as error:
        raise ValueError(f"must be a command: {error}") from error
    if shutil.which(program) is None:
        raise ValueError(f"names '{program}', which is no program that can be run")
    return text


def _mail_from(text: str) -> str:
    try:
        validate_email(text, allow_display_name=True, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise ValueError(f"must be an e-mail address such as 'Shop <no-reply@shop.example>': {error}") from error
    return text


def _public_url(text: str) -> str:
    parts = _parts(text, {"http", "https"})
    if parts is None or "@" in parts.netloc or re.search(r"[?#\s\\]", text):
        raise ValueError("must be an absolute URL such as https://customers.shop.example")
    return text.rstrip("/")


def _collector(text: str) -> str:
    if _parts(text, {"http", "https"}) is None:
        raise ValueError("must be an absolute URL such as http://127.0.0.1:4318")
    return text


def _host(text: str) -> str:
    read_hosts(text)
    return text


def _existing_file(path: Path) -> Path:
    if not stat.S_ISREG(_mode_of(path)):
        raise ValueError(f"names '{path}', which is not a file")
    return path


def _existing_file_or_folder(path: Path) -> Path:
    mode = _mode_of(path)
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise ValueError(f"names '{path}', which is not a file or a folder")
    return path


def _mode_of(path: Path) -> int:
    """Return what kind of file it is, or 0 for none; `ValueError` where nobody lets us look, such as in /root."""
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return 0
    except OSError as error:
        raise ValueError(f"names '{path}', which cannot be reached: {error.strerror}") from error


def _header_name(text: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9-]+", text) is None:
        raise ValueError("must be the name of a header, such as CF-Connecting-IP")
    return text


def _networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Return the networks in a list with commas; a single address is a network of one."""
    try:
        return tuple(ip_network(part.strip()) for part in text.split(","))
    except ValueError as error:
        raise ValueError(f"must be networks such as 10.0.0.0/8, with commas between them: {error}") from error


class Settings(BaseSettings):
    """One field for each variable, its name in lower case; `environment` is all of it, for the secrets of tenants."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", validate_default=False)

    environment: Annotated[Mapping[str, str], AfterValidator(MappingProxyType)] = Field(repr=False)
    profile: Profile = Profile.DEVELOPMENT
    host: Annotated[str, AfterValidator(_host)] = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65_535)
    processes: int = Field(default=1, ge=1, le=256)
    worker: bool = True
    state_dir: Path = Path("var")
    database_url: Annotated[str, AfterValidator(_database_url)] = Field(repr=False)
    database_read_url: Annotated[str, AfterValidator(_database_read_url)] | None = Field(default=None, repr=False)
    database_plaintext: Literal["allow"] | None = None
    database_connections: int = Field(default=20, ge=2, le=1000)
    database_pooler: Pooler | None = None
    database_sharding: Sharding = Sharding.NONE
    database_timeout_seconds: float = Field(default=5.0, gt=0, le=60)
    redis_url: Annotated[str, AfterValidator(_redis_url)] | None = Field(default=None, repr=False)
    smtp_url: Annotated[str, AfterValidator(_smtp_url)] | None = Field(default=None, repr=False)
    smtp_token_command: Annotated[str, AfterValidator(_token_command)] | None = Field(default=None, repr=False)
    mail_from: Annotated[str, AfterValidator(_mail_from)] | None = None
    public_url: Annotated[str, AfterValidator(_public_url)] = "http://127.0.0.1:8000"
    tenants_file: Annotated[Path, AfterValidator(_existing_file_or_folder)] | None = None
    signing_keys_file: Annotated[Path, AfterValidator(_existing_file)] | None = None
    metrics_port: int | None = Field(default=None, ge=1, le=65_535)
    otel_exporter_otlp_endpoint: Annotated[str, AfterValidator(_collector)] | None = Field(default=None, repr=False)
    client_ip_header: Annotated[str, AfterValidator(_header_name)] | None = None
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], BeforeValidator(_networks)] = ()
    proxy_protocol: bool = False

    @property
    def hosts(self) -> tuple[str, ...]:
        """Where to listen: addresses, and `unix:` with a path."""
        return read_hosts(self.host)

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses of HOST; that of this machine, where it names none."""
        return tuple(host for host in self.hosts if not host.startswith(SOCKET)) or ("127.0.0.1",)

    @property
    def address(self) -> str:
        """The address of the gateway on this machine: PUBLIC_URL if it is set, or else where it listens."""
        if "public_url" in self.model_fields_set:
            return self.public_url
        host = {ALL_IPV4: "127.0.0.1", ALL_IPV6: "::1"}.get(self.addresses[0], self.addresses[0])
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def storefront_address(self) -> str:
        """Where the demo's storefront is: the gateway's address, on this machine by its name, for passkeys need one."""
        parts = urlsplit(self.address)
        if is_loopback(parts.hostname or ""):
            return f"{origin_of(f'{parts.scheme}://localhost:{parts.port or 80}')}{parts.path}"
        try:
            return check_web_url(self.address, loopback=True)
        except ValueError:
            return f"http://localhost:{self.port}"  # elsewhere no mail may lead to a site without https

    @property
    def storefront_listens(self) -> bool:
        """Whether the gateway can be reached at `storefront_address`, as far as HOST and PUBLIC_URL say."""
        is_said = "public_url" in self.model_fields_set and is_loopback(urlsplit(self.public_url).hostname or "")
        if is_said or not is_loopback(urlsplit(self.storefront_address).hostname or ""):
            return True
        return any(host in {ALL_IPV4, ALL_IPV6} or is_loopback(host) for host in self.addresses)

    @property
    def keeps_database(self) -> bool:
        """Whether the database is the one that is kept in STATE_DIR unless DATABASE_URL names another."""
        return self.database_url == f"sqlite:///{self.state_dir}/gateway.db"

    @property
    def missing_for_mail(self) -> tuple[str, ...]:
        """What is missing where a shop has the gateway send its mails; nothing in development, or with SMTP_URL."""
        if self.profile is not Profile.PRODUCTION or self.smtp_url is not None:
            return ()
        missing = {"smtp_url"} if self.mail_from is not None else _FOR_MAIL
        return tuple(f"{name.upper()} is missing: {_MISSING_IN_PRODUCTION[name]}" for name in sorted(missing))

    @property
    def database_limits(self) -> DatabaseLimits:
        """How much of the database this process takes, and how long it waits for it."""
        return DatabaseLimits(self.database_connections, self.database_timeout_seconds, self.database_pooler)

    @model_validator(mode="after")
    def _encrypt_to_other_machines(self) -> Self:
        for variable, url in (("DATABASE_URL", self.database_url), ("DATABASE_READ_URL", self.database_read_url)):
            if url is None or url.startswith("sqlite:"):
                continue
            try:
                read_server_url(url, self.profile, plaintext=self.database_plaintext is not None)
            except ValueError as error:
                fault = {"variable": variable, "fault": str(error)}
                raise PydanticCustomError("database_url", "{variable} {fault}", fault) from error
        return self

    @model_validator(mode="after")
    def _have_a_standby(self) -> Self:
        if self.database_read_url is None:
            return self
        fault = None
        if self.database_url.startswith("sqlite:"):
            fault = "wants PostgreSQL in DATABASE_URL: it names a standby of it"
        elif self.database_connections < _FEWEST_WITH_STANDBY:
            fault = f"wants DATABASE_CONNECTIONS of at least {_FEWEST_WITH_STANDBY}: a quarter of them is the standby's"
        if fault is not None:
            raise PydanticCustomError("database_read_url", "DATABASE_READ_URL {fault}", {"fault": fault})
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read only what `load` gives, so that tests have full control of the environment."""
        return (init_settings,)

    @classmethod
    def load(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Return the settings of an environment; an empty variable counts as not set.

        Blanks and line breaks around a value do not count: a secret that was kept in a file often ends with one.

        Raises `SettingsError` with every fault found.
        """
        given: dict[str, Any] = {
            name: value
            for name in cls.model_fields
            if name != "environment" and (value := environ.get(name.upper(), "").strip())
        }
        state_dir = given.get("state_dir", "var")
        faults = _faults_in_production(given) if given.get("profile") == Profile.PRODUCTION else []
        if "smtp_url" in given and "mail_from" not in given:
            faults.append(f"MAIL_FROM is missing: {_MISSING_IN_PRODUCTION['mail_from']}")
        if "client_ip_header" in given and "trusted_proxies" not in given:
            faults.append("CLIENT_IP_HEADER needs TRUSTED_PROXIES: the header of nobody else is believed")
        try:
            settings = cls(
                **{"database_url": f"sqlite:///{state_dir}/gateway.db", **given},
                environment=environ,
            )
        except ValidationError as error:
            faults += [
                _line(str(details["loc"][0]) if details["loc"] else "", details)
                for details in error.errors(include_url=False)
            ]
            raise SettingsError(sorted(set(faults))) from None
        if settings.proxy_protocol and not settings.trusted_proxies:
            faults.append("PROXY_PROTOCOL needs TRUSTED_PROXIES: the protocol of nobody else is believed")
        if settings.database_sharding is Sharding.CITUS and settings.database_url.startswith("sqlite:"):
            faults.append("DATABASE_SHARDING needs a DATABASE_URL that begins with postgresql://")
        faults += _faults_of_smtp_login(given)
        if faults:
            raise SettingsError(sorted(set(faults)))
        return settings


def pass_on(name: str, value: str) -> None:
    """Set a variable for the processes that this one starts."""
    os.environ[name] = value


def _faults_in_production(given: Mapping[str, str]) -> list[str]:
    """Return what production cannot do without, and what it will not do with."""
    # Whether mail is sent at all the shops say, and they are read later.
    unsure = _FOR_MAIL if "tenants_file" in given and "smtp_url" not in given else frozenset()
    faults = [
        f"{name.upper()} is missing: {what}"
        for name, what in _MISSING_IN_PRODUCTION.items()
        if name not in given and name not in unsure
    ]
    if given.get("public_url", "https:").partition(":")[0].lower() != "https":
        faults.append("PUBLIC_URL must begin with https:// in production")
    return faults


def _faults_of_smtp_login(given: Mapping[str, str]) -> list[str]:
    """Return what keeps the gateway from logging in at the mail server, and what would show the password on the way."""
    url, command = urlsplit(given.get("smtp_url", "")), given.get("smtp_token_command")
    if command is None:
        faults = ["SMTP_URL has a user and no password"] if url.username and not url.password else []
    elif not url.username:
        faults = ["SMTP_TOKEN_COMMAND needs a user in SMTP_URL, such as smtps://shop%40example.com@smtp.example"]
    else:
        faults = (
            ["SMTP_TOKEN_COMMAND takes the place of the password in SMTP_URL: leave one out"] if url.password else []
        )
    in_clear = url.scheme == "smtp" and "starttls=required" not in url.query
    if url.username and in_clear and given.get("profile") == Profile.PRODUCTION:
        faults.append("SMTP_URL would send its credentials in clear: use smtps://, or add ?starttls=required")
    return faults


def _line(variable: str, details: ErrorDetails) -> str:
    """Return the line for one refused variable, without its value, which may be a secret."""
    if not variable:
        return details["msg"]  # of several variables; it names them itself
    match details["type"]:
        case "value_error":
            sentence = str(details["ctx"]["error"])
        case "enum" | "literal_error":
            sentence = f"must be {details['ctx']['expected']}"
        case "bool_parsing":
            sentence = "must be 'on' or 'off'"
        case _:
            sentence = details["msg"].replace("Input should be", "must be")
    return f"{variable.upper()} {sentence}"
