"""Starts an OpenID provider on this machine, to try social login without an account elsewhere."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from socket import create_server
from urllib.parse import urlsplit

_PACKAGE = "oidc_provider_mock"
_PROCESS = "app.adapters.social.demo_provider_process"
# The provider uses Authlib, which allows plain http only with this setting.
_ENVIRONMENT = {"AUTHLIB_INSECURE_TRANSPORT": "1"}
_PATIENCE_SECONDS = 5


@contextmanager
def run_demo_provider(issuer: str, environment: Mapping[str, str]) -> Iterator[None]:
    """Serve the provider at the address of its issuer, in a process of its own that ends with ours.

    Raises `ValueError` when it is not installed, or the port is taken.
    """
    port = urlsplit(issuer).port or 80
    _check(port)
    process = subprocess.Popen(  # noqa: S603 - our own module, with a number
        [sys.executable, "-W", "ignore", "-m", _PROCESS, str(port)],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**environment, **_ENVIRONMENT},
    )
    try:
        yield
    finally:
        process.communicate(timeout=_PATIENCE_SECONDS)


def _check(port: int) -> None:
    if find_spec(_PACKAGE) is None:
        raise ValueError("The demo provider is not installed: scripts/serve --demo-social installs it.")
    try:
        create_server(("127.0.0.1", port)).close()
    except OSError as error:
        raise ValueError(
            f"The demo provider needs port {port}, but another program uses it: end that program."
        ) from error
