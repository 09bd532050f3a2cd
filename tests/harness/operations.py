"""The operations of a storefront as GraphQL documents."""

from __future__ import annotations

USER_ERRORS = "userErrors { code field message }"
TOKENS = """tokens {
    accessToken tokenType expiresIn refreshToken refreshTokenExpiresIn saasToken saasTokenExpiresIn sessionId scope
    initialPassword deviceToken
}"""

ANONYMOUS_LOGIN = f"""mutation ($input: AnonymousLoginInput!) {{
    anonymousLogin(input: $input) {{ {TOKENS} {USER_ERRORS} }}
}}"""
REFRESH = f"mutation ($input: RefreshInput!) {{ refresh(input: $input) {{ {TOKENS} {USER_ERRORS} }} }}"
SIGNUP = f"mutation ($input: SignupInput!) {{ signup(input: $input) {{ customerId status {USER_ERRORS} }} }}"
CONFIRM_SIGNUP = f"""mutation ($input: ConfirmSignupInput!) {{
    confirmSignup(input: $input) {{ customerId alreadyConfirmed {USER_ERRORS} }}
}}"""
LOGIN = f"""mutation ($input: LoginInput!) {{
    login(input: $input) {{ {TOKENS} customer {{ id customerNumber lastLoginAt }} {USER_ERRORS} }}
}}"""
LOGOUT = f"mutation ($input: LogoutInput) {{ logout(input: $input) {{ loggedOut {USER_ERRORS} }} }}"

ADDRESS = """
    id contactName companyName street streetNumber streetAppendix extraLine1 extraLine2 extraLine3 extraLine4
    zipCode city state country contactPhone tags isDefault
"""
CREATE_ADDRESS = f"""mutation ($input: AddressInput!) {{
    createAddress(input: $input) {{ address {{ {ADDRESS} }} {USER_ERRORS} }}
}}"""
UPDATE_ADDRESS = f"""mutation ($input: UpdateAddressInput!) {{
    updateAddress(input: $input) {{ address {{ {ADDRESS} }} {USER_ERRORS} }}
}}"""
DELETE_ADDRESS = f"""mutation ($input: DeleteAddressInput!) {{
    deleteAddress(input: $input) {{ deletedId {USER_ERRORS} }}
}}"""
ADD_ADDRESS_TAGS = f"""mutation ($input: AddressTagsInput!) {{
    addAddressTags(input: $input) {{ address {{ id tags }} {USER_ERRORS} }}
}}"""
REMOVE_ADDRESS_TAGS = f"""mutation ($input: AddressTagsInput!) {{
    removeAddressTags(input: $input) {{ address {{ id tags }} {USER_ERRORS} }}
}}"""

RESEND_CONFIRMATION = f"""mutation ($input: ResendConfirmationInput!) {{
    resendConfirmation(input: $input) {{ accepted {USER_ERRORS} }}
}}"""
REQUEST_PASSWORD_RESET = f"""mutation ($input: RequestPasswordResetInput!) {{
    requestPasswordReset(input: $input) {{ accepted {USER_ERRORS} }}
}}"""
RESET_PASSWORD = f"""mutation ($input: ResetPasswordInput!) {{
    resetPassword(input: $input) {{ passwordReset {USER_ERRORS} }}
}}"""
CHANGE_PASSWORD = f"""mutation ($input: ChangePasswordInput!) {{
    changePassword(input: $input) {{ {TOKENS} {USER_ERRORS} }}
}}"""
CHANGE_EMAIL = f"mutation ($input: ChangeEmailInput!) {{ changeEmail(input: $input) {{ accepted {USER_ERRORS} }} }}"
CONFIRM_EMAIL_CHANGE = f"""mutation ($input: ConfirmEmailChangeInput!) {{
    confirmEmailChange(input: $input) {{ email {USER_ERRORS} }}
}}"""
REVERT_EMAIL_CHANGE = f"""mutation ($input: RevertEmailChangeInput!) {{
    revertEmailChange(input: $input) {{ email resetToken {USER_ERRORS} }}
}}"""
