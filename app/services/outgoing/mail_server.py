"""The line to the mail server: stopped for all mails when the server does not let us in, and tried by a single one."""

from __future__ import annotations

import logging
from datetime import timedelta

from app.domain.tools import Tools
from app.models.webhook_endpoints import MAIL_SERVER
from app.services.worker_unit import open_for_worker

# How long nobody connects after a refused login, doubled by each further one, up to a longest pause.
FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(minutes=5)
# How long the mail that tries the server has before another one may.
PROBE_TIME = timedelta(seconds=45)

_URL = MAIL_SERVER[1]

logger = logging.getLogger(__name__)


async def stop_mail(tools: Tools, reason: str, *, is_probe: bool) -> None:
    """Let no mail be tried for a while; however many are refused at once, the pause grows with each probe only."""
    async with open_for_worker(tools) as uow:
        if is_probe:
            failed = await uow.mail_server.note_failed_probe(_URL)
            pause = pause_after(failed)
            await uow.mail_server.pause_after_probe(_URL, uow.now + pause)
        else:
            await uow.mail_server.note_failure(_URL)
            pause = FIRST_PAUSE
            if not await uow.mail_server.pause(_URL, uow.now, uow.now + pause):
                return
    logger.error("no mail is sent for %d seconds: %s", pause.total_seconds(), reason)


def pause_after(failed_probes: int) -> timedelta:
    """Return how long no mail is tried after so many failed probes: 10, 20, 40 … seconds, up to five minutes."""
    return min(FIRST_PAUSE * (1 << min(failed_probes, 20)), LONGEST_PAUSE)


async def claim_mail_probe(tools: Tools) -> bool:
    """Tell whether the caller may try the stopped server with one mail now; of many, one may."""
    async with open_for_worker(tools) as uow:
        state = await uow.mail_server.find(_URL)
        if state is None or (state.paused_until is not None and state.paused_until > uow.now):
            return False
        return await uow.mail_server.claim_probe(_URL, uow.now, uow.now + PROBE_TIME)


async def resume_mail(tools: Tools) -> None:
    """Let all mails go: the server has let one in, or an operator says so."""
    async with open_for_worker(tools) as uow:
        await uow.mail_server.forget(_URL)
