"""The operations of the journeys as GraphQL documents, which ask for no more than the journeys need."""

from __future__ import annotations

TOKENS = "tokens { accessToken refreshToken } userErrors { code field message }"
_PLAIN = "userErrors { code field message }"

ANONYMOUS_LOGIN = f"mutation ($input: AnonymousLoginInput!) {{ anonymousLogin(input: $input) {{ {TOKENS} }} }}"
SIGNUP = f"mutation ($input: SignupInput!) {{ signup(input: $input) {{ customerId {_PLAIN} }} }}"
CONFIRM_SIGNUP = f"mutation ($input: ConfirmSignupInput!) {{ confirmSignup(input: $input) {{ customerId {_PLAIN} }} }}"
LOGIN = f"mutation ($input: LoginInput!) {{ login(input: $input) {{ customer {{ id }} {TOKENS} }} }}"
REFRESH = f"mutation ($input: RefreshInput!) {{ refresh(input: $input) {{ {TOKENS} }} }}"
LOGOUT = f"mutation ($input: LogoutInput) {{ logout(input: $input) {{ loggedOut {_PLAIN} }} }}"
CHANGE_PASSWORD = f"mutation ($input: ChangePasswordInput!) {{ changePassword(input: $input) {{ {TOKENS} }} }}"
TOKEN_INFO = "{ tokenInfo { kind } }"
LOOK = "{ me { firstName addresses { id contactName isDefault } productLists { id name } } }"
UPDATE_ME = f"mutation ($input: UpdateMeInput!) {{ updateMe(input: $input) {{ {_PLAIN} }} }}"
CREATE_ADDRESS = f"mutation ($input: AddressInput!) {{ createAddress(input: $input) {{ address {{ id }} {_PLAIN} }} }}"
UPDATE_ADDRESS = (
    f"mutation ($input: UpdateAddressInput!) {{ updateAddress(input: $input) {{ address {{ id }} {_PLAIN} }} }}"
)
DELETE_ADDRESS = f"mutation ($input: DeleteAddressInput!) {{ deleteAddress(input: $input) {{ deletedId {_PLAIN} }} }}"
CREATE_LIST = f"""mutation ($input: CreateProductListInput!) {{
    createProductList(input: $input) {{ productList {{ id }} {_PLAIN} }}
}}"""
DELETE_LIST = f"""mutation ($input: DeleteProductListInput!) {{
    deleteProductList(input: $input) {{ deletedId {_PLAIN} }}
}}"""
LOGIN_ON_BEHALF = f"mutation ($input: LoginOnBehalfInput!) {{ loginOnBehalf(input: $input) {{ {TOKENS} }} }}"
REQUEST_ANONYMIZATION = f"""mutation ($input: RequestAnonymizationInput) {{
    requestAnonymization(input: $input) {{ {_PLAIN} }}
}}"""
CANCEL_ANONYMIZATION = f"""mutation ($input: CancelAnonymizationInput) {{
    cancelAnonymization(input: $input) {{ {_PLAIN} }}
}}"""
