"""The names of events about a customer or a session, and the patterns with which a webhook chooses them."""

from __future__ import annotations

from enum import StrEnum, unique
from fnmatch import fnmatchcase
from functools import lru_cache


@unique
class Topic(StrEnum):
    """The name of one kind of event."""

    CUSTOMER_CREATED = "customer.created"
    CUSTOMER_CONFIRMED = "customer.confirmed"
    CUSTOMER_ACTIVATED = "customer.activated"
    CUSTOMER_DEACTIVATED = "customer.deactivated"
    CUSTOMER_UPDATED = "customer.updated"
    CUSTOMER_EMAIL_CHANGED = "customer.email_changed"
    CUSTOMER_PASSWORD_CHANGED = "customer.password_changed"  # noqa: S105 - the name of an event
    CUSTOMER_LOGGED_IN = "customer.logged_in"
    CUSTOMER_MERGED = "customer.merged"
    CUSTOMER_LOGIN_ATTACKED = "customer.login_attacked"
    CUSTOMER_ACQUIRED = "customer.acquired"
    CUSTOMER_REPEAT = "customer.repeat"
    CUSTOMER_GROUP_CHANGED = "customer.group_changed"
    CUSTOMER_SOCIAL_LINKED = "customer.social_linked"
    CUSTOMER_SOCIAL_UNLINKED = "customer.social_unlinked"
    CUSTOMER_PASSKEY_ADDED = "customer.passkey_added"
    CUSTOMER_PASSKEY_REMOVED = "customer.passkey_removed"
    CUSTOMER_TOTP_ENABLED = "customer.totp_enabled"
    CUSTOMER_TOTP_DISABLED = "customer.totp_disabled"
    CUSTOMER_PASSWORD_RESET_REQUESTED = "customer.password_reset_requested"  # noqa: S105 - the name of an event
    CUSTOMER_ANONYMIZATION_REQUESTED = "customer.anonymization_requested"
    CUSTOMER_ANONYMIZATION_STARTED = "customer.anonymization_started"
    CUSTOMER_ANONYMIZATION_COMPLETED = "customer.anonymization_completed"
    CUSTOMER_ANONYMIZATION_CANCELED = "customer.anonymization_canceled"
    CUSTOMER_ANONYMIZATION_FAILED = "customer.anonymization_failed"
    MAIL_FAILED = "mail.failed"
    # A mail with its link, for the shop's own mailer. It is written where the mail is sent, not by `emit`.
    MAIL_REQUESTED = "mail.requested"
    SESSION_UPGRADED = "session.upgraded"
    SESSION_REUSE_DETECTED = "session.reuse_detected"


@lru_cache(maxsize=256)
def topics_matching(pattern: str) -> frozenset[Topic]:
    """Return the topics that a pattern such as `customer.*` matches."""
    return frozenset(topic for topic in Topic if fnmatchcase(topic, pattern))
