"""One connection of HTTP/1.1: uvicorn's, with bounds on what a caller sends and on the time it takes for it."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from app.http.client_address import ClientAddresses
from app.listening.proxy_protocol import read_proxy_header

# Bytes of the request line and the headers, and of what stands in or after a body and is none: chunks' extensions
# and trailers.
MAX_HEAD = 32_768
# Seconds from the first byte of a request to the end of its headers, and to the end of its body.
HEAD_SECONDS, BODY_SECONDS = 10.0, 30.0
# Seconds without a request.
IDLE_SECONDS = 75
# Seconds and bytes for a caller who still sends, so that the answer is read: closing at once may take it away.
_LINGER, _LINGER_BYTES = 1.0, 262_144
# Who has connected to a socket that is a file is on this machine.
_THIS_MACHINE = ("127.0.0.1", 0)

_log = logging.getLogger(__name__)


class ConnectionConfig(Config):
    """uvicorn's, with what each connection has to know besides.

    `proxies` are those whose PROXY protocol is read; without it nobody's is.
    """

    proxies: ClientAddresses | None = None


class Connection(HttpToolsProtocol):
    """Answers 431 to a head that is too long, 408 to a request that comes too slowly, and closes.

    The PROXY protocol of anybody but our proxies is a bad request. One of ours that sends none is taken at its own
    address: it might have said anything by `X-Forwarded-For` as well.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._proxies = config.proxies if isinstance(config, ConnectionConfig) else None
        # What has come of a PROXY header; None when none is awaited, or no more.
        self._proxy_header: bytes | None = None
        self._in_body = False
        # Whether the last byte was the last of a request.
        self._is_between = True
        # How many bytes have come since a request, its head, or a piece of its body was complete.
        self._size = 0
        self._is_refused = False
        self._began = 0.0
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin (asyncio); who sends nothing at all is idle."""
        super().connection_made(transport)
        self.client = self.client or _THIS_MACHINE
        if self._proxies is not None and self._proxies.is_ours(self.client[0]):
            self._proxy_header = b""
        self._wait_for_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """End (asyncio)."""
        self._drop_deadline()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read what has come (asyncio)."""
        if self._is_refused:
            self._throw_away(data)
            return
        if self._proxy_header is not None:
            data = self._read_proxy_header(self._proxy_header + data)
            if not data:
                return
        if self._in_body or self._size + len(data) <= MAX_HEAD:
            self._read(data)
        else:
            self._read_in_pieces(data)

    def on_message_begin(self) -> None:
        """Note it (httptools)."""
        self._is_between = False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Note it (httptools)."""
        self._in_body = True
        self._size = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Note it (httptools)."""
        self._size = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Note it (httptools)."""
        self._in_body = False
        self._is_between = True
        self._size = 0
        if self._deadline is not None:
            self._drop_deadline()
        super().on_message_complete()

    def _read(self, data: bytes) -> None:
        self._is_between = False
        self._size += len(data)
        super().data_received(data)
        if self._is_between:
            if not self._answers():
                self._wait_for_request()
        elif self._size > MAX_HEAD:
            self._refuse_size()
        elif self._deadline is None:
            self._set_deadline()

    def _read_in_pieces(self, data: bytes) -> None:
        """Read no more at once than a head may have, so that it is known which bytes are of one."""
        while data and not self._is_refused and not self.transport.is_closing():
            most = MAX_HEAD if self._in_body else MAX_HEAD - self._size
            if most == 0:
                self._refuse_size()
                return
            self._read(data[:most])
            data = data[most:]

    def _read_proxy_header(self, data: bytes) -> bytes:
        """Return what comes after the header; nothing while it is not complete."""
        self._unset_keepalive_if_required()
        try:
            header = read_proxy_header(data)
        except ValueError as error:
            _log.warning("A connection was closed: one of TRUSTED_PROXIES has sent a wrong PROXY header, %s", error)
            self.transport.close()
            self._is_refused = True
            return b""
        if header is None:
            self._proxy_header = data
            if self._deadline is None:
                self._set_deadline()
            return b""
        self._proxy_header = None
        self.client = header.source or self.client
        rest = data[header.length :]
        if not rest:
            self._drop_deadline()
            self._wait_for_request()
        return rest

    def _wait_for_request(self) -> None:
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def _answers(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def _set_deadline(self) -> None:
        self._began = self.loop.time()
        self._deadline = self.loop.call_later(HEAD_SECONDS, self._look_at_time)

    def _drop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _look_at_time(self) -> None:
        self._deadline = None
        if self._is_refused or self.transport.is_closing():
            return
        limit = BODY_SECONDS if self._in_body else HEAD_SECONDS
        left = self._began + limit - self.loop.time()
        if self.flow.read_paused:
            left = limit  # It is the gateway that does not read.
        if left > 0.001:
            self._deadline = self.loop.call_later(left, self._look_at_time)
        else:
            part = "its body" if self._in_body else "the request line and the headers"
            self._refuse(408, f"The request was not complete within {limit:.0f} seconds: {part}.")

    def _throw_away(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > _LINGER_BYTES:
            self.transport.close()

    def _refuse_size(self) -> None:
        self._refuse(431, f"The request line and the headers have more than {MAX_HEAD} bytes.")

    def _refuse(self, status: int, sentence: str) -> None:
        """Answer if nothing is being answered, take no more, and close."""
        self._is_refused = True
        self._size = 0
        self._drop_deadline()
        if self._answers():
            if not self._in_body:
                self.cycle.keep_alive = False  # Closed after the answer to the request before this one.
                return
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            if self.cycle.response_started or self.pipeline:
                self.transport.close()
                return
        body = f"{sentence}\n".encode()
        head = STATUS_LINE[status] + b"content-type: text/plain; charset=utf-8\r\nconnection: close\r\n"
        self.transport.write(head + b"content-length: %d\r\n\r\n" % len(body) + body)
        self.transport.write_eof()
        self.loop.call_later(_LINGER, self.transport.close)
