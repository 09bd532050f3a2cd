"""The image and the composition, as far as they can be checked without a container engine."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.commands.command_line import parse
from app.settings import Settings
from tests.harness.compose import VARIABLE, check_compose_understands, check_secrets_have_no_default
from tests.harness.source import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE_FILE = ROOT / "scripts" / "compose.yaml"
COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_FILE.read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = sorted(name for name, service in SERVICES.items() if service["image"] == "customer-gateway")


def instructions() -> list[tuple[str, str]]:
    """Return the instructions of the Dockerfile with what follows each."""
    text = re.sub(r"\\\n\s*", " ", re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE))
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in text.splitlines() if line)]


def of(word: str) -> list[str]:
    return [rest for name, rest in instructions() if name == word]


def environment_of_image() -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in of("ENV")[-1].split())


class TestDockerfile:
    def test_copies_what_is_there_and_what_the_build_may_see(self) -> None:
        allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
        for rest in of("COPY"):
            if rest.startswith("--from="):
                continue
            for source in rest.split()[:-1]:
                assert (ROOT / source).exists(), source
                assert source in allowed, f".dockerignore keeps {source} out."

    def test_builds_and_runs_on_the_same_python(self) -> None:
        build, final = (rest.split()[0] for rest in of("FROM"))
        assert build == final == "python:3.11-slim"

    def test_installs_pinned_requirements_with_hashes_into_what_is_copied(self) -> None:
        (install,) = [rest for rest in of("RUN") if "pip install" in rest]
        assert "--require-hashes" in install
        assert "--no-deps" in install
        assert "python -m venv /venv" in install
        assert "--from=build /venv /venv" in of("COPY")
        assert environment_of_image()["PATH"].startswith("/venv/bin:")
        assert install.endswith('-r "/tmp/$REQUIREMENTS" -r /tmp/requirements-sqlite.txt')
        for name in ("requirements.txt", "requirements-tracing.txt", "requirements-sqlite.txt"):
            assert "--hash=sha256:" in (ROOT / "scripts" / name).read_text()

    def test_runs_as_a_user_without_rights(self) -> None:
        last = [word for word, _ in instructions()]
        assert of("USER") == ["10001"]
        assert last.index("USER") > max(index for index, word in enumerate(last) if word in {"RUN", "COPY"})

    def test_serves_in_production_by_default(self) -> None:
        assert environment_of_image()["PROFILE"] == "production"
        assert {name.lower() for name in environment_of_image()} - set(Settings.model_fields) == {
            "path",
            "pythondontwritebytecode",
            "pythonunbuffered",
        }
        assert of("ENTRYPOINT") == ['["python", "-m", "app"]']
        assert of("CMD") == ['["serve"]']

    def test_has_a_health_check_that_is_a_program(self) -> None:
        (check,) = of("HEALTHCHECK")
        program = yaml.safe_load(check.partition(" CMD ")[2])
        compile(program[2], "HEALTHCHECK", "exec")
        assert "/healthz" in program[2]

    def test_holds_no_secret(self) -> None:
        assert not re.search(r"SECRET|PASSWORD|TOKEN|_KEY", DOCKERFILE)


class TestCompose:
    def test_runs_two_gateways_a_worker_and_what_they_need(self) -> None:
        assert OURS == ["gateway-1", "gateway-2", "migrate", "worker"]
        assert set(SERVICES) - set(OURS) == {"postgresql", "redis", "nginx"}

    @pytest.mark.parametrize("name", OURS)
    def test_gives_our_own_commands(self, name: str) -> None:
        parse(SERVICES[name]["command"])

    @pytest.mark.parametrize("name", OURS)
    def test_sets_variables_that_there_are(self, name: str) -> None:
        assert {each.lower() for each in SERVICES[name]["environment"]} <= set(Settings.model_fields)

    def test_starts_with_the_settings_that_it_gives(self, tmp_path: Path) -> None:
        values = {
            "POSTGRES_PASSWORD": "choose-one",
            "PUBLIC_URL": "https://customers.shop.example",
            "SMTP_URL": "smtp://mail.example:587",
            "MAIL_FROM": "no-reply@shop.example",
        }
        settings: dict[str, str] = SERVICES["gateway-1"]["environment"]
        given = {
            name: VARIABLE.sub(lambda match: values.get(match[1], match[3]), value) for name, value in settings.items()
        }
        for name in ("TENANTS_FILE", "SIGNING_KEYS_FILE"):
            file = tmp_path / Path(given[name]).name
            file.touch()
            given[name] = str(file)
        read = Settings.load({**environment_of_image(), **given})
        assert (read.processes, read.worker, read.metrics_port) == (2, False, 9090)

    @pytest.mark.parametrize("name", sorted(SERVICES))
    def test_lets_nothing_write_but_where_it_must(self, name: str) -> None:
        service = SERVICES[name]
        assert service["read_only"] is True
        assert "no-new-privileges:true" in service["security_opt"]
        assert "privileged" not in service

    @pytest.mark.parametrize("name", sorted(set(SERVICES) - {"migrate", "gateway-1", "gateway-2"}))
    def test_checks_the_health_of_what_the_image_does_not(self, name: str) -> None:
        assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"

    def test_waits_for_what_is_healthy_or_done(self) -> None:
        for service in SERVICES.values():
            for name, condition in service.get("depends_on", {}).items():
                needed = SERVICES[name]
                if condition["condition"] == "service_completed_successfully":
                    assert needed["restart"] == "no"
                else:
                    assert needed["image"] == "customer-gateway" or "healthcheck" in needed

    def test_publishes_nothing_but_nginx_and_that_on_this_machine(self) -> None:
        assert [name for name, service in SERVICES.items() if "ports" in service] == ["nginx"]
        assert SERVICES["nginx"]["ports"] == ["${LISTEN:-127.0.0.1:8080}:8080"]

    def test_holds_no_secret(self) -> None:
        check_secrets_have_no_default(COMPOSE_FILE)
        assert re.findall(r"(?i)(?:password|secret)\w*: (?!\$\{).+", COMPOSE_FILE.read_text()) == []

    def test_is_understood_by_compose(self) -> None:
        check_compose_understands(COMPOSE_FILE)


class TestNginx:
    def test_takes_its_configuration(self, tmp_path: Path) -> None:
        program = shutil.which("nginx")
        if program is None:
            pytest.skip("nginx is not installed")
        text = (ROOT / "scripts" / "nginx.conf").read_text()
        for name in ("gateway-1", "gateway-2"):
            assert f"server {name}:8000;" in text
            text = text.replace(name, "127.0.0.1")
        file = tmp_path / "nginx.conf"
        file.write_text(text.replace("/tmp/", f"{tmp_path}/"))  # noqa: S108 — what a container has for itself
        subprocess.run([program, "-t", "-q", "-c", str(file)], check=True)
