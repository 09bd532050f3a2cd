"""The numbers of a shop: how long things live, and how much is too much."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Seconds = Annotated[int, Field(strict=True, ge=1, le=10 * 365 * 86_400)]
Hours = Annotated[int, Field(strict=True, ge=0, le=366 * 24)]
Days = Annotated[int, Field(strict=True, ge=0, le=10 * 365)]
Months = Annotated[int, Field(strict=True, ge=1, le=120)]
Count = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]


class Entry(BaseModel):
    """One table of the tenants file: nothing unknown in it, and nobody changes it afterwards."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def __getstate__(self) -> dict[Any, Any]:
        """Return what another process is handed: the keys, and not what was worked out from them since."""
        state = super().__getstate__()
        values, fields = state["__dict__"], type(self).__pydantic_fields__
        if len(values) == len(fields):
            return state
        return {**state, "__dict__": {name: values[name] for name in fields}}


class Lifetimes(Entry):
    """How long tokens and pending things live. `access_token` and `refresh_token` are a customer's."""

    anonymous_access_token_seconds: Seconds = 3_600
    """How long the access token of an anonymous session works."""
    anonymous_refresh_token_seconds: Seconds = 86_400
    """How long its refresh token works; each refresh begins this time anew."""
    access_token_seconds: Seconds = 900
    """How long the access token of a customer works."""
    refresh_token_idle_seconds: Seconds = 14 * 86_400
    """How long a customer who does not come back stays logged in; each refresh begins this time anew."""
    refresh_token_absolute_seconds: Seconds = 30 * 86_400
    """How long a customer stays logged in at most, however often the tokens are refreshed."""
    refresh_sibling_grace_seconds: Seconds = 30
    """How long after its use a refresh token may be used again, by any number of tabs at the same moment."""
    refresh_lost_answer_seconds: Seconds = 86_400
    """How long a refresh token that was used again after that, because the answer was lost, may not be used so once
    more. It may as long as nothing of that answer was traded on, however late, and what was lost is ended."""
    device_token_seconds: Seconds = 180 * 86_400
    """How long a device is known after its last login, so that guesses of others do not hold it up."""
    saas_token_seconds: Seconds = 300
    """How long a saas token works, by which other services know the customer."""
    on_behalf_token_seconds: Seconds = 900
    """How long staff may act for a customer with one `loginOnBehalf`."""
    integration_token_seconds: Seconds = 3_600
    """How long a token of `/oauth/token` works."""
    assertion_max_seconds: Seconds = 300
    """How far ahead the `exp` of a client's assertion (RFC 7523) may be."""
    reauthentication_seconds: Seconds = 600
    """How old a login may be where something sensitive wants a fresh one."""
    login_code_seconds: Seconds = 600
    """How long a mailed or texted code works that somebody signs in with."""
    ticket_seconds: Seconds = 600
    """How long a sign-in, or the enrolment of a passkey or of TOTP, may take from step to step."""
    remember_device_days: Days = 0
    """How long a device stands for the second factor after a login there, if the customer wants that; 0: never."""
    signup_token_seconds: Seconds = 86_400
    """How long the link works that confirms a sign-up."""
    reset_token_seconds: Seconds = 1_800
    """How long the link works that resets a password."""
    invitation_token_seconds: Seconds = 7 * 86_400
    """How long the link works by which a customer whom staff have made chooses a password."""
    email_change_token_seconds: Seconds = 3_600
    """How long the link works that confirms another e-mail address."""
    email_revert_token_seconds: Seconds = 72 * 3_600
    """How long a change of the e-mail address can be undone by the link that went to the old one; until then nobody
    else gets that address."""
    social_state_seconds: Seconds = 600
    """How long a visit at a social provider may take, and how long the code works that links an account."""
    social_timeout_seconds: Seconds = 5
    """How long one call to a social provider may take."""
    social_keys_seconds: Seconds = 3_600
    """How long the keys and the discovery document of a social provider are taken as they are. If they cannot be
    fetched then, those that are known serve for up to 24 hours."""
    social_keys_refetch_seconds: Seconds = 60
    """How long they are not asked for again because a token does not fit them."""
    anonymization_delay_hours: Hours = 24
    """How long after its request a customer is anonymized; until then it can be canceled."""

    unproven_account_days: Days = 30
    """How long a sign-up waits for its address to be confirmed, and how long an account stays whose address was never
    confirmed, that nobody has logged in to, that has no order, and that was not made by staff or an import; 0: for
    ever."""
    audit_retention_months: Months = 13
    """How long a line of the audit is kept, whatever it is about."""
    dead_letter_retention_days: Annotated[int, Field(strict=True, ge=1, le=10 * 365)] = 90
    """How long mails and events that were given up are kept, to be tried once more by hand."""

    @model_validator(mode="after")
    def _idle_fits_into_absolute(self) -> Self:
        if self.refresh_token_idle_seconds > self.refresh_token_absolute_seconds:
            raise ValueError("refresh_token_idle_seconds must not be more than refresh_token_absolute_seconds")
        return self


