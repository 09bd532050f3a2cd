"""The numbers of a tenant: how long things live, and how much is too much."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Seconds = Annotated[int, Field(strict=True, ge=1, le=10 * 365 * 86_400)]
Hours = Annotated[int, Field(strict=True, ge=0, le=366 * 24)]
Count = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]


class Entry(BaseModel):
    """One table of the tenants file: nothing unknown in it, and nobody changes it afterwards."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Lifetimes(Entry):
    """How long tokens and pending things live. `access_token` and `refresh_token` are a customer's."""

    anonymous_access_token_seconds: Seconds = 3_600
    anonymous_refresh_token_seconds: Seconds = 86_400
    access_token_seconds: Seconds = 900
    refresh_token_idle_seconds: Seconds = 14 * 86_400
    refresh_token_absolute_seconds: Seconds = 30 * 86_400
    refresh_sibling_grace_seconds: Seconds = 30
    refresh_lost_answer_seconds: Seconds = 86_400
    saas_token_seconds: Seconds = 300
    on_behalf_token_seconds: Seconds = 900
    integration_token_seconds: Seconds = 3_600
    assertion_max_seconds: Seconds = 300
    reauthentication_seconds: Seconds = 600
    signup_token_seconds: Seconds = 86_400
    reset_token_seconds: Seconds = 1_800
    email_change_token_seconds: Seconds = 3_600
    email_revert_token_seconds: Seconds = 72 * 3_600
    social_state_seconds: Seconds = 600
    social_timeout_seconds: Seconds = 5
    social_keys_refetch_seconds: Seconds = 60
    anonymization_delay_hours: Hours = 24

    @model_validator(mode="after")
    def _idle_fits_into_absolute(self) -> Self:
        if self.refresh_token_idle_seconds > self.refresh_token_absolute_seconds:
            raise ValueError("refresh_token_idle_seconds must not be more than refresh_token_absolute_seconds")
        return self


class Limits(Entry):
    """How much is too much, per whom and how long. `mailed_flow` is reset, confirmation and e-mail change together."""

    login_per_ip_per_minute: Count = 30
    login_failures_per_ip_per_minute: Count = 10
    login_failures_per_account_per_5_minutes: Count = 5
    login_delay_max_seconds: Seconds = 900
    login_per_session_per_minute: Count = 10
    signup_per_ip_per_minute: Count = 20
    signup_mails_per_recipient_per_hour: Count = 3
    signup_per_session_per_hour: Count = 5
    mailed_flow_per_ip_per_minute: Count = 20
    mailed_flow_per_session_per_hour: Count = 5
    mails_per_recipient_per_hour: Count = 3
    mails_per_recipient_per_day: Count = 10
    one_time_token_per_ip_per_minute: Count = 20
    one_time_token_tries_per_flow: Count = 5
    refresh_per_ip_per_minute: Count = 60
    refresh_per_family_per_minute: Count = 30
    refresh_children: Count = 3
    social_per_ip_per_minute: Count = 30
    social_per_session_per_minute: Count = 10
    social_states_per_session: Count = 5
    social_answer_max_bytes: Count = 64_000
    anonymous_login_per_ip_per_minute: Count = 60
    anonymous_login_per_second: Count = 50
    oauth_token_per_ip_per_minute: Count = 60
    oauth_failures_per_client: Count = 10
    oauth_failure_block_seconds: Seconds = 900
    sessions_per_customer: Count = 50
    addresses_per_customer: Count = 100
    payment_instruments_per_customer: Count = 50
    product_lists_per_customer: Count = 100
    items_per_product_list: Count = 500
    password_max_length: Annotated[int, Field(strict=True, ge=64, le=256)] = 256
