"""The state of the endpoints of a tenant's webhooks."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field

from app.models.base import TenantRow

URL_LENGTH = 2000


class WebhookEndpointState(TenantRow, table=True):
    """One endpoint that has failed: how often in a row, and until when nothing is sent to it.

    `gone_at` is set after an answer 410: then nothing is ever sent to it again.
    """

    __tablename__ = "webhook_endpoint"

    url: str = Field(primary_key=True, max_length=URL_LENGTH)
    failures: int = 0
    paused_until: datetime | None = None
    gone_at: datetime | None = None
