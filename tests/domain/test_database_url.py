"""The database's address in every form in which it is handed out, and what is refused in words without a secret."""

from __future__ import annotations

import pytest

from app.domain.database_url import Host, ServerUrl, TlsMode, read_server_url
from app.domain.profile import Profile

FAR = "postgresql://u:p@db.example/shop"


class TestScheme:
    @pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+asyncpg", "POSTGRES"])
    def test_may_be_any_that_is_handed_out(self, scheme: str) -> None:
        url = read_server_url(f"{scheme}://ada:hush@db.example:6543/shop")
        assert (url.user, url.password, url.hosts, url.database) == ("ada", "hush", (Host("db.example", 6543),), "shop")

    @pytest.mark.parametrize(
        "text", ["mysql://u@h/n", "postgresql:/h/n", "postgresql://h", "postgresql://h/", "", "://"]
    )
    def test_or_form_of_another_kind_is_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match="must be sqlite:///path"):
            read_server_url(text)


class TestHosts:
    @pytest.mark.parametrize(
        ("text", "hosts"),
        [
            ("postgresql://db/n", [("db", 5432)]),
            ("postgresql://db:/n", [("db", 5432)]),
            ("postgresql://a:1,b:2,c/n", [("a", 1), ("b", 2), ("c", 5432)]),
            ("postgresql://[::1]:5433/n", [("::1", 5433)]),
            ("postgresql://u@[2001:db8::1],b:2/n", [("2001:db8::1", 5432), ("b", 2)]),
            ("postgresql:///n?host=a,b&port=1,2", [("a", 1), ("b", 2)]),
            ("postgresql:///n?host=a,b&port=1", [("a", 1), ("b", 1)]),
            ("postgresql://a,b/n?port=6432", [("a", 6432), ("b", 6432)]),
            ("postgresql:///n?host=/run/postgresql", [("/run/postgresql", 5432)]),
            ("postgresql:///n?host=%2Frun%2Fpostgresql&port=5433", [("/run/postgresql", 5433)]),
            ("postgresql://u:p@%2Frun%2Fpostgresql/n", [("/run/postgresql", 5432)]),
            ("postgresql://%2Frun%2Fpostgresql:5433/n", [("/run/postgresql", 5433)]),
        ],
    )
    def test_are_read_in_each_form_of_libpq(self, text: str, hosts: list[tuple[str, int]]) -> None:
        assert [(host.name, host.port) for host in read_server_url(text).hosts] == hosts

    @pytest.mark.parametrize(
        ("text", "fault"),
        [
            ("postgresql://db:http/n", "must have a port from 1 to 65535"),
            ("postgresql://db:0/n", "must have a port from 1 to 65535"),
            ("postgresql://db:65536/n", "must have a port from 1 to 65535"),
            ("postgresql://u:hu/sh@db/n", "must have a port from 1 to 65535"),
            ("postgresql://::1/n", "must have brackets around an IPv6 address"),
            ("postgresql://a,,b/n", "must have a name for each host"),
            ("postgresql://a,b,c/n?port=1,2", "must have a name for each host, and one port"),
            ("postgresql://u:hu@sh@db/n", "has an '@' in the user or the password: write %40 there"),
            ("postgresql://u:hu%sh@db/n", "has a '%' that two hexadecimal digits must follow"),
        ],
    )
    def test_are_refused_without_a_word_of_the_password(self, text: str, fault: str) -> None:
        with pytest.raises(ValueError, match="^" + fault.replace("(", r"\(")) as raised:
            read_server_url(text)
        assert "hu" not in str(raised.value).replace("hexadecimal", "")


