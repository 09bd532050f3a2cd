"""The customer's journey through the example storefront, clicked in a real browser on a fresh state."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from pyotp import TOTP

from app.adapters.social.demo_provider import run_demo_provider
from tests.harness.server import PATIENCE
from tests.storefront.shop import PASSWORD, Shop

# Where the demo's tenants have it.
PROVIDER = "http://127.0.0.1:9400"


def wait_for(url: str) -> None:
    """Wait until somebody answers there."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            httpx2.get(url, trust_env=False, timeout=PATIENCE)
        except httpx2.TransportError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


@pytest.fixture(scope="module")
def provider() -> Iterator[None]:
    """Run one for all tests: another one would have other keys, which the gateway does not fetch so soon."""
    with run_demo_provider(PROVIDER, os.environ):
        wait_for(f"{PROVIDER}/.well-known/openid-configuration")
        yield


class TestSignup:
    def test_goes_from_the_form_by_the_mailed_link_to_the_profile(self, shop: Shop) -> None:
        with shop.visitor() as ada:
            ada.open("/")
            ada.page.get_by_role("button", name="Put into the basket: Violet mug").click()
            ada.sees("1 in the basket. It belongs to your session")
            session = ada.page.get_by_test_id("session").inner_text()

            ada.press("Sign up")
            ada.heading("Sign up")
            ada.fill(email="augusta@example.com", password=PASSWORD, firstName="Ada")
            ada.press("Create the account")
            ada.heading("Look at your mail")

            shop.mail("augusta@example.com")
            with ada.context.expect_page() as opened:
                ada.page.get_by_role("link", name="Open the mailbox").click()
            mailbox = opened.value
            mailbox.get_by_role("listitem").first.get_by_role("link").click()
            with ada.context.expect_page() as opened:
                mailbox.get_by_title("The mail").content_frame.get_by_role(
                    "link", name="Confirm e-mail address"
                ).click()
            ada.page = opened.value
            ada.heading("Confirm your e-mail address")
            ada.press("Confirm")
            ada.heading("Welcome")

            ada.press("Log in")
            ada.heading("Log in")
            ada.fill(email="augusta@example.com", password=PASSWORD)
            ada.press("Log in")
            ada.heading("Profile")
            assert ada.page.get_by_test_id("session").inner_text() == session
            ada.fill(firstName="Augusta Ada")
            ada.press("Save")
            ada.sees("Saved.")

    def test_asks_for_the_password_where_the_link_is_opened_in_another_browser(self, shop: Shop) -> None:
        with shop.visitor() as grace:
            grace.open("/sign-up")
            grace.fill(email="grace@example.com", password=PASSWORD)
            grace.press("Create the account")
            grace.heading("Look at your mail")
        with shop.visitor() as elsewhere:
            elsewhere.open(shop.link("grace@example.com", "confirm"))
            elsewhere.press("Confirm")
            elsewhere.sees("You have signed up in another browser.")
            elsewhere.fill(password="wrong-harbour-42")
            elsewhere.press("Confirm")
            elsewhere.page.locator(".error").wait_for()
            elsewhere.fill(password=PASSWORD)
            elsewhere.press("Confirm")
            elsewhere.heading("Welcome")

    def test_asks_whether_another_address_was_meant_and_takes_it_over(self, shop: Shop) -> None:
        with shop.visitor() as visitor:
            visitor.open("/sign-up")
            visitor.fill(email="slip@gmial.com", password=PASSWORD)
            visitor.press("Create the account")
            visitor.sees("Did you mean slip@gmail.com?")
            visitor.press("Yes, take this address")
            visitor.sees("We have sent a link to slip@gmail.com.")
            assert visitor.page.get_by_text("Did you mean").count() == 0
            visitor.open(shop.link("slip@gmail.com", "confirm"))
            visitor.press("Confirm")
            visitor.heading("Welcome")

    def test_shows_each_fault_at_its_field(self, shop: Shop) -> None:
        with shop.visitor(locale="de-DE") as nobody:
            nobody.open("/sign-up")
            nobody.fill(email="nobody", password="short")
            nobody.press("Konto anlegen")
            email, password = (nobody.page.locator(f"[name={name}]") for name in ("email", "password"))
            nobody.page.get_by_text("Das ist keine gültige E-Mail-Adresse.").wait_for()
            assert [field.get_attribute("aria-invalid") for field in (email, password)] == ["true", "true"]
            assert email.evaluate("field => field === document.activeElement")