class Limits(Entry):
    """How much is too much, per whom and how long. `mailed_flow` is reset, confirmation and e-mail change together.

    An IPv6 address is counted as its /64, and its /48 may do `ipv6_48_factor` times as much.
    """

    login_per_ip_per_minute: Count = 30
    """Logins from one IP address."""
    login_failures_per_ip_per_minute: Count = 10
    """Failed logins from one IP address."""
    login_failures_per_account_per_5_minutes: Count = 5
    """Failed logins at one account; after that each further try has to wait, longer each time."""
    login_failures_per_account_per_hour: Count = 100
    """Failed logins at one account from wherever; after that devices that it does not know have to wait."""
    login_failure_addresses_per_account_per_10_minutes: Count = 10
    """IP addresses from which logins at one account fail; after that devices that it does not know have to wait."""
    login_failure_accounts_per_password_per_hour: Count = 50
    """Accounts at which one and the same password fails; after that devices that they do not know have to wait with
    that password."""
    login_failures_told: Count = 10
    """Failed logins at one account within a day after which its owner is told of the login that succeeds."""
    devices_per_customer: Count = 20
    """Devices that an account knows; a further one takes the place of the one that was longest away."""
    login_delay_max_seconds: Seconds = 900
    """How long such a wait is at most."""
    login_per_session_per_minute: Count = 10
    """Logins in one session."""
    signup_per_ip_per_minute: Count = 20
    """Sign-ups from one IP address."""
    signup_mails_per_recipient_per_hour: Count = 3
    """Mails about sign-ups to one address; beyond it the answer is the same and no mail goes out."""
    signup_per_session_per_hour: Count = 5
    """Sign-ups in one session."""
    mailed_flow_per_ip_per_minute: Count = 20
    """Password resets, confirmations and e-mail changes together that are asked for from one IP address."""
    mailed_flow_per_session_per_hour: Count = 5
    """The same, in one session."""
    mails_per_recipient_per_hour: Count = 3
    """Mails that a stranger can cause to one address; beyond it the answer is the same and no mail goes out. Codes for
    the second step of a login, and for a step-up, count apart, up to the same number."""
    mails_per_recipient_per_day: Count = 10
    """The same, in a day."""
    spare_reset_mails_per_recipient_per_day: Count = 1
    """Password resets mailed beyond these, each for an IP address that has asked for nothing else within a day."""
    one_time_token_per_ip_per_minute: Count = 20
    """Mailed tokens and codes that are tried from one IP address."""
    one_time_token_tries_per_flow: Count = 5
    """Wrong codes until the flow that they belong to has to begin anew."""
    refresh_per_ip_per_minute: Count = 60
    """Refreshes from one IP address."""
    refresh_per_family_per_minute: Count = 30
    """Refresh tokens that are traded in one session; tabs that trade one token together count once."""
    refresh_children: Count = 3
    """Pairs of tokens that one refresh token may give within `refresh_sibling_grace_seconds`; who comes later gets the
    newest of them again."""
    second_factor_failures_per_account_per_hour: Count = 10
    """Wrong codes of TOTP and recovery codes at one account; after that each further try has to wait, longer each
    time."""
    passkeys_begun_per_ip_per_minute: Count = 120
    """Logins and registrations with a passkey that are begun from one IP address; a login page may begin one as it
    opens."""
    passkeys_per_customer: Count = 20
    """Passkeys that a customer may have."""
    social_per_ip_per_minute: Count = 30
    """Steps of social logins from one IP address."""
    social_per_session_per_minute: Count = 10
    """Steps of social logins in one session."""
    social_states_per_session: Count = 5
    """Social logins that one session may have begun and not finished."""
    social_answer_max_bytes: Count = 64_000
    """How large an answer of a social provider may be."""
    ipv6_48_factor: Count = 10
    """How many times as much as one IPv6 /64 all of its /48 may do together, wherever IP addresses are counted."""
    anonymous_login_per_ip_per_minute: Count = 60
    """Sessions that are begun from one IP address."""
    anonymous_login_per_second: Count = 50
    """Sessions that are begun in the whole shop."""
    oauth_token_per_ip_per_minute: Count = 60
    """Requests to `/oauth/token` from one IP address."""
    oauth_failures_per_client: Count = 10
    """Failed authentications of one client from one IP address until it is blocked there."""
    oauth_failure_block_seconds: Seconds = 900
    """How long it is blocked then, and how long failures count."""
    sessions_per_customer: Count = 50
    """Sessions that a customer may have; a further login ends the oldest."""
    addresses_per_customer: Count = 100
    """Addresses that a customer may have."""
    payment_instruments_per_customer: Count = 50
    """Payment instruments that a customer may have."""
    product_lists_per_customer: Count = 100
    """Product lists that a customer may have."""
    items_per_product_list: Count = 500
    """Items that a product list may have."""
    password_max_length: Annotated[int, Field(strict=True, ge=64, le=256)] = 256
    """Characters that a password may have."""
