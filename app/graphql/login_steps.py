"""The ways to sign in, and the next step of a login, in GraphQL."""

from __future__ import annotations

import strawberry

from app.domain.sign_in import SignInMethod
from app.graphql.enums import describe_enum
from app.graphql.presenting import Presenter
from app.services.sessions import login_steps

# Whoever names the enum takes it from here, where it has its descriptions.
__all__ = ["NEXT_STEP", "LoginStep", "SignInMethod", "present_login_step"]

describe_enum(
    SignInMethod,
    "A way to prove who one is.",
    {
        SignInMethod.PASSWORD: "The password.",
        SignInMethod.EMAIL_CODE: "The six digits of a mail: `requestLoginCode` sends it.",
        SignInMethod.PHONE_CODE: "The six digits of a message to the phone: `requestLoginCode` sends it.",
        SignInMethod.PASSKEY: "A passkey (WebAuthn Level 3): `beginPasskeyLogin` gives what the browser needs.",
        SignInMethod.TOTP: "The six digits that an app makes every 30 seconds (RFC 6238).",
        SignInMethod.RECOVERY_CODE: "One of the ten codes that the customer wrote down for a lost phone.",
        SignInMethod.SOCIAL: "A social account: `beginSocialLogin`, then `socialLogin`.",
    },
)

NEXT_STEP = (
    "What is still missing: then `tokens` and `customer` are null. Ask for one of its `methods`, and call "
    "`completeLogin`. Null when the login is complete."
)


@strawberry.type(description="What a login still needs: one more proof, for `completeLogin`.")
class LoginStep:
    """Ticket, methods and life."""

    ticket: str = strawberry.field(
        description="The ticket, `cg_st_…`, for `completeLogin`. It works in this session, once, for five tries."
    )
    methods: list[SignInMethod] = strawberry.field(
        description="The ways that will do, the strongest first: `[PASSKEY, TOTP, RECOVERY_CODE]`. If `EMAIL_CODE` is "
        "the first, a code was mailed just now. Empty: nothing is enrolled that would do, so the customer has to enrol "
        "a second factor with the ticket."
    )
    expires_in: int = strawberry.field(description="Seconds until the ticket expires: `600`.")


present_login_step = Presenter(login_steps.LoginStep, LoginStep)
