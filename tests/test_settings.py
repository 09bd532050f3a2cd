"""The environment: its defaults, its refusals, and what production insists on."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.domain.profile import Profile
from app.settings import Settings, SettingsError


def faults_of(**environ: str) -> list[str]:
    with pytest.raises(SettingsError) as error:
        Settings.load(environ)
    return error.value.faults


@pytest.fixture
def production(tmp_path: Path) -> dict[str, str]:
    for name in ("tenants.toml", "keys.json"):
        (tmp_path / name).touch()
    return {
        "PROFILE": "production",
        "PUBLIC_URL": "https://customers.shop.test",
        "SMTP_URL": "smtp://user:pass@mail.test:587?starttls=required",
        "MAIL_FROM": "Shop <no-reply@shop.test>",
        "TENANTS_FILE": str(tmp_path / "tenants.toml"),
        "SIGNING_KEYS_FILE": str(tmp_path / "keys.json"),
    }


class TestLoad:
    def test_needs_nothing(self) -> None:
        settings = Settings.load({})
        assert (settings.host, settings.port, settings.processes) == ("127.0.0.1", 8000, 1)
        assert settings.database_url == "sqlite:///var/gateway.db"
        assert (settings.redis_url, settings.smtp_url, settings.mail_from) == (None, None, None)
        assert settings.public_url == "http://127.0.0.1:8000"
        assert (settings.tenants_file, settings.signing_keys_file) == (None, None)
        assert settings.profile is Profile.DEVELOPMENT
        assert settings.state_dir == Path("var")
        assert settings.trusted_proxies == ()
        assert settings.worker is True
        assert (settings.metrics_port, settings.otel_exporter_otlp_endpoint) == (None, None)

    def test_reads_every_variable(self, production: dict[str, str]) -> None:
        settings = Settings.load(
            production
            | {
                "HOST": "0.0.0.0",  # noqa: S104 - nothing listens
                "PORT": "9000",
                "PROCESSES": "4",
                "METRICS_PORT": "9090",
                "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318",
                "DATABASE_URL": "postgresql://gateway:pw@db.test:5432/gateway",
                "DATABASE_READ_URL": "postgresql://gateway:pw@db-2.test:5432/gateway",
                "REDIS_URL": "rediss://cache.test:6379/0",
                "PUBLIC_URL": "https://customers.shop.test/",
                "STATE_DIR": "/srv/state",
                "TRUSTED_PROXIES": "10.0.0.0/8, ::1",
                "WORKER": "off",
            }
        )
        assert (settings.host, settings.port, settings.processes) == ("0.0.0.0", 9000, 4)  # noqa: S104
        assert settings.database_url == "postgresql://gateway:pw@db.test:5432/gateway"
        assert settings.database_read_url == "postgresql://gateway:pw@db-2.test:5432/gateway"
        assert settings.redis_url == "rediss://cache.test:6379/0"
        assert settings.smtp_url == production["SMTP_URL"]
        assert settings.mail_from == "Shop <no-reply@shop.test>"
        assert settings.public_url == "https://customers.shop.test"
        assert settings.tenants_file == Path(production["TENANTS_FILE"])
        assert settings.signing_keys_file == Path(production["SIGNING_KEYS_FILE"])
        assert settings.profile is Profile.PRODUCTION
        assert settings.state_dir == Path("/srv/state")
        assert settings.trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("::1/128"))
        assert settings.worker is False
        assert settings.metrics_port == 9090
        assert settings.otel_exporter_otlp_endpoint == "http://127.0.0.1:4318"

    def test_keeps_the_database_in_the_state_dir(self) -> None:
        assert Settings.load({"STATE_DIR": "/srv/state"}).database_url == "sqlite:////srv/state/gateway.db"

    @pytest.mark.parametrize("host", ["localhost", "::", "192.168.1.5"])
    def test_listens_on_an_address_or_localhost(self, host: str) -> None:
        assert Settings.load({"HOST": host}).host == host
        assert Settings.load({"HOST": host}).hosts == (host,)

    def test_listens_at_several_places(self) -> None:
        settings = Settings.load({"HOST": "127.0.0.1, 0:0:0:0:0:0:0:1,unix:/run/gateway.sock,::1"})
        assert settings.hosts == ("127.0.0.1", "::1", "unix:/run/gateway.sock")
        assert settings.addresses == ("127.0.0.1", "::1")
        assert Settings.load({"HOST": "0.0.0.0,::"}).hosts == ("0.0.0.0", "::")  # noqa: S104 - nothing listens

    @pytest.mark.parametrize(
        ("given", "listens"),
        [
            ({}, True),
            ({"HOST": "0.0.0.0"}, True),  # noqa: S104 - nothing listens
            ({"HOST": "192.168.1.5,127.0.0.1"}, True),
            ({"HOST": "192.168.1.5", "PUBLIC_URL": "http://localhost:9000"}, True),
            ({"HOST": "192.168.1.5", "PUBLIC_URL": "https://gateway.example"}, True),
            ({"HOST": "192.168.1.5"}, False),
            ({"HOST": "192.168.1.5", "PUBLIC_URL": "http://192.168.1.5:8000"}, False),
        ],
    )
    def test_tells_whether_it_listens_where_the_storefront_is(self, given: dict[str, str], *, listens: bool) -> None:
        assert Settings.load(given).storefront_listens is listens

    def test_has_an_address_for_other_ports_when_it_listens_at_a_socket(self) -> None:
        settings = Settings.load({"HOST": "unix:/run/gateway.sock"})
        assert settings.addresses == ("127.0.0.1",)
        assert settings.address == "http://127.0.0.1:8000"

    def test_reads_the_proxy_protocol_only_when_it_is_told_to(self) -> None:
        assert not Settings.load({}).proxy_protocol
        assert not Settings.load({"PROXY_PROTOCOL": "off"}).proxy_protocol
        assert Settings.load({"PROXY_PROTOCOL": "on", "TRUSTED_PROXIES": "10.0.0.0/8"}).proxy_protocol

    def test_takes_an_empty_variable_for_none(self) -> None:
        assert Settings.load({"SMTP_URL": "", "PORT": ""}).port == 8000

    def test_does_not_count_the_line_break_at_the_end_of_a_file(self) -> None:
        settings = Settings.load({"DATABASE_URL": "postgres://u:p@localhost/n\n", "PROFILE": " development\r\n"})
        assert (settings.database_url, settings.profile) == ("postgres://u:p@localhost/n", Profile.DEVELOPMENT)

    def test_reads_nothing_but_what_it_is_given(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PORT", "9000")
        assert Settings.load({}).port == 8000
        assert Settings.load().port == 9000

    def test_hands_the_environment_on_for_the_secrets_of_tenants(self) -> None:
        assert Settings.load({"DEMO_BACKEND_SECRET": "s"}).environment["DEMO_BACKEND_SECRET"] == "s"

    def test_cannot_be_changed(self) -> None:
        settings = Settings.load({})
        with pytest.raises(ValidationError, match="frozen"):
            settings.port = 1  # type: ignore[misc]
        with pytest.raises(TypeError):
            settings.environment["X"] = "y"  # type: ignore[index]

    def test_does_not_show_a_password(self) -> None:
        settings = Settings.load(
            {
                "DATABASE_URL": "postgresql://u:hush@h/n",
                "DATABASE_READ_URL": "postgresql://u:hush@i/n",
                "REDIS_URL": "redis://:hush@h",
                "SMTP_URL": "smtp://u:hush@h:25",
                "MAIL_FROM": "a@shop.test",
                "ANY_SECRET": "hush",
            }
        )
        assert "hush" not in f"{settings!r} {settings}"

    @pytest.mark.parametrize(
        ("variable", "value", "fault"),
        [
            ("HOST", "shop.test", "must be an address to listen on"),
            ("HOST", "127.0.0.1,", "must be an address to listen on"),
            ("HOST", "127.0.0.1;::1", "must be an address to listen on"),
            ("HOST", "unix:gateway.sock", "must have a whole path after unix:"),
            ("HOST", "unix:", "must have a whole path after unix:"),
            ("HOST", f"unix:/{'x' * 103}", "must have a path of at most 103 bytes"),
            ("HOST", "0.0.0.0,127.0.0.1", "must not name 127.0.0.1 beside 0.0.0.0, which includes it"),
            ("HOST", "::,::1", "must not name ::1 beside ::, which includes it"),
            ("HOST", "localhost,::", "must not name localhost beside ::, which includes it"),
            ("PROXY_PROTOCOL", "v2", "must be 'on' or 'off'"),
            ("PROXY_PROTOCOL", "on", "needs TRUSTED_PROXIES"),
            ("PORT", "http", "must be a valid integer"),
            ("PORT", "65536", "must be less than or equal to 65535"),
            ("METRICS_PORT", "0", "must be greater than or equal to 1"),
            ("PROCESSES", "0", "must be greater than or equal to 1"),
            ("DATABASE_URL", "mysql://u:hush@h/n", "must be sqlite:///path/to/file.db or postgresql://"),
            ("DATABASE_URL", "sqlite://", "must be sqlite:///path/to/file.db or postgresql://"),
            ("DATABASE_URL", "postgresql://h", "must be sqlite:///path/to/file.db or postgresql://"),
            ("REDIS_URL", "http://hush", "must be redis://host:6379/0"),
            (
                "REDIS_URL",
                "redis://:hush@h/0?socket_timeout=1",
                "has the option 'socket_timeout', and none is known but db",
            ),
            ("REDIS_URL", "redis://:hush@h?db=main", "has the option 'db', and none is known but db"),
            ("REDIS_URL", "redis://:hush@h/main", "must have the number of the database after the host"),
            (
                "DATABASE_URL",
                "postgresql://u:hush@h/n?pgbouncer=true",
                "has the parameter 'pgbouncer', which is none of",
            ),
            ("DATABASE_READ_URL", "sqlite:///other.db", "must be postgresql://…: SQLite has no standby"),
            (
                "DATABASE_READ_URL",
                "postgresql://u:hush@h/n",
                "wants PostgreSQL in DATABASE_URL: it names a standby of it",
            ),
            ("DATABASE_READ_URL", "postgresql://u:hush@h/n?sslmode=no", "has a sslmode that is none of disable"),
            ("DATABASE_PLAINTEXT", "yes", "must be 'allow'"),
            ("DATABASE_CONNECTIONS", "1", "must be greater than or equal to 2"),
            ("DATABASE_POOLER", "session", "must be 'none' or 'transaction'"),
            ("DATABASE_SHARDING", "yes", "must be 'none' or 'citus'"),
            ("DATABASE_SHARDING", "citus", "needs a DATABASE_URL that begins with postgresql://"),
            ("DATABASE_TIMEOUT_SECONDS", "0", "must be greater than 0"),
            ("SMTP_URL", "smtp://u:hush@", "must be smtp://user:password@host:port"),
            (
                "SMTP_URL",
                "smtp://u:hu/sh@h:587",
                (
                    "must be smtp://user:password@host:port, with ?starttls=required if the server has TLS, or "
                    "smtps://…; a password writes /"
                ),
            ),
            ("SMTP_URL", "smtp://u:hush@[::1:25", "must be smtp://user:password@host:port"),
            ("SMTP_URL", "smtp://u:hush@h:port", "must be smtp://user:password@host:port"),
            ("SMTP_URL", "imap://u:hush@h:465", "must be smtp://user:password@host:port"),
            ("SMTP_URL", "smtps://u:hush@h?starttls=required", "must be smtps:// without ?starttls=required"),
            ("SMTP_URL", "smtps://:hush@h", "must have a user where it has a password"),
            ("SMTP_URL", "smtps://u@h", "has a user and no password"),
            ("SMTP_TOKEN_COMMAND", "no-such-program --hush-not", "names 'no-such-program', which is no program"),
            ("SMTP_TOKEN_COMMAND", "echo 'hush", "must be a command: No closing quotation"),
            ("SMTP_TOKEN_COMMAND", "echo token", "needs a user in SMTP_URL"),
            ("SMTP_URL", "smtp://h:25?tls=1", "must have nothing after '?' except starttls=required"),
            ("MAIL_FROM", "shop", "must be an e-mail address"),
            ("PUBLIC_URL", "shop.test", "must be an absolute URL"),
            ("PUBLIC_URL", "https://u@shop.test", "must be an absolute URL"),
            ("PUBLIC_URL", "https://shop.test:99999", "must be an absolute URL"),
            ("PUBLIC_URL", "https://shop.test:port", "must be an absolute URL"),
            ("PUBLIC_URL", "https://[::1", "must be an absolute URL"),
            ("PUBLIC_URL", "https://shop.test/ gateway", "must be an absolute URL"),
            ("TENANTS_FILE", "/no/such.toml", "names '/no/such.toml', which is not a file"),
            (
                "SIGNING_KEYS_FILE",
                f"/{'x' * 300}",
                f"names '/{'x' * 300}', which cannot be reached: File name too long",
            ),
            ("TENANTS_FILE", f"/{'x' * 300}", f"names '/{'x' * 300}', which cannot be reached"),
            ("TENANTS_FILE", "/dev/null", "names '/dev/null', which is not a file or a folder"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317", "must be an absolute URL such as http://"),
            ("SIGNING_KEYS_FILE", "/no/such.json", "names '/no/such.json', which is not a file"),
            ("PROFILE", "prod", "must be 'development' or 'production'"),
            ("TRUSTED_PROXIES", "10.0.0.1/8", "must be networks such as 10.0.0.0/8"),
            ("WORKER", "maybe", "must be 'on' or 'off'"),
        ],
    )
    def test_names_the_variable_and_what_to_write(self, variable: str, value: str, fault: str) -> None:
        (line,) = faults_of(**({"MAIL_FROM": "a@shop.test"} | {variable: value}))
        assert line.startswith(f"{variable} {fault}")
        assert "hush" not in line
        assert "\n" not in line

    def test_wants_a_sender_for_its_mail(self) -> None:
        assert [line.split()[0] for line in faults_of(SMTP_URL="smtp://h:25")] == ["MAIL_FROM"]

    @pytest.mark.parametrize(
        ("variables", "fault"),
        [
            ({"CLIENT_IP_HEADER": "CF-Connecting-IP"}, "CLIENT_IP_HEADER needs TRUSTED_PROXIES"),
            (
                {"CLIENT_IP_HEADER": "not a header", "TRUSTED_PROXIES": "10.0.0.0/8"},
                "CLIENT_IP_HEADER must be the name of a header",
            ),
        ],
    )
    def test_wants_to_know_who_writes_the_header_of_the_client(self, variables: dict[str, str], fault: str) -> None:
        (line,) = faults_of(**variables)
        assert line.startswith(fault)

    def test_tells_every_fault_at_once(self) -> None:
        lines = faults_of(PORT="x", WORKER="maybe", PROFILE="z")
        assert [line.split()[0] for line in lines] == ["PORT", "PROFILE", "WORKER"]


class TestProduction:
    @pytest.mark.parametrize(
        "variables",
        [
            {"DATABASE_URL": "postgresql://u:p@db.example/n"},
            {"DATABASE_URL": "postgresql://u:p@127.0.0.1/n?sslmode=disable"},
            {"DATABASE_URL": "postgresql://u:p@db.example/n?sslmode=disable", "DATABASE_PLAINTEXT": "allow"},
        ],
    )
    def test_takes_a_database_that_is_safe_or_said_to_be(
        self, production: dict[str, str], variables: dict[str, str]
    ) -> None:
        assert Settings.load(production | variables).database_url == variables["DATABASE_URL"]

    def test_refuses_a_database_elsewhere_in_clear(self, production: dict[str, str]) -> None:
        (line,) = faults_of(**production | {"DATABASE_URL": "postgresql://u:hush@db.example/n?sslmode=disable"})
        assert line.startswith("DATABASE_URL has sslmode=disable for another machine")
        assert "hush" not in line

    def test_refuses_a_standby_elsewhere_in_clear(self, production: dict[str, str]) -> None:
        urls = {"DATABASE_URL": "postgresql://u:p@db.example/n"}
        urls["DATABASE_READ_URL"] = "postgresql://u:hush@db-2.example/n?sslmode=disable"
        (line,) = faults_of(**production | urls)
        assert line.startswith("DATABASE_READ_URL has sslmode=disable for another machine")
        assert "hush" not in line
        assert Settings.load(production | urls | {"DATABASE_PLAINTEXT": "allow"}).database_read_url is not None

    def test_wants_connections_for_a_standby(self) -> None:
        urls = {"DATABASE_URL": "postgresql://u:p@h/n", "DATABASE_READ_URL": "postgresql://u:hush@i/n"}
        (line,) = faults_of(**urls, DATABASE_CONNECTIONS="4")
        assert line.startswith("DATABASE_READ_URL wants DATABASE_CONNECTIONS of at least 5")

    def test_starts_with_all_that_it_needs(self, production: dict[str, str]) -> None:
        assert Settings.load(production).profile is Profile.PRODUCTION

    def test_names_each_thing_missing(self) -> None:
        lines = faults_of(PROFILE="production", PORT="x")
        assert [line.split()[0] for line in lines] == [
            "MAIL_FROM",
            "PORT",
            "PUBLIC_URL",
            "SIGNING_KEYS_FILE",
            "SMTP_URL",
            "TENANTS_FILE",
        ]

    @pytest.mark.parametrize("url", ["smtp://u:p@mail.test", "smtp://u:p@127.0.0.1:25"])
    def test_refuses_to_send_a_password_in_clear(self, production: dict[str, str], url: str) -> None:
        assert faults_of(**production | {"SMTP_URL": url}) == [
            "SMTP_URL would send its credentials in clear: use smtps://, or add ?starttls=required"
        ]

    def test_refuses_to_send_a_token_in_clear(self, production: dict[str, str]) -> None:
        (line,) = faults_of(**production | {"SMTP_URL": "smtp://u@mail.test", "SMTP_TOKEN_COMMAND": "echo token"})
        assert line.startswith("SMTP_URL would send its credentials in clear")

    @pytest.mark.parametrize(
        "url", ["smtps://u:p@mail.test", "smtp://u:p@mail.test?starttls=required", "smtp://mail.test"]
    )
    def test_takes_a_mail_server_that_sees_no_password_in_clear(self, production: dict[str, str], url: str) -> None:
        assert Settings.load(production | {"SMTP_URL": url}).smtp_url == url

    def test_takes_a_token_in_the_place_of_the_password(self, production: dict[str, str]) -> None:
        given = production | {"SMTP_URL": "smtps://u@mail.test", "SMTP_TOKEN_COMMAND": "echo token"}
        assert Settings.load(given).smtp_token_command == "echo token"
        assert faults_of(**given | {"SMTP_URL": "smtps://u:p@mail.test"}) == [
            "SMTP_TOKEN_COMMAND takes the place of the password in SMTP_URL: leave one out"
        ]

    def test_refuses_a_public_url_in_clear(self, production: dict[str, str]) -> None:
        assert faults_of(**production | {"PUBLIC_URL": "http://customers.shop.test"}) == [
            "PUBLIC_URL must begin with https:// in production"
        ]
