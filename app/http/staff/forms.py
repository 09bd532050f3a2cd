"""Reads the forms of the staff page, which only its own pages may send: no other site acts in the browser's name."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request

from app.http.bodies import BadHttpError, read_body, single
from app.http.forms import BadFormError, read_form
from app.http.media_types import FORM, is_in_utf8

MAX_BODY_BYTES = 16_384


async def read_own_form(request: Request, public_url: str) -> dict[str, str]:
    """Return the fields of a form that one of our own pages has sent; 403 for any other sender."""
    try:
        if not _is_from_here(request, public_url):
            raise HTTPException(403, "Only the forms of this page may be sent here.")
        if not is_in_utf8(single(request, "content-type") or "", FORM):
            raise HTTPException(415, f"A form is {FORM} in UTF-8.")
        return read_form(await read_body(request, MAX_BODY_BYTES))
    except BadHttpError as refusal:
        raise HTTPException(refusal.status, refusal.message, dict(refusal.headers)) from None
    except BadFormError as error:
        raise HTTPException(400, str(error)) from None


def _is_from_here(request: Request, public_url: str) -> bool:
    """Tell whether the browser says that the form comes from a page at our own address.

    A name that somebody else lets lead to this machine is no address of ours, so it must be that of PUBLIC_URL, an IP
    address or localhost.
    """
    if single(request, "sec-fetch-site") not in {None, "same-origin"}:
        return False
    origin, public = urlsplit(single(request, "origin") or ""), urlsplit(public_url)
    if (origin.scheme, origin.netloc) == (public.scheme, public.netloc):
        return True
    return (
        origin.scheme in {"http", "https"} and origin.netloc == single(request, "host") and _is_local(origin.hostname)
    )


def _is_local(host: str | None) -> bool:
    if host is None:
        return False
    try:
        ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    return True
