"""`outbox` and `webhooks`: what waits to be sent, and what is to be sent again."""

from __future__ import annotations

import sys
from functools import partial

from app.commands.tools import with_tools
from app.services.outgoing.outbox import outbox_state, retry
from app.services.outgoing.webhooks import deliveries, replay, resume
from app.settings import Settings


def show_outbox(settings: Settings) -> None:
    """Print how many messages wait in the outbox, and which were given up, and why."""
    state = with_tools(settings, outbox_state)
    sys.stdout.write(f"{state.waiting} waiting ({state.failing} of them failing), {state.dead} dead\n")
    for message in state.dead_messages:
        sys.stdout.write(f"{message.id}  {message.topic}  {message.attempts} attempts  {message.last_error}\n")


def retry_outbox(settings: Settings, message_id: str | None) -> None:
    """Try again one message that was given up or waits after a failure, or all; raises `ValueError` for another id."""
    woken = with_tools(settings, partial(retry, message_id=message_id))
    if message_id is not None and not woken:
        raise ValueError(f"There is no dead or failing message {message_id}: run python -m app outbox to see them")
    sys.stdout.write(f"{woken} will be tried again\n")


def show_deliveries(settings: Settings, tenant_id: str | None, *, only_failed: bool) -> None:
    """Print the events for webhooks, sent or waiting; raises `ValueError` for an unknown tenant."""
    events = with_tools(settings, partial(deliveries, tenant_id=tenant_id, only_failed=only_failed))
    for event in events:
        state = "dead" if event.dead_at else "delivered" if event.delivered_at else "waiting"
        parts = (event.id, event.tenant_id, event.topic, event.endpoint, state, f"{event.attempts} attempts")
        sys.stdout.write("  ".join(filter(None, (*parts, event.last_error))) + "\n")


def replay_event(settings: Settings, event_id: str) -> None:
    """Send one event again with the same id; raises `ValueError` for an unknown event."""
    with_tools(settings, partial(replay, event_id=event_id))
    sys.stdout.write(f"{event_id} will be sent again\n")


def resume_webhooks(settings: Settings, tenant_id: str | None, url: str | None) -> None:
    """End the pauses of webhooks, and send what waits for them; raises `ValueError` for an unknown tenant or URL."""
    waiting = with_tools(settings, partial(resume, tenant_id=tenant_id, url=url))
    sys.stdout.write(f"{waiting} waiting events will be sent now\n")
