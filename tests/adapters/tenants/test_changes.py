"""What a later look at the tenants files finds: only what has changed, and all of that."""

from __future__ import annotations

import json
import pickle
import time
import tomllib
from pathlib import Path

import pytest

from app.adapters.tenants.file import Change, TenantFiles, TenantsFileError
from app.domain.operation_lists import hash_operation
from app.domain.profile import Profile
from tests.harness.tenants import integration, shop, storefront

MANY = 10_000


def small_shop(tenant: str, **settings: str) -> str:
    return shop(tenant, **settings) + storefront(tenant, f"{tenant}-web", origins=[f"https://{tenant}.example"])


def invitation(subject: str) -> str:
    body = "{% block body %}Hello{% endblock %}{% block action %}Come in{% endblock %}"
    return f"{{% block subject %}}{subject}{{% endblock %}}{body}"


def listed(operation: str) -> str:
    return json.dumps({hash_operation(operation): operation})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "shops"
    folder.mkdir()
    for tenant in ("first", "second"):
        (folder / f"{tenant}.toml").write_text(small_shop(tenant))
    return folder


def read(path: Path) -> TenantFiles:
    files = TenantFiles(path, {"SECRET": "x" * 40}, Profile.DEVELOPMENT)
    files.read_all()
    return files


def look(files: TenantFiles) -> Change | None:
    change = files.look(at_once=True)
    if change is not None:
        files.accept(change)
    return change


def ids(files: TenantFiles) -> list[str]:
    return [tenant.id for tenant in files.reading.tenants]


def fault(files: TenantFiles) -> str:
    with pytest.raises(TenantsFileError) as caught:
        files.look(at_once=True)
    (line,) = caught.value.faults
    return line


class TestFolder:
    def test_has_the_shops_of_all_its_files(self, folder: Path) -> None:
        assert ids(read(folder)) == ["first", "second"]

    def test_may_hold_other_files(self, folder: Path) -> None:
        (folder / "README.md").write_text("no TOML")
        (folder / "old.toml.bak").write_text("no TOML")
        (folder / ".hidden.toml").write_text("no TOML")
        assert ids(read(folder)) == ["first", "second"]

    def test_without_a_file_is_a_fault(self, tmp_path: Path) -> None:
        with pytest.raises(TenantsFileError, match="has no file whose name"):
            read(tmp_path)

    def test_does_not_take_one_shop_from_two_files(self, folder: Path) -> None:
        (folder / "third.toml").write_text(shop("first") + storefront("first", "other"))
        with pytest.raises(TenantsFileError) as caught:
            read(folder)
        assert caught.value.faults == [
            f"{folder}/third.toml: tenants.first is in {folder}/first.toml too: keep one of them"
        ]

    def test_does_not_take_one_client_from_two_files(self, folder: Path) -> None:
        (folder / "third.toml").write_text(shop("third") + storefront("third", "first-web"))
        with pytest.raises(TenantsFileError) as caught:
            read(folder)
        assert caught.value.faults == [
            f"{folder}: tenants: client id 'first-web' is used by 2 tenants: give each client its own"
        ]

    def test_names_the_file_of_a_fault(self, folder: Path) -> None:
        (folder / "second.toml").write_text(small_shop("second", signup="never"))
        with pytest.raises(TenantsFileError, match=rf"^{folder}/second\.toml: tenants\.second\.signup must be"):
            read(folder)


