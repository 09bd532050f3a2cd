"""User errors, as payloads have them."""

from __future__ import annotations

from collections.abc import Iterable

import strawberry

from app.domain.errors import DomainError, FieldError, UserErrorCode
from app.graphql.enums import describe_enum

REMARKS = (
    "What of the address does not fit its country, though it was stored: show it at the field and let the customer "
    "decide. `field` names it: `zipCode`. Empty if all fits, or the shop does not check addresses."
)
REMARKS_BY_PATH = (
    "What of an address does not fit its country, though it was stored: show it at the field and let the customer "
    'decide. `field` is a path in `input`: `["customerAddress", "zipCode"]`. Empty if all fits, or the shop does not '
    "check addresses."
)
USER_ERRORS = "What a person can correct: then nothing was written. Empty if the call has succeeded."
EMAIL_SUGGESTION = (
    "The address that was probably meant, if the login address given looks like a slip: `ada@gmail.com` for "
    "`ada@gmial.com`. The call has succeeded all the same, with the address as given: ask the customer whether this "
    "one is meant, and if so, call again with it. Null if nothing looks like a slip."
)

describe_enum(
    UserErrorCode,
    "What is wrong with the input. Let the program decide by it, and show `message` to the person.",
    {
        UserErrorCode.REQUIRED: "The field is empty, but needed. Ask for it.",
        UserErrorCode.INVALID: "The value does not fit the field. `message` says why.",
        UserErrorCode.TOO_SHORT: "The text has too few characters.",
        UserErrorCode.TOO_LONG: "The text has too many characters.",
        UserErrorCode.INVALID_EMAIL: "This is not an e-mail address. `ada@example.com` is one. `message` says what is "
        "wrong: no @-sign, a space, a domain without a dot.",
        UserErrorCode.INVALID_COUNTRY: "This is not a country code by ISO 3166-1 alpha-2. `DE` is one.",
        UserErrorCode.INVALID_ZIP_CODE: "The country has no postal code of this form. `addressRules` has examples.",
        UserErrorCode.INVALID_STATE: "The country has no such state. Let the customer choose one of `addressRules`.",
        UserErrorCode.INVALID_PHONE: "This cannot be a phone number. `+493012345678` can be one.",
        UserErrorCode.INVALID_LANGUAGE: "This is not a language tag by BCP 47. `en-US` is one.",
        UserErrorCode.INVALID_CURRENCY: "This is not a currency code by ISO 4217. `EUR` is one.",
        UserErrorCode.INVALID_CREDENTIALS: "The e-mail address or the password is wrong. Ask again.",
        UserErrorCode.ACCOUNT_INACTIVE: "The shop has not activated the account, or has deactivated it. Refer to the "
        "shop.",
        UserErrorCode.ACCOUNT_ON_HOLD: "The shop has put the account on hold. Refer to the shop.",
        UserErrorCode.ACCOUNT_MERGED: "The account was joined with another one by `mergeAccounts`, and is closed. Go "
        "on with the customer in its `mergedInto`.",
        UserErrorCode.EMAIL_NOT_CONFIRMED: "The customer has to open the mailed link first. Offer "
        "`resendConfirmation`.",
        UserErrorCode.EMAIL_TAKEN: "Another customer has this e-mail address. Offer `login` or another address.",
        UserErrorCode.TAKEN: "Another record has this value, which must be unique in the shop. Choose another value.",
        UserErrorCode.PASSWORD_TOO_SHORT: "The password is too short. `storefront { passwordRules }` says how long "
        "it must be.",
        UserErrorCode.PASSWORD_TOO_LONG: "The password is too long. `storefront { passwordRules }` says how long it "
        "may be.",
        UserErrorCode.PASSWORD_TOO_COMMON: "Many people use this password. Ask for another one.",
        UserErrorCode.PASSWORD_REQUIRED: "Here only the password of the sign-up finishes it. Ask for it, and call "
        "again with it.",
        UserErrorCode.PASSWORD_TOO_PERSONAL: "The password is made of the name, the address or the shop's name. Ask "
        "for "
        "another one.",
        UserErrorCode.TOKEN_INVALID: "The token is unknown, or was used or replaced. Get a new one.",
        UserErrorCode.TOKEN_EXPIRED: "The token is too old. Get a new one.",
        UserErrorCode.TOKEN_REUSED: "The refresh token was used before, so the session was ended. Log in again.",
        UserErrorCode.VERSION_CONFLICT: "The record was changed after you read it. Read it again and let the person "
        "decide.",
        UserErrorCode.NOT_FOUND: "There is nothing with this id that the caller may use. Read the list again.",
        UserErrorCode.LIMIT_REACHED: "There are too many already. Ask to delete one.",
        UserErrorCode.ANONYMIZATION_OPEN: "The anonymization of this customer was requested. Cancel it first, if it "
        "has not begun.",
        UserErrorCode.ANONYMIZATION_NOT_CANCELABLE: "The anonymization was never requested, or is past canceling.",
        UserErrorCode.PROVIDER_UNKNOWN: "The shop has no such social provider. Read `storefront` again.",
        UserErrorCode.PROVIDER_REFUSED: "The social provider did not confirm who the person is. Begin again.",
        UserErrorCode.PROVIDER_UNAVAILABLE: "The social provider does not answer. Offer another way to log in.",
        UserErrorCode.REDIRECT_URI_NOT_ALLOWED: "The client has not registered this redirect URI. Correct the "
        "storefront.",
        UserErrorCode.LINK_CONFIRMATION_REQUIRED: "The address has an account already. Ask for its password or the "
        "mailed "
        "code, and call `confirmSocialLink`.",
        UserErrorCode.SOCIAL_ACCOUNT_TAKEN: "Another customer signs in with this social account.",
        UserErrorCode.LAST_SIGN_IN_METHOD: "It is the only way to sign in. Link another one or set a password first.",
        UserErrorCode.CODE_INVALID: "This is not the code. Ask again.",
        UserErrorCode.CODE_EXPIRED: "The code is too old. Ask for another one.",
        UserErrorCode.TICKET_INVALID: "The ticket is another session's, was used, was tried too often, or is for "
        "something else. Begin again.",
        UserErrorCode.PASSKEY_INVALID: "The passkey's answer does not fit, or the shop does not know the passkey. "
        "Offer another way to sign in.",
        UserErrorCode.METHOD_OFF: "The shop does not have this way to sign in. Read `storefront { signInMethods }`.",
        UserErrorCode.PASSWORD_LOGIN_OFF: "The shop has no passwords. Offer another way to sign in.",
        UserErrorCode.PASSWORD_BREACHED: "The password is known from a data breach. Ask for another one.",
    },
)


@strawberry.type(
    description="Something in the input that a person can correct. Nothing was written, but for what is a remark."
)
class UserError:
    """One field error."""

    code: UserErrorCode = strawberry.field(description="What is wrong, for the program: `REQUIRED`.")
    field: list[str] | None = strawberry.field(
        description='Where in `input` it is: `["customerAddress", "city"]`. Null if it is about all of it.'
    )
    message: str = strawberry.field(description="What to correct, in a sentence for the person: `Please fill this in.`")


def present(error: DomainError) -> list[UserError]:
    """Return the user errors of a payload."""
    return present_each(error.errors)


def present_each(errors: Iterable[FieldError]) -> list[UserError]:
    """Return user errors or remarks as payloads have them."""
    return [UserError(code=each.code, field=list(each.field) or None, message=each.message) for each in errors]
