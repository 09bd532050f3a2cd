"""The composition that stays open, as far as it can be checked without a container engine; its parts run elsewhere."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.commands.command_line import parse
from app.domain.database_url import read_server_url
from app.domain.profile import Profile
from app.domain.redis_url import RedisKind, read_redis_url
from app.settings import Settings
from tests.harness.compose import VARIABLE, check_compose_understands, check_secrets_have_no_default
from tests.harness.patroni import SHIPPED
from tests.harness.postgresql import free_port
from tests.harness.redis_groups import RedisNode
from tests.harness.source import ROOT
from tests.test_containers import environment_of_image

COMPOSE_FILE = SHIPPED / "compose.yaml"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE_FILE.read_text())["services"]
PATRONI: dict[str, Any] = yaml.safe_load((SHIPPED / "patroni.yaml").read_text())
AGREED = PATRONI["bootstrap"]["dcs"]
OURS = sorted(name for name, service in SERVICES.items() if service["image"] == "customer-gateway")
GATEWAYS = [name for name in OURS if name.startswith("gateway")]
DATABASES = [name for name in SERVICES if name.startswith("postgresql")]
VALUES = {
    "POSTGRES_PASSWORD": "choose-one",
    "PUBLIC_URL": "https://customers.shop.example",
    "SMTP_URL": "smtp://mail.example:587",
    "MAIL_FROM": "no-reply@shop.example",
}


def given(name: str) -> dict[str, str]:
    """Return the environment of one of our services, filled in."""
    return {
        key: VARIABLE.sub(lambda match: VALUES.get(match[1], match[3]), value)
        for key, value in SERVICES[name]["environment"].items()
    }


class TestGateways:
    def test_are_three(self) -> None:
        assert GATEWAYS == ["gateway-1", "gateway-2", "gateway-3"]

    @pytest.mark.parametrize("name", OURS)
    def test_have_commands_and_variables_that_there_are(self, name: str) -> None:
        parse(SERVICES[name]["command"])
        assert {each.lower() for each in SERVICES[name]["environment"]} <= set(Settings.model_fields)

    def test_start_with_the_settings_that_it_gives(self, tmp_path: Path) -> None:
        environment = given("gateway-1")
        for name in ("TENANTS_FILE", "SIGNING_KEYS_FILE"):
            file = tmp_path / Path(environment[name]).name
            file.touch()
            environment[name] = str(file)
        assert Settings.load({**environment_of_image(), **environment}).worker

    def test_take_no_server_that_only_reads(self) -> None:
        url = read_server_url(given("gateway-1")["DATABASE_URL"], Profile.PRODUCTION, plaintext=True)
        assert url.target == "read-write"
        assert [host.name for host in url.hosts] == ["haproxy"]

    def test_find_redis_by_every_sentinel(self) -> None:
        url = read_redis_url(given("gateway-1")["REDIS_URL"])
        assert url.kind is RedisKind.SENTINEL
        assert [host for host, _ in url.hosts] == [name for name in SERVICES if name.startswith("sentinel")]
        assert f"sentinel monitor {url.service} redis-1 6379 2" in (SHIPPED / "sentinel.conf").read_text()


class TestPatroni:
    def test_keeps_each_acknowledged_write_on_two_nodes(self) -> None:
        assert len(DATABASES) == 3
        assert AGREED["synchronous_mode"] is True

    def test_has_times_that_fit_each_other(self) -> None:
        assert AGREED["ttl"] >= 20
        assert AGREED["ttl"] >= AGREED["loop_wait"] + 2 * AGREED["retry_timeout"]

    def test_names_another_standby_before_a_commit_is_given_up(self) -> None:
        limit = Settings.model_fields["database_timeout_seconds"].default
        standing = int(AGREED["postgresql"]["parameters"]["wal_sender_timeout"].removesuffix("s"))
        assert standing + AGREED["loop_wait"] <= limit

    @pytest.mark.parametrize("name", DATABASES)
    def test_tells_each_node_its_own_name(self, name: str) -> None:
        service = SERVICES[name]
        environment = service["environment"]
        assert service["hostname"] == environment["PATRONI_NAME"] == name
        assert environment["PATRONI_RESTAPI_CONNECT_ADDRESS"] == f"{name}:8008"
        assert environment["PATRONI_POSTGRESQL_CONNECT_ADDRESS"] == f"{name}:5432"
        assert f"{name}:/data/postgresql" in service["volumes"]

    def test_is_given_every_member_of_etcd(self) -> None:
        members = [name for name in SERVICES if name.startswith("etcd")]
        assert len(members) == 3
        hosts = SERVICES["postgresql-1"]["environment"]["PATRONI_ETCD3_HOSTS"]
        assert yaml.safe_load(f"[{hosts}]") == [f"{member}:2379" for member in members]
        for member in members:
            environment = SERVICES[member]["environment"]
            assert environment["ETCD_NAME"] == member
            assert f"{member}=http://{member}:2380" in environment["ETCD_INITIAL_CLUSTER"].split(",")


class TestEveryService:
    @pytest.mark.parametrize("name", sorted(SERVICES))
    def test_may_write_only_where_it_must(self, name: str) -> None:
        service = SERVICES[name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]
        assert "privileged" not in service

    @pytest.mark.parametrize("name", sorted(SERVICES))
    def test_waits_for_what_can_be_waited_for(self, name: str) -> None:
        for needed, condition in SERVICES[name].get("depends_on", {}).items():
            service = SERVICES[needed]
            if condition["condition"] == "service_completed_successfully":
                assert service["restart"] in {"no", "on-failure"}
            else:
                assert "test" in service["healthcheck"]

    @pytest.mark.parametrize("name", sorted(SERVICES))
    def test_is_given_files_that_are_there(self, name: str) -> None:
        for volume in SERVICES[name].get("volumes", ()):
            if volume.startswith("./"):
                assert (SHIPPED / volume.partition(":")[0]).is_file()

    def test_but_haproxy_publishes_nothing_and_that_on_this_machine(self) -> None:
        assert [name for name, service in SERVICES.items() if "ports" in service] == ["haproxy"]
        assert SERVICES["haproxy"]["ports"] == ["${LISTEN:-127.0.0.1:8080}:8080"]

    def test_has_its_secrets_from_outside(self) -> None:
        check_secrets_have_no_default(COMPOSE_FILE)
        for file in SHIPPED.iterdir():
            assert re.findall(r"(?i)(?:password|secret)\w*: (?!\$\{)\S", file.read_text()) == [], file

    def test_is_understood_by_compose(self) -> None:
        check_compose_understands(COMPOSE_FILE)


class TestHaproxy:
    TEXT = (SHIPPED / "haproxy.cfg").read_text()

    def test_knows_every_database_and_gateway(self) -> None:
        for name in DATABASES:
            assert self.TEXT.count(f"server {name} {name}:5432 check port 8008") == 2
        for name in GATEWAYS:
            assert f"server {name} {name}:8000 check" in self.TEXT

    def test_takes_its_configuration(self) -> None:
        program = shutil.which("haproxy")
        if program is None:
            pytest.skip("HAProxy is not installed")
        subprocess.run([program, "-c", "-q", "-f", SHIPPED / "haproxy.cfg"], check=True, capture_output=True)


class TestSentinels:
    def test_take_their_configuration(self, tmp_path: Path) -> None:
        if shutil.which("redis-sentinel") is None:
            pytest.skip("redis-sentinel is not installed")
        text = (SHIPPED / "sentinel.conf").read_text().replace("redis-1 6379", f"localhost {free_port()}")
        lines = [line for line in text.splitlines() if not line.startswith("port ")]
        node = RedisNode(tmp_path / "sentinel", *lines, program="redis-sentinel")
        try:
            assert node.answers()
        finally:
            node.close()


def test_everything_that_is_asked_for_is_in_the_readme() -> None:
    text = (SHIPPED / "README.md").read_text()
    for name, kind, _ in VARIABLE.findall(COMPOSE_FILE.read_text()):
        assert kind != ":?" or f"`{name}`" in text
    assert f"`ttl: {AGREED['ttl']}`, `retry_timeout: {AGREED['retry_timeout']}`" in text
    assert (ROOT / "tests" / "faults" / "test_fail_over.py").is_file()
