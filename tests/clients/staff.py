"""A staff system: gets a token with its own credentials, and lists every customer of the shop."""

import os
from collections.abc import Iterator
from typing import Any

import requests
from gql import Client, gql
from gql.transport.requests import RequestsHTTPTransport

GATEWAY = os.environ["GATEWAY_URL"]
CREDENTIALS = (os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])

CUSTOMERS = """
    query Customers($after: String) {
      customers(first: 100, after: $after) {
        nodes { id customerNumber email status }
        pageInfo { hasNextPage endCursor }
      }
    }
"""


def access_token() -> str:
    """Return a token for an hour; there is none to refresh it, so get another one then."""
    form = {"grant_type": "client_credentials", "scope": "customers.read"}
    answer = requests.post(f"{GATEWAY}/oauth/token", data=form, auth=CREDENTIALS, timeout=10)
    answer.raise_for_status()
    token: str = answer.json()["access_token"]
    return token


def customers(client: Client) -> Iterator[dict[str, Any]]:
    """Yield the customers, page by page: none comes twice or is left out, whatever happens meanwhile."""
    request, after = gql(CUSTOMERS), None
    while True:
        request.variable_values = {"after": after}
        page = client.execute(request)["customers"]
        yield from page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return
        after = page["pageInfo"]["endCursor"]


if __name__ == "__main__":
    headers = {"Authorization": f"Bearer {access_token()}"}
    transport = RequestsHTTPTransport(f"{GATEWAY}/graphql", headers=headers, timeout=10)
    for customer in customers(Client(transport=transport)):
        print(customer["customerNumber"], customer["email"], customer["status"])
