"""The state of the endpoints of a tenant's webhooks, and of the mail server."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text
from sqlmodel import Field

from app.models.base import ID_LENGTH, TenantRow

URL_LENGTH = 2000
# After so many failures in a row nothing but a single message is tried; before, messages that are new are tried too.
FAILURES_BEFORE_PAUSE = 5


# The tenant, which none can be called, and the URL of the row about the mail server, which all tenants share.
MAIL_SERVER = ("-", "smtp")


class WebhookEndpointState(TenantRow, table=True):
    """One endpoint that has failed: how often in a row, and until when no failed message is tried again.

    After `paused_until` a single message tries it, a probe: `failed_probes` of them have failed since, and `probed_id`
    was the last. `gone_at` is set after an answer 410: then nothing is ever sent to it again.
    """

    __tablename__ = "webhook_endpoint"

    url: str = Field(primary_key=True, max_length=URL_LENGTH)
    failures: int = 0
    failed_probes: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    probed_id: str | None = Field(default=None, max_length=ID_LENGTH)
    paused_until: datetime | None = None
    gone_at: datetime | None = None
