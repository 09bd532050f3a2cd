"""The operations of the API that the staff page calls."""

from __future__ import annotations

_LISTED = "id customerNumber email firstName lastName company active onHold mergedInto anonymizationStatus"
_USER_ERRORS = "userErrors { code field message }"

LIST = f"""query StaffPageList($after: String) {{
  customers(first: 50, after: $after) {{ nodes {{ {_LISTED} }} pageInfo {{ hasNextPage endCursor }} }}
}}"""
# It may be anything that staff know of a customer.
SEARCH = f"""query StaffPageSearch($id: ID!, $text: String!, $first: Int!) {{
  byId: customer(id: $id) {{ {_LISTED} }}
  byNumber: customer(customerNumber: $text) {{ {_LISTED} }}
  byReference: customer(shopperReference: $text) {{ {_LISTED} }}
  byEmail: customers(first: $first, filter: {{emailPrefix: $text}}) {{ nodes {{ {_LISTED} }} }}
  byWords: customers(first: $first, filter: {{search: $text}}) {{ nodes {{ {_LISTED} }} }}
}}"""
CUSTOMER = """query StaffPageCustomer($id: ID!) {
  customer(id: $id) {
    id customerNumber shopperReference email emailVerified emailBounced contactEmail contactPhone phoneVerified
    title firstName middleName lastName company businessModel preferredLanguage preferredCurrency preferredSite
    status active onHold secondFactorRequired lastLoginAt mixins mergedInto anonymizationStatus
    b2b { companyRegistrationId legalEntities { id name confirmed } }
    groups { id name code }
    accounts { provider email }
    addresses { id contactName companyName street streetNumber zipCode city state country tags isDefault }
    metadata { version createdAt updatedAt }
  }
  customerGroups { id name code }
}"""
GROUPS_OF = "query StaffPageGroups($id: ID!) { customer(id: $id) { groups { id } metadata { version } } }"
UPDATE = f"""mutation StaffPageUpdate($input: UpdateCustomerInput!) {{
  updateCustomer(input: $input) {{ customer {{ id }} {_USER_ERRORS} }}
}}"""
LOGIN_ON_BEHALF = f"""mutation StaffPageLoginOnBehalf($input: LoginOnBehalfInput!) {{
  loginOnBehalf(input: $input) {{ tokens {{ accessToken expiresIn }} customer {{ id }} {_USER_ERRORS} }}
}}"""
