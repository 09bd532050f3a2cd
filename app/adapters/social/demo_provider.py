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


@contextmanager
def run_demo_provider(issuer: str, environment: Mapping[str, str]) -> Iterator[None]:
    """Serve the provider at the address of its issuer, in a process of its own that ends with ours.

    Where the port is taken the one of another gateway serves this one too, for it knows every client. Raises
    `ValueError` when it is not installed.
    """
    if find_spec(_PACKAGE) is None:
        raise ValueError("The demo provider is not installed: scripts/serve installs it.")
    port = urlsplit(issuer).port or 80
    if not _is_free(port):
        sys.stderr.write(
            f"Port {port} is taken: social login goes to the demo provider that runs there, if it is one.\n"
        )
        yield
        return
    sys.stderr.write("Social login has the provider 'demo': log in there as 'ada'.\n")
    process = subprocess.Popen(  # noqa: S603 - our own module, with a number
        [sys.executable, "-W", "ignore", "-m", _PROCESS, str(port)],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**environment, **_ENVIRONMENT},
    )
    try:
        yield
    finally:
        process.kill()  # it holds nothing, and may not have begun to listen to its end yet
        process.communicate()


def _is_free(port: int) -> bool:
    try:
        create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
