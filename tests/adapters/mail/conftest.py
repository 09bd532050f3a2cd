"""What the tests of mail servers share: an authority that this process trusts, and its certificates."""

from __future__ import annotations

from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext

import pytest
import trustme


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """Make this process trust an authority."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    return authority


def certificate(authority: trustme.CA, name: str = "127.0.0.1") -> SSLContext:
    """Return what a server shows, signed by the authority."""
    context = SSLContext(PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context
