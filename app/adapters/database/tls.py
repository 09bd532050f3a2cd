"""What TLS asyncpg is to speak with PostgreSQL: `sslmode` and its certificates as in libpq."""

from __future__ import annotations

import os
import ssl
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlencode

from app.domain.database_url import ServerUrl, TlsMode

# Where libpq looks when the URL names no files.
_ROOTS = "~/.postgresql/root.crt"


def tls_of(url: ServerUrl) -> ssl.SSLContext | str:
    """Return the context of a mode that insists on TLS, or the name of one that does not.

    Raises `ValueError` naming the parameter for a file that is no certificate or key.
    """
    if url.tls < TlsMode.REQUIRE:
        return url.tls.text
    return _context(url, tuple(map(_changed_at, (url.tls_roots, url.tls_certificate, url.tls_key))))


def _changed_at(file: str | None) -> int | None:
    """Return when the file was changed: certificates are renewed while we run."""
    try:
        return Path(file).stat().st_mtime_ns if file is not None else None
    except OSError:
        return None


@lru_cache(4)
def _context(url: ServerUrl, _changed: tuple[int | None, ...]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["postgresql"])
    # As in libpq, `require` verifies the authority where one is named.
    verifies = url.tls > TlsMode.REQUIRE or url.tls_roots is not None
    context.check_hostname = url.tls is TlsMode.VERIFY_FULL
    context.verify_mode = ssl.CERT_REQUIRED if verifies else ssl.CERT_NONE
    if verifies:
        _trust(context, url.tls_roots)
    if url.tls_certificate is not None:
        try:
            context.load_cert_chain(url.tls_certificate, url.tls_key, password=lambda: "")
        except (OSError, ValueError) as error:
            raise ValueError(f"has an sslcert or sslkey that cannot be used: {_why(error)}") from error
    return context


def _trust(context: ssl.SSLContext, roots: str | None) -> None:
    """Trust the authorities of the file, or of libpq's file if there is one, or else those of this machine."""
    # Not by Path, which raises for a user without a home, or with the home of another one.
    file = roots if roots is not None else os.path.expanduser(_ROOTS)  # noqa: PTH111
    if roots == "system" or (roots is None and not os.path.isfile(file)):  # noqa: PTH113
        context.load_default_certs()
        return
    try:
        context.load_verify_locations(cafile=file)
    except (OSError, ValueError) as error:
        raise ValueError(f"has an sslrootcert that cannot be used: {_why(error)}") from error


def tls_dsn(url: ServerUrl) -> str:
    """Return the DSN with the client's certificate for `allow` and `prefer`, which asyncpg takes from a DSN alone."""
    if url.tls_certificate is None or url.tls >= TlsMode.REQUIRE:
        return "postgresql://"
    files = {"sslcert": url.tls_certificate, **({"sslkey": url.tls_key} if url.tls_key is not None else {})}
    return f"postgresql://?{urlencode(files)}"


def _why(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).strip().rstrip(".")
