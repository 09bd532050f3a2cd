"""Posts events by Standard Webhooks 1.0: signed, only to public hosts, without following redirects."""

from __future__ import annotations

import asyncio
from datetime import datetime
from functools import cached_property
from ssl import SSLContext

import httpx2
from standardwebhooks.webhooks import Webhook as Signature

from app.adapters.safe_hosts import Resolve, resolve, safe_addresses
from app.domain.ports import Clock, PostponedError, Webhook
from app.domain.retry_after import postponed
from app.domain.web_addresses import check_target_url

# Seconds from the look-up of the host to the end of the answer.
TIMEOUT = 10.0
# Seconds for a connection to each of a host's addresses but the last: one that says nothing must not take it all.
CONNECT_TIMEOUT = 3.0
# How much of an answer is read before we close the connection; it is not used.
MOST_ANSWER_BYTES = 64_000


class HttpWebhookSender:
    """Each event has its own connection: to an address that was checked, with the name from the URL."""

    def __init__(
        self,
        clock: Clock,
        *,
        loopback: bool,
        tls: SSLContext | None = None,
        resolve: Resolve = resolve,
        timeout: float = TIMEOUT,
        connect_timeout: float = CONNECT_TIMEOUT,
    ) -> None:
        """`loopback` allows http targets on this machine; the time limits are in seconds."""
        self._clock = clock
        self._loopback = loopback
        self._given_tls = tls
        self._resolve = resolve
        self._timeout = timeout
        self._connect_timeout = min(connect_timeout, timeout / 2)

    @cached_property
    def _tls(self) -> SSLContext:
        """Made with the first event, because the certificates take 2 MiB and most shops have no webhook."""
        return self._given_tls or httpx2.create_ssl_context(trust_env=False)

    async def send(self, webhook: Webhook) -> int:
        """Post the event; see the port."""
        try:
            async with asyncio.timeout(self._timeout):
                return await self._post(webhook)
        except TimeoutError:
            raise TimeoutError(f"No answer within {self._timeout:g} seconds.") from None
        except httpx2.HTTPError as error:
            raise ConnectionError(f"{type(error).__name__}: {error}") from error

    async def _post(self, webhook: Webhook) -> int:
        try:
            url = httpx2.URL(check_target_url(webhook.url, loopback=self._loopback))
        except ValueError as error:
            raise ConnectionRefusedError(f"The target {error}.") from error
        host, port = url.raw_host.decode(), url.port or {"http": 80, "https": 443}[url.scheme]
        addresses = await safe_addresses(host, port, loopback=self._loopback, resolve=self._resolve)
        headers = {"host": url.netloc.decode(), **_signed_headers(webhook, self._clock.now())}
        # A connection that is kept open would be found by its address alone, although its name may differ.
        limits = httpx2.Limits(max_keepalive_connections=0)
        async with httpx2.AsyncClient(
            verify=self._tls, trust_env=False, follow_redirects=False, timeout=None, limits=limits
        ) as client:
            for address in addresses[:-1]:
                try:
                    answer = await _exchange(client, url, address, headers, webhook.body, self._connect_timeout)
                    break
                except (httpx2.ConnectError, httpx2.ConnectTimeout):
                    continue
            else:
                answer = await _exchange(client, url, addresses[-1], headers, webhook.body)
        wait = postponed(answer.status_code, answer.headers.get("retry-after"), self._clock.now())
        if wait is not None:
            raise PostponedError(f"The endpoint answered {answer.status_code}, and asks to be tried later.", wait)
        return answer.status_code


async def _exchange(
    client: httpx2.AsyncClient,
    url: httpx2.URL,
    address: str,
    headers: dict[str, str],
    body: str,
    connect_timeout: float | None = None,
) -> httpx2.Response:
    """Post to exactly this address and return the head of the answer."""
    request = client.stream(
        "POST",
        url.copy_with(host=address),
        headers=headers,
        content=body.encode(),
        extensions={"sni_hostname": url.raw_host.decode()},
        timeout=httpx2.Timeout(None, connect=connect_timeout),
    )
    async with request as answer:
        received = 0
        async for chunk in answer.aiter_raw():
            received += len(chunk)
            if received > MOST_ANSWER_BYTES:
                break
        return answer


def _signed_headers(webhook: Webhook, now: datetime) -> dict[str, str]:
    signatures = (Signature(secret).sign(webhook.id, now, webhook.body) for secret in webhook.secrets)
    return {
        "content-type": "application/json",
        "user-agent": "Customer-Gateway-Webhooks/1.0",
        "accept-encoding": "identity",
        "webhook-id": webhook.id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
