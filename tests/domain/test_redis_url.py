"""REDIS_URL in every form, and what is refused of it."""

from __future__ import annotations

import pytest

from app.domain.redis_url import RedisKind, RedisUrl, read_redis_url


class TestReadRedisUrl:
    @pytest.mark.parametrize("scheme", ["redis", "valkey"])
    def test_reads_a_server(self, scheme: str) -> None:
        assert read_redis_url(f"{scheme}://host") == RedisUrl(RedisKind.SERVER, (("host", 6379),))

    def test_reads_the_user_the_port_and_the_database(self) -> None:
        assert read_redis_url("rediss://us%40er:p%2Fw@[::1]:7000/3") == RedisUrl(
            RedisKind.SERVER, (("::1", 7000),), database=3, tls=True, username="us@er", password="p/w"
        )

    def test_reads_a_password_alone(self) -> None:
        read = read_redis_url("redis://:hush@host")
        assert (read.username, read.password) == (None, "hush")

    def test_reads_a_socket(self) -> None:
        assert read_redis_url("unix://user:pw@/run/redis.sock?db=2") == RedisUrl(
            RedisKind.SOCKET, path="/run/redis.sock", database=2, username="user", password="pw"
        )

    def test_reads_sentinels(self) -> None:
        assert read_redis_url("valkeys+sentinel://a,b:7001/shops/1") == RedisUrl(
            RedisKind.SENTINEL, (("a", 26379), ("b", 7001)), service="shops", database=1, tls=True
        )

    def test_reads_a_cluster(self) -> None:
        assert read_redis_url("redis+cluster://a,b:7001") == RedisUrl(RedisKind.CLUSTER, (("a", 6379), ("b", 7001)))

    @pytest.mark.parametrize(
        ("url", "reason"),
        [
            ("http://host", "must be redis://host:6379/0"),
            ("redis+other://host", "must be redis://host:6379/0"),
            ("redis://", "must name a host"),
            ("redis://host:port", "has a bad port or host"),
            (
                "rediss://:pa/ss@host:6380",
                "has a bad port or host: write redis://host:6379/0, or rediss:// with TLS; a",
            ),
            ("redis://a,b", "must name one host"),
            ("redis://host?ssl_cert_reqs=none", "has the option 'ssl_cert_reqs', and none is known but db"),
            ("redis://host/zero", "must have the number of the database"),
            ("redis+sentinel://host", "must name the service"),
            ("redis+cluster://host?db=1", "none is known here"),
            ("redis+cluster://host/0", "must have no path"),
            ("unix:///", "must be unix://"),
            ("unix://host/run/redis.sock", "must be unix://"),
            ("unix:///run/redis.sock?timeout=1", "has the option 'timeout'"),
        ],
    )
    def test_refuses_the_rest(self, url: str, reason: str) -> None:
        with pytest.raises(ValueError, match=reason):
            read_redis_url(url)
