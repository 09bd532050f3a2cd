"""A gateway below a path: PUBLIC_URL has one, and nginx takes it off before the gateway sees it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx2
import pytest

from tests.harness.nginx import run_nginx
from tests.harness.server import ServerProcess

PREFIX = "/customers"
_LINK = re.compile(r'(?:href|src)="([^"]+)"')


@pytest.fixture
def database_url(tmp_path: Path, sqlite_template: Path) -> str:
    """Use one database: the pages do not read it."""
    path = tmp_path / "gateway.db"
    path.write_bytes(sqlite_template.read_bytes())
    return f"sqlite:///{path}"


@pytest.fixture
def address(start_server: Callable[..., ServerProcess], tmp_path: Path) -> Iterator[str]:
    """Return the address of the gateway behind nginx, which takes the prefix off."""
    server = start_server(PUBLIC_URL=f"https://shop.example{PREFIX}")
    port = urlsplit(server.url).port
    assert port is not None
    with run_nginx(tmp_path / "nginx", [port], prefix=PREFIX) as nginx:
        yield f"{nginx.url}{PREFIX}"


class TestPages:
    @pytest.mark.parametrize("page", ["/", "/dev/mail", "/playground/plain/plain.html", "/graphql"])
    def test_lead_to_what_is_there(self, address: str, page: str) -> None:
        answer = httpx2.get(f"{address}{page}", headers={"Accept": "text/html"}, trust_env=False)
        assert answer.status_code == 200
        links = [link for link in _LINK.findall(answer.text) if not link.startswith(("data:", "http"))]
        assert links or page == "/dev/mail"
        for link in links:
            assert link.startswith(f"{PREFIX}/")
            found = httpx2.get(urljoin(address, link), headers={"Accept": "text/html, */*"}, trust_env=False)
            assert found.status_code == 200, link

    def test_tell_their_scripts_where_they_are(self, address: str) -> None:
        for page in ("/graphql", "/playground/plain/plain.html"):
            answer = httpx2.get(f"{address}{page}", headers={"Accept": "text/html"}, trust_env=False)
            assert f'data-base="{PREFIX}"' in answer.text