class TestParameters:
    def test_are_all_taken(self) -> None:
        url = read_server_url(
            "postgres://db/n?user=a%20b&password=h%40+&sslmode=verify-ca&sslrootcert=/r.crt&sslcert=/c.crt&sslkey=/c.key"
            "&channel_binding=prefer&connect_timeout=3&application_name=my%20shop&options=-c%20search_path%3Dshop"
            "&target_session_attrs=read-write&sslnegotiation=direct"
        )
        assert url == ServerUrl(
            hosts=(Host("db"),),
            database="n",
            user="a b",
            password="h@+",
            tls=TlsMode.VERIFY_CA,
            tls_roots="/r.crt",
            tls_certificate="/c.crt",
            tls_key="/c.key",
            tls_at_once=True,
            connect_seconds=3,
            application_name="my shop",
            options="-c search_path=shop",
            target="read-write",
        )

    def test_have_libpq_s_defaults(self) -> None:
        url = read_server_url("postgresql://u:p%2Fw@db/n")
        assert (url.password, url.tls, url.target, url.connect_seconds) == ("p/w", TlsMode.PREFER, "any", None)

    @pytest.mark.parametrize("seconds", ["0", "-1"])
    def test_leave_our_own_limit_where_none_is_asked_for(self, seconds: str) -> None:
        assert read_server_url(f"postgresql://db/n?connect_timeout={seconds}").connect_seconds is None

    @pytest.mark.parametrize("mode", list(TlsMode))
    def test_know_all_six_modes(self, mode: TlsMode) -> None:
        assert read_server_url(f"{FAR}?sslmode={mode.text}").tls is mode

    @pytest.mark.parametrize(
        ("query", "fault"),
        [
            ("pgbouncer=true", "has the parameter 'pgbouncer', which is none of application_name, channel_binding"),
            ("SSLMODE=require", "has the parameter 'SSLMODE', which"),
            ("%20x=1", "has the parameter '…', which"),
            ("hush=1@host/n", "has the parameter '…', which"),
            ("sslmode", "has the parameter 'sslmode' without a value"),
            ("sslmode=require&sslmode=disable", "has the parameter 'sslmode' twice"),
            (
                "sslmode=no-verify",
                "has a sslmode that is none of disable, allow, prefer, require, verify-ca, verify-full",
            ),
            ("connect_timeout=soon", "has a connect_timeout that is no whole number of seconds"),
            ("target_session_attrs=master", "has a target_session_attrs that is none of any, read-write"),
            ("channel_binding=yes", "has a channel_binding that is none of disable, prefer, require"),
            ("sslnegotiation=tls", "has a sslnegotiation that is none of postgres, direct"),
            ("sslnegotiation=direct", "has sslnegotiation=direct, which wants sslmode=require"),
            ("sslmode=require&sslrootcert=system", "has sslrootcert=system, which wants sslmode=verify-full"),
            ("sslkey=/c.key", "has an sslkey without an sslcert"),
        ],
    )
    def test_are_named_where_they_are_wrong(self, query: str, fault: str) -> None:
        with pytest.raises(ValueError, match=f"^{fault}"):
            read_server_url(f"{FAR}?{query}")


class TestChannelBinding:
    @pytest.mark.parametrize("query", ["channel_binding=require", "channel_binding=require&sslmode=prefer"])
    def test_wants_tls(self, query: str) -> None:
        assert read_server_url(f"{FAR}?{query}").tls is TlsMode.REQUIRE

    def test_keeps_a_stricter_mode(self) -> None:
        assert read_server_url(f"{FAR}?channel_binding=require&sslmode=verify-full").tls is TlsMode.VERIFY_FULL

    @pytest.mark.parametrize(
        "text",
        [
            f"{FAR}?sslmode=disable&channel_binding=require",
            "postgresql:///n?host=/run/postgresql&channel_binding=require",
        ],
    )
    def test_is_refused_where_there_is_no_tls(self, text: str) -> None:
        with pytest.raises(ValueError, match="channel_binding=require"):
            read_server_url(text)


class TestProduction:
    @pytest.mark.parametrize("host", ["db.example", "10.0.0.1", "localhost.example", "127.0.0.1,db.example"])
    def test_verifies_another_machine(self, host: str) -> None:
        assert read_server_url(f"postgresql://u@{host}/n", Profile.PRODUCTION).tls is TlsMode.VERIFY_FULL

    @pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "[::1]", "%2Frun%2Fpostgresql"])
    def test_asks_nothing_of_this_machine(self, host: str) -> None:
        assert read_server_url(f"postgresql://u@{host}/n", Profile.PRODUCTION).tls is TlsMode.PREFER
        url = f"postgresql://u@{host}/n?sslmode=disable"
        assert read_server_url(url, Profile.PRODUCTION).tls is TlsMode.DISABLE

    @pytest.mark.parametrize("mode", [mode for mode in TlsMode if mode is not TlsMode.DISABLE])
    def test_does_what_the_url_says(self, mode: TlsMode) -> None:
        assert read_server_url(f"{FAR}?sslmode={mode.text}", Profile.PRODUCTION).tls is mode

    def test_refuses_plain_text_unless_it_is_allowed(self) -> None:
        with pytest.raises(ValueError, match="DATABASE_PLAINTEXT=allow"):
            read_server_url(f"{FAR}?sslmode=disable", Profile.PRODUCTION)
        url = read_server_url(f"{FAR}?sslmode=disable", Profile.PRODUCTION, plaintext=True)
        assert url.tls is TlsMode.DISABLE

    def test_verifies_even_if_plain_text_is_allowed(self) -> None:
        assert read_server_url(FAR, Profile.PRODUCTION, plaintext=True).tls is TlsMode.VERIFY_FULL