class TestLook:
    def test_finds_nothing_where_nothing_has_changed(self, folder: Path) -> None:
        assert look(read(folder)) is None

    def test_finds_a_new_shop_and_leaves_the_others_as_they_are(self, folder: Path) -> None:
        files = read(folder)
        first = files.reading.tenants.tenant("first")
        (folder / "third.toml").write_text(small_shop("third"))
        change = look(files)
        assert change is not None
        assert [tenant.id for tenant in change.tenants] == ["third"]
        assert ids(files) == ["first", "second", "third"]
        assert files.reading.tenants.tenant("first") is first

    def test_finds_that_a_shop_is_gone(self, folder: Path) -> None:
        files = read(folder)
        (folder / "first.toml").unlink()
        change = look(files)
        assert change is not None
        assert (change.tenants, change.gone) == ((), ("first",))
        assert ids(files) == ["second"]
        assert files.reading.tenants.find_client("first-web") is None
        assert not files.reading.tenants.origins.allows("https://first.example")

    def test_finds_the_one_table_that_has_changed_in_a_file_with_many(self, tmp_path: Path) -> None:
        file = tmp_path / "tenants.toml"
        file.write_text(small_shop("first") + small_shop("second") + small_shop("third"))
        files = read(file)
        kept = files.reading.tenants.tenant("first")
        file.write_text(small_shop("first") + small_shop("second", name="Renamed"))
        change = look(files)
        assert change is not None
        assert ([tenant.name for tenant in change.tenants], change.gone) == (["Renamed"], ("third",))
        assert files.reading.tenants.tenant("first") is kept

    def test_finds_a_change_of_a_file_that_a_table_names(self, folder: Path) -> None:
        operations = folder / "operations.json"
        operations.write_text(listed("{ tokenInfo { kind } }"))
        (folder / "first.toml").write_text(small_shop("first", operations_file="operations.json"))
        (folder / "second.toml").write_text(small_shop("second", operations_file="operations.json"))
        files = read(folder)
        operations.write_text(listed("{ tokenInfo { tenant } }"))
        change = look(files)
        assert change is not None
        assert {tenant.id for tenant in change.tenants} == {"first", "second"}
        assert set((files.reading.tenants.tenant("first").operations or {}).values()) == {"{ tokenInfo { tenant } }"}
        assert look(files) is None

    def test_finds_each_change_in_the_folder_of_a_shops_own_mails(self, folder: Path) -> None:
        mails = folder / "mails"
        mails.mkdir()
        (mails / "invitation.en.jinja").write_text(invitation("Welcome"))
        (folder / "first.toml").write_text(small_shop("first", templates_dir="mails"))
        files = read(folder)

        def texts() -> dict[str, str]:
            assert [tenant.id for tenant in (look(files) or pytest.fail("nothing has changed")).tenants] == ["first"]
            own: dict[str, str] = json.loads(files.reading.tenants.tenant("first").own_texts or "")
            return own

        (mails / "invitation.en.jinja").write_text(invitation("Hello there"))
        assert "Hello there" in texts()["invitation.en.jinja"]
        (mails / "invitation.fr.jinja").write_text(invitation("Bonjour"))
        assert set(texts()) == {"invitation.en.jinja", "invitation.fr.jinja"}
        (mails / "invitation.en.jinja").unlink()
        assert set(texts()) == {"invitation.fr.jinja"}
        (folder / "new").mkdir()
        (folder / "new" / "invitation.de.jinja").write_text(invitation("Hallo"))
        mails.rename(folder / "old")
        (folder / "new").rename(mails)
        assert set(texts()) == {"invitation.de.jinja"}
        assert look(files) is None

    def test_finds_a_shop_that_has_moved_to_another_file(self, folder: Path) -> None:
        files = read(folder)
        (folder / "first.toml").rename(folder / "moved.toml")
        change = look(files)
        assert change is not None
        assert change.gone == ()
        assert ids(files) == ["first", "second"]

    def test_finds_a_client_that_has_moved_to_another_shop(self, folder: Path) -> None:
        files = read(folder)
        (folder / "first.toml").write_text(shop("first") + storefront("first", "second-web"))
        (folder / "second.toml").write_text(shop("second") + storefront("second", "first-web"))
        look(files)
        found = files.reading.tenants.find_client("second-web")
        assert found is not None
        assert found[0].id == "first"

    def test_waits_until_nobody_writes_any_more(self, folder: Path) -> None:
        files = read(folder)
        files.look(at_once=False)
        (folder / "third.toml").write_text(shop("third"))
        assert files.look(at_once=False) is None
        (folder / "third.toml").write_text(small_shop("third"))
        assert files.look(at_once=False) is None
        change = files.look(at_once=False)
        assert change is not None
        assert [tenant.id for tenant in change.tenants] == ["third"]

    def test_follows_a_link_that_leads_elsewhere_now(self, folder: Path, tmp_path: Path) -> None:
        for version in ("one", "two"):
            (tmp_path / version).write_text(small_shop("linked", name=version))
        (folder / "linked.toml").symlink_to(tmp_path / "one")
        files = read(folder)
        (folder / "new").symlink_to(tmp_path / "two")
        (folder / "new").replace(folder / "linked.toml")
        look(files)
        assert files.reading.tenants.tenant("linked").name == "two"