class TestOperations:
    def test_are_shown_without_passwords_and_tokens(self, shop: Shop) -> None:
        shop.customer("shown@example.com")
        with shop.visitor() as visitor:
            visitor.open("/login")
            visitor.fill(email="shown@example.com", password="wrong-harbour-42")
            visitor.press("Log in")
            visitor.page.locator(".notice.bad").wait_for()
            visitor.page.locator("details.operations summary").click()
            shown = visitor.page.locator("details.operations").inner_text()
            assert "mutation Login" in shown
            assert "INVALID_CREDENTIALS" in shown
            assert "shown@example.com" in shown
            assert "wrong-harbour" not in shown
            assert not re.search(r"cg_\w\w_", shown)


class TestLogin:
    def test_by_a_code_whose_mailed_link_opens_in_another_tab(self, shop: Shop) -> None:
        shop.customer("coded@example.com")
        with shop.visitor() as visitor:
            visitor.open("/login")
            visitor.page.get_by_label("Log in without a password").get_by_label("E-mail address").fill(
                "coded@example.com"
            )
            visitor.press("Mail me a code")
            visitor.heading("Enter the code")
            visitor.page = visitor.context.new_page()
            visitor.open(shop.link("coded@example.com", "code"))
            visitor.press("Log in")
            visitor.heading("Profile")

    def test_with_a_passkey_that_was_made_before(self, shop: Shop) -> None:
        shop.customer("passkey@example.com")
        with shop.visitor() as visitor:
            devtools = visitor.context.new_cdp_session(visitor.page)
            devtools.send("WebAuthn.enable", {"enableUI": False})
            options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True}
            options |= {"hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True}
            devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
            visitor.log_in("passkey@example.com")
            visitor.open("/security")
            visitor.press("Make a passkey on this device")
            visitor.sees("From now on you can log in with it.")
            visitor.page.get_by_role("button", name="Rename").first.wait_for()
            visitor.log_out()
            visitor.open("/login")
            # The browser may offer the passkey by itself, and be further before anybody can press the button.
            visitor.page.get_by_role("button", name="Use a passkey").evaluate_all("found => found[0]?.click()")
            visitor.heading("Profile")

    def test_at_the_demo_provider(self, shop: Shop, provider: None) -> None:
        with shop.visitor() as visitor:
            visitor.elsewhere = PROVIDER
            visitor.open("/login")
            visitor.press("Go on with Demo provider")
            visitor.page.wait_for_url(f"{PROVIDER}/**")
            visitor.page.get_by_role("textbox").fill("ada")
            visitor.page.get_by_role("button").first.click()
            visitor.heading("Profile")
            visitor.open("/security")
            visitor.page.locator(".items li", has_text="Demo provider").wait_for()

    def test_at_a_provider_is_linked_to_the_account_of_who_proves_that_it_is_theirs(
        self, shop: Shop, provider: None
    ) -> None:
        shop.customer("linked@example.com")
        # Somebody whose address the provider has proved, and the shop has already.
        person = {"email": "linked@example.com", "email_verified": True}
        with shop.visitor() as visitor:
            httpx2.put(f"{PROVIDER}/users/linked", json=person, trust_env=False, timeout=PATIENCE).raise_for_status()
            visitor.elsewhere = PROVIDER
            visitor.open("/login")
            visitor.press("Go on with Demo provider")
            visitor.page.wait_for_url(f"{PROVIDER}/**")
            visitor.page.get_by_role("textbox").fill("linked")
            visitor.page.get_by_role("button").first.click()
            visitor.heading("You have an account already")
            visitor.press("By password")
            visitor.fill(password="wrong-harbour-42")
            visitor.press("Connect")
            visitor.page.locator(".notice.bad, .error").first.wait_for()
            visitor.press("By a mailed code")
            visitor.fill(code=re.findall(r"\b\d{8}\b", shop.mail("linked@example.com", "code").text)[0])
            visitor.press("Connect")
            visitor.heading("Profile")
            visitor.open("/security")
            visitor.page.locator(".items li", has_text="Demo provider").wait_for()

    def test_with_the_code_of_an_app_as_the_second_step(self, shop: Shop) -> None:
        shop.customer("second@example.com")
        with shop.visitor() as visitor:
            visitor.log_in("second@example.com")
            visitor.open("/security")
            visitor.press("Set up an app")
            app = TOTP(visitor.page.get_by_test_id("totp-secret").inner_text())
            visitor.fill(code=app.now())
            visitor.press("Switch on")
            recovery = visitor.page.locator(".codes li").first.inner_text()
            visitor.log_out()
            visitor.open("/login")
            visitor.fill(email="second@example.com", password=PASSWORD)
            visitor.press("Log in")
            visitor.heading("One more step")
            visitor.fill(totp="000000")
            visitor.press("Log in")
            visitor.page.locator(".error").wait_for()
            visitor.press("By a recovery code")
            visitor.fill(recoveryCode=recovery)
            visitor.press("Log in")
            visitor.heading("Profile")
            visitor.open(shop.link("second@example.com", "asks for a code"))
            visitor.press("Take it back")
            visitor.sees("The way to log in is gone")

    def test_with_the_keyboard_alone(self, shop: Shop) -> None:
        shop.customer("keyboard@example.com")
        with shop.visitor() as visitor:
            visitor.open("/")
            keyboard = visitor.page.keyboard
            for _ in range(20):
                keyboard.press("Tab")
                if visitor.page.evaluate("document.activeElement.textContent") == "Log in":
                    break
            keyboard.press("Enter")
            title = visitor.heading("Log in")
            visitor.page.wait_for_function("document.activeElement.tagName === 'H1'")
            assert title.evaluate("title => title === document.activeElement")
            keyboard.press("Tab")
            keyboard.type("keyboard@example.com")
            keyboard.press("Tab")
            keyboard.type(PASSWORD)
            keyboard.press("Enter")
            visitor.heading("Profile")


class TestWaysBack:
    def test_a_forgotten_password_is_replaced_by_the_mailed_link(self, shop: Shop) -> None:
        shop.customer("forgot@example.com")
        with shop.visitor() as visitor:
            visitor.open("/forgot-password")
            visitor.fill(email="forgot@example.com")
            visitor.press("Mail me a link")
            visitor.sees("a link is on its way")
            visitor.open(shop.link("forgot@example.com", "new password"))
            visitor.fill(password="amber-lantern-77")
            visitor.press("Save the password")
            visitor.heading("New password")
            visitor.log_in("forgot@example.com", "amber-lantern-77")

    def test_another_address_is_confirmed_and_taken_back_by_mailed_links(self, shop: Shop) -> None:
        shop.customer("old@example.com")
        with shop.visitor() as visitor:
            visitor.log_in("old@example.com")
            visitor.open("/email")
            visitor.fill(newEmail="new@example.com", password=PASSWORD)
            visitor.press("Change the address")
            visitor.sees("Open the link that we have mailed to new@example.com")
            visitor.open(shop.link("new@example.com", "confirm"))
            visitor.press("Confirm")
            visitor.sees("You log in with new@example.com now.")
            visitor.open(shop.link("old@example.com", "about to change"))
            visitor.press("Give me my account back")
            visitor.sees("The account belongs to old@example.com again.")
            visitor.page.get_by_role("link", name="Choose your password").click()
            visitor.heading("Choose your password")
            visitor.fill(password="amber-lantern-77")
            visitor.press("Save the password")
            visitor.heading("New password")
            visitor.log_in("old@example.com", "amber-lantern-77")

    def test_a_password_is_changed(self, shop: Shop) -> None:
        shop.customer("changed@example.com")
        with shop.visitor() as visitor:
            visitor.log_in("changed@example.com")
            visitor.open("/password")
            visitor.fill(currentPassword=PASSWORD, newPassword="amber-lantern-77")
            visitor.press("Save the password")
            visitor.sees("The new password is good from now on.")
            visitor.log_out()
            visitor.log_in("changed@example.com", "amber-lantern-77")


class TestInvitation:
    def test_lets_a_customer_whom_the_shop_has_made_choose_a_password(self, shop: Shop) -> None:
        shop.invite("invited@example.com")
        with shop.visitor() as visitor:
            visitor.open(shop.link("invited@example.com", "Your account"))
            visitor.heading("Choose your password")
            visitor.fill(password=PASSWORD)
            visitor.press("Save the password")
            visitor.heading("New password")
            visitor.log_in("invited@example.com")


class TestSecondAccount:
    def test_is_joined_after_a_look_at_what_comes_along(self, shop: Shop) -> None:
        shop.customer("first@example.com")
        shop.customer("other@example.com")
        with shop.visitor() as visitor:
            visitor.log_in("other@example.com")
            visitor.open("/addresses")
            visitor.fill(contactName="Ada Lovelace", street="Unter den Linden", zipCode="10117", city="Berlin")
            visitor.press("Add")
            visitor.page.locator(".items li").wait_for()
            visitor.log_out()

            visitor.log_in("first@example.com")
            visitor.open("/security")
            visitor.fill(email="other@example.com", password="wrong-harbour-42")
            visitor.press("See what would come along")
            visitor.page.locator(".notice.bad, .error").first.wait_for()
            visitor.fill(password=PASSWORD)
            visitor.press("See what would come along")
            visitor.sees("This would come along from the other account:")
            assert visitor.page.locator(".facts").last.inner_text().split() == ["Addresses", "1"]
            visitor.press("Join the accounts")
            visitor.sees("The two accounts are one now.")
            visitor.open("/addresses")
            visitor.page.locator(".items li", has_text="Unter den Linden").wait_for()


class TestShopperData:
    def test_addresses_lists_payment_and_consents_are_kept(self, shop: Shop) -> None:
        shop.customer("shopper@example.com")
        with shop.visitor() as visitor:
            visitor.log_in("shopper@example.com")
            page = visitor.page

            visitor.open("/addresses")
            page.get_by_label("Country").select_option("DE")
            visitor.fill(contactName="Ada Lovelace", street="Unter den Linden", zipCode="10117", city="Berlin")
            visitor.press("Add")
            page.locator(".items li", has_text="Unter den Linden").wait_for()
            page.get_by_role("button", name="Change the address Unter den Linden").click()
            page.get_by_role("form", name="Change the address Unter den Linden").get_by_label("City").fill("Potsdam")
            visitor.press("Save")
            page.locator(".items li", has_text="Potsdam").wait_for()
            page.get_by_role("form", name="Remove the address").get_by_role("button").click()
            visitor.sees("No address yet.")

            visitor.open("/lists")
            visitor.fill(name="Birthday")
            visitor.press("Add")
            page.get_by_role("form", name="Put onto Birthday").get_by_role("button").click()
            page.locator(".items li", has_text="Reading lamp").wait_for()
            page.get_by_role("form", name="Remove the list Birthday").get_by_role("button").click()
            visitor.sees("No list yet.")

            visitor.open("/payment")
            visitor.press("Add")
            page.locator(".items li", has_text="visa ···· 4242").wait_for()
            page.get_by_role("form", name="Remove the card 4242").get_by_role("button").click()
            visitor.sees("No way to pay yet.")

            visitor.open("/consents")
            page.get_by_label("Newsletter, once a month").check()
            visitor.press("Save")
            page.locator(".hint", has_text="Given").wait_for()
            page.reload()
            page.locator(".hint", has_text="Given").wait_for()
            assert page.get_by_label("Newsletter, once a month").is_checked()


class TestAddresses:
    def test_are_shown_as_on_an_envelope_and_as_the_default_for_invoices(self, shop: Shop) -> None:
        shop.customer("envelope@example.com")
        with shop.visitor() as visitor:
            visitor.log_in("envelope@example.com")
            page = visitor.page
            visitor.open("/addresses")
            page.get_by_label("Country").select_option(label="Singapore")
            page.get_by_label("City").wait_for(state="detached")
            visitor.fill(contactName="Ada Lovelace", street="3 Boon Lay Drive", zipCode="649923")
            page.get_by_label("Invoices").check()
            visitor.press("Add")
            envelope = page.locator(".items .envelope")
            envelope.wait_for()
            assert envelope.inner_text().split("\n") == [
                "Ada Lovelace",
                "3 Boon Lay Drive",
                "SINGAPORE 649923",
                "SINGAPORE",
            ]
            page.locator(".badge", has_text="Default for invoices").wait_for()
            page.get_by_role("button", name="Change the address 3 Boon Lay Drive").click()
            change = page.get_by_role("form", name="Change the address 3 Boon Lay Drive")
            change.get_by_label("Invoices").uncheck()
            change.get_by_label("Deliveries").check()
            visitor.press("Save")
            page.locator(".badge", has_text="Default for deliveries").wait_for()
            assert page.locator(".badge", has_text="Default for invoices").count() == 0

    def test_that_look_wrong_are_saved_and_asked_about_beside_the_field(self, shop: Shop) -> None:
        shop.customer("unusual@example.com")
        with shop.visitor() as visitor:
            visitor.log_in("unusual@example.com")
            page = visitor.page
            visitor.open("/addresses")
            page.get_by_label("Country").select_option("DE")
            visitor.fill(contactName="Ada Lovelace", street="Unter den Linden", zipCode="1011", city="Berlin")
            visitor.press("Add")
            visitor.sees("The address is saved.")
            code = page.get_by_role("form", name="Change the address Unter den Linden").get_by_label("Postal code")
            page.wait_for_function("document.activeElement.name === 'zipCode'")
            remark = page.locator(".remark")
            assert remark.get_attribute("id") in str(code.get_attribute("aria-describedby")).split()
            assert code.get_attribute("aria-invalid") is None
            code.fill("10117")
            visitor.press("Save")
            page.locator(".envelope", has_text="10117").wait_for()
            assert remark.count() == 0


class TestDevices:
    def test_another_session_is_ended(self, shop: Shop) -> None:
        shop.customer("devices@example.com")
        with shop.visitor() as here, shop.visitor() as there:
            there.log_in("devices@example.com")
            here.log_in("devices@example.com")
            here.open("/devices")
            here.page.locator(".items li").nth(1).wait_for()
            here.page.locator(".items form button").click()
            here.page.locator(".items li").nth(1).wait_for(state="detached")
            there.open("/account")
            there.sees("You have been logged out.")
            here.open("/activity")
            here.sees("The account was made")


class TestPrivacy:
    def test_the_data_is_taken_along_and_an_erasure_is_taken_back(self, shop: Shop, tmp_path: Path) -> None:
        shop.customer("privacy@example.com")
        with shop.visitor() as visitor:
            visitor.log_in("privacy@example.com")
            visitor.open("/privacy")
            with visitor.page.expect_download() as downloaded:
                visitor.press("Download my data")
            downloaded.value.save_as(tmp_path / "data.json")
            assert "privacy@example.com" in json.dumps(json.loads((tmp_path / "data.json").read_text()))
            visitor.press("Erase my data")
            visitor.heading("Your data will be erased")
            visitor.open(shop.link("privacy@example.com", "will be erased"))
            visitor.press("Keep my account")
            visitor.sees("Your account stays as it is.")
            visitor.log_in("privacy@example.com")
