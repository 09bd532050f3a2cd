"""The terms of the audit: what is recorded for good, and how much of a client's address."""

from __future__ import annotations

from enum import StrEnum, unique
from ipaddress import IPv4Network, ip_network


@unique
class AuditAction(StrEnum):
    """What somebody did, or tried to do."""

    SIGNUP = "signup"
    SIGNUP_CONFIRMED = "signup.confirmed"
    CONFIRMATION_REQUESTED = "signup.confirmation_requested"
    LOGIN = "login"
    LOGIN_STEP = "login.step"
    LOGIN_CODE_REQUESTED = "login.code_requested"
    LOGIN_ATTACKED = "login.attacked"
    PASSKEY_ADDED = "passkey.added"
    PASSKEY_REMOVED = "passkey.removed"
    TOTP_ENABLED = "totp.enabled"
    TOTP_DISABLED = "totp.disabled"
    RECOVERY_CODES_RENEWED = "recovery_codes.renewed"
    PHONE_VERIFIED = "phone.verified"
    SIGN_IN_METHOD_REVERTED = "sign_in_method.reverted"
    SOCIAL_LOGIN = "social.login"
    SOCIAL_LINKED = "social.linked"
    SOCIAL_UNLINKED = "social.unlinked"
    LOGOUT = "logout"
    SESSION_REVOKED = "session.revoked"
    REFRESH_REUSED = "session.refresh_reused"
    REAUTHENTICATION = "reauthentication"
    OWNERSHIP_PROVED = "ownership.proved"
    UNPROVEN_DATA_DISCARDED = "data.unproven_discarded"
    ONE_TIME_TOKEN = "one_time_token"  # noqa: S105 - a word, not a token
    PASSWORD_RESET_REQUESTED = "password.reset_requested"  # noqa: S105 - a word, not a password
    PASSWORD_RESET = "password.reset"  # noqa: S105
    PASSWORD_CHANGED = "password.changed"  # noqa: S105
    PASSWORD_TAKEN_OVER = "password.taken_over"  # noqa: S105
    EMAIL_CHANGE_REQUESTED = "email.change_requested"
    EMAIL_CHANGED = "email.changed"
    EMAIL_CHANGE_REVERTED = "email.change_reverted"
    INTEGRATION_TOKEN = "integration.token"  # noqa: S105
    INTEGRATION_TOKEN_REVOKED = "integration.token_revoked"  # noqa: S105
    ON_BEHALF_STARTED = "on_behalf.started"
    ON_BEHALF_ENDED = "on_behalf.ended"
    CUSTOMER_CREATED = "customer.created"
    CUSTOMER_MERGED = "customer.merged"
    ACTIVATION = "customer.activation"
    HOLD = "customer.hold"
    SECOND_FACTOR_MARK = "customer.second_factor_mark"
    ANONYMIZATION_REQUESTED = "anonymization.requested"
    ANONYMIZATION_CANCELED = "anonymization.canceled"
    ANONYMIZATION_STARTED = "anonymization.started"
    ANONYMIZATION_COMPLETED = "anonymization.completed"
    ANONYMIZATION_FAILED = "anonymization.failed"
    DATA_EXPORTED = "data.exported"
    AUTHORIZATION_REFUSED = "authorization.refused"
    LIMIT_HIT = "limit.hit"


@unique
class AuditOutcome(StrEnum):
    """How it ended."""

    SUCCESS = "success"
    REFUSED = "refused"


_PREFIX_V4 = 24
_PREFIX_V6 = 48


def shorten_ip(ip: str) -> str | None:
    """Return the network (/24, or /48 for IPv6) of an address or of an IPv6 /64; None if it is not an address."""
    try:
        network = ip_network(ip, strict=False)
    except ValueError:
        return None
    prefix = _PREFIX_V4 if isinstance(network, IPv4Network) else _PREFIX_V6
    return str(network if network.prefixlen <= prefix else network.supernet(new_prefix=prefix))