class TestFault:
    def test_leaves_everything_as_it_was(self, folder: Path) -> None:
        files = read(folder)
        before = files.reading
        (folder / "third.toml").write_text(small_shop("third"))
        (folder / "first.toml").write_text("[tenants.first]\nname =")
        assert fault(files).startswith(f"{folder}/first.toml: is not TOML in UTF-8")
        assert files.reading is before

    def test_is_told_once(self, folder: Path) -> None:
        files = read(folder)
        (folder / "first.toml").write_text("broken")
        files.look(at_once=False)
        with pytest.raises(TenantsFileError):
            files.look(at_once=False)
        assert files.look(at_once=False) is None

    def test_is_told_again_to_whoever_asks_at_once(self, folder: Path) -> None:
        files = read(folder)
        (folder / "first.toml").write_text("broken")
        assert fault(files) == fault(files)

    def test_is_over_when_the_file_is_mended(self, folder: Path) -> None:
        files = read(folder)
        (folder / "first.toml").write_text("broken")
        fault(files)
        (folder / "first.toml").write_text(small_shop("first", name="Mended"))
        look(files)
        assert files.reading.tenants.tenant("first").name == "Mended"

    def test_is_over_when_only_a_file_is_mended_that_a_new_shop_names(self, folder: Path) -> None:
        files = read(folder)
        (folder / "mails").mkdir()
        text = folder / "mails" / "invitation.en.jinja"
        text.write_text("{% block")
        (folder / "third.toml").write_text(small_shop("third", templates_dir="mails"))
        files.look(at_once=False)
        with pytest.raises(TenantsFileError, match=r"third\.templates_dir names 'mails', whose invitation\.en\.jinja"):
            files.look(at_once=False)
        assert files.look(at_once=False) is None
        text.write_text(invitation("Welcome"))
        assert files.look(at_once=False) is None
        change = files.look(at_once=False)
        assert change is not None
        assert [tenant.id for tenant in change.tenants] == ["third"]

    def test_is_over_when_the_shop_that_names_a_broken_file_is_gone(self, folder: Path) -> None:
        files = read(folder)
        (folder / "operations.json").write_text("broken")
        (folder / "third.toml").write_text(small_shop("third", operations_file="operations.json"))
        fault(files)
        (folder / "third.toml").unlink()
        assert look(files) is None
        assert look(files) is None

    def test_of_a_change_that_nobody_accepts_is_looked_at_again_when_a_named_file_changes(self, folder: Path) -> None:
        files = read(folder)
        (folder / "operations.json").write_text(listed("{ nothing }"))
        (folder / "third.toml").write_text(small_shop("third", operations_file="operations.json"))
        assert files.look(at_once=True) is not None
        assert files.look(at_once=False) is None
        (folder / "operations.json").write_text(listed("{ tokenInfo { kind } }"))
        assert files.look(at_once=False) is None
        change = files.look(at_once=False)
        assert change is not None
        files.accept(change)
        assert look(files) is None

    def test_is_a_client_of_a_shop_that_was_not_read_again(self, folder: Path) -> None:
        files = read(folder)
        (folder / "third.toml").write_text(shop("third") + storefront("third", "first-web"))
        assert "client id 'first-web' is used by 2 tenants" in fault(files)

    def test_is_a_shop_of_a_file_that_was_not_read_again(self, folder: Path) -> None:
        files = read(folder)
        (folder / "third.toml").write_text(shop("first") + storefront("first", "other"))
        assert "tenants.first is in" in fault(files)

    def test_is_a_folder_that_is_away(self, folder: Path) -> None:
        files = read(folder)
        folder.rename(folder.with_name("away"))
        assert "cannot be read" in fault(files)
        assert ids(files) == ["first", "second"]


class TestReading:
    def test_is_handed_to_another_process(self, folder: Path) -> None:
        (folder / "operations.json").write_text(listed("{ tokenInfo { kind } }"))
        (folder / "first.toml").write_text(
            small_shop("first", operations_file="operations.json") + integration("first", "back", secret_env="SECRET")
        )
        handed = pickle.loads(pickle.dumps(read(folder).reading))  # noqa: S301 - ours
        files = TenantFiles(folder, {"SECRET": "x" * 40}, Profile.DEVELOPMENT, handed)
        assert look(files) is None
        assert ids(files) == ["first", "second"]
        (folder / "second.toml").unlink()
        look(files)
        assert ids(files) == ["first"]


@pytest.fixture(scope="module")
def thousands(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("thousands")
    for number in range(MANY):
        (folder / f"s{number}.toml").write_text(small_shop(f"s{number}"))
    return folder


def reading_toml(thousands: Path) -> float:
    """Return how long the parser alone needs for all the files, in seconds of processor."""
    start = time.process_time()
    for number in range(MANY):
        tomllib.loads((thousands / f"s{number}.toml").read_text())
    return time.process_time() - start


class TestTenThousandShops:
    def test_are_read_within_three_times_what_reading_their_toml_takes(self, thousands: Path) -> None:
        # As a ratio, which holds on a slow machine and with a coverage tracer running too: 2.3 on an idle one.
        toml = reading_toml(thousands)
        start = time.process_time()
        files = read(thousands)
        assert time.process_time() - start < 3 * toml
        assert len(files.reading.tenants) == MANY

    def test_cost_no_more_than_the_one_that_changes(self, thousands: Path) -> None:
        files = read(thousands)
        (thousands / "s7.toml").write_text(small_shop("s7", name="Renamed"))
        start = time.process_time()
        change = look(files)
        # What is left is to ask the file system for ten thousand times of change.
        assert time.process_time() - start < reading_toml(thousands) / 2
        assert change is not None
        assert [tenant.name for tenant in change.tenants] == ["Renamed"]
