import io
import re

import pytest

from accounts.models import Invitation, Membership, Tenant, User
from audit.models import Event


@pytest.fixture
def password_on_stdin(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("a long enough password\n"))


def test_setup_makes_a_tenant_with_keys_and_prints_a_link_that_opens(manage, client):
    said = manage("setup", "--issuer", "http://localhost:8000/")

    tenant = Tenant.objects.get()
    assert tenant.issuer == "http://localhost:8000/" and tenant.signing_keys.count() == 2
    assert tenant.apis.get().identifier == "http://localhost:8000/api/v2/"
    assert re.search(r"http://localhost:8000/invitation/[A-Za-z0-9_-]{43}/", said)


def test_setup_again_changes_nothing_but_the_link(manage, tenant):
    first, second = manage("setup"), manage("setup")

    assert Tenant.objects.get() == tenant and first != second
    assert Invitation.objects.open().count() == 1


def test_setup_without_issuer_leaves_the_tenant_where_it_is(manage, tenant, settings):
    settings.GATEHOUSE_ISSUER = "https://elsewhere.example/"

    manage("setup")

    tenant.refresh_from_db()
    assert tenant.issuer == "http://localhost:8000/"


def test_setup_moves_the_first_tenant_to_another_issuer(manage, tenant):
    manage("setup", "--issuer", "https://auth.example.com/")

    tenant.refresh_from_db()
    assert (tenant.domain, tenant.apis.get().identifier) == ("auth.example.com", "https://auth.example.com/api/v2/")


def test_an_admin_with_a_password_can_sign_in_at_the_console_and_the_admin(manage, password_on_stdin, client):
    said = manage(
        "setup", "--admin-email", "Rita@Example.com", "--password-stdin", "--issuer", "http://localhost:8000/"
    )

    client.post("/account/sign-in/", {"login": "rita@example.com", "password": "a long enough password"})
    assert client.get("/admin/").status_code == 200
    assert Membership.objects.get().role == "admin"
    assert "a long enough password" not in said


def test_repeating_it_for_the_same_admin_keeps_the_password(manage, monkeypatch, tenant, ada):
    monkeypatch.setattr("sys.stdin", io.StringIO("another long password\n"))
    before = User.objects.get().password

    said = manage("setup", "--admin-email", "ada@example.com", "--password-stdin")

    assert "Nothing was changed" in said and "--reset-password" in said

    assert User.objects.get().password == before


def test_an_admin_without_a_password_gets_a_link_and_only_the_newest_works(manage, tenant, ada):
    manage("setup", "--admin-email", "rita@example.com")
    said = manage("setup", "--admin-email", "rita@example.com")

    assert "/invitation/" in said and Invitation.objects.open().get().email == "rita@example.com"


def test_a_member_of_another_tenant_becomes_admin_here(manage, tenant, cal):
    manage("setup", "--admin-email", "cal@example.com")

    assert Membership.objects.get(tenant=tenant).user == cal
    assert Event.objects.of("main").newest_first().first().type == "member.joined"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--password-stdin"], "--admin-email"),
        (["--reset-password", "--admin-email", "ada@example.com"], "--password-stdin"),
        (["--issuer", "http://auth.example.com/"], "https"),
        (["--issuer", "nonsense"], "final slash"),
        (["--admin-email", "nobody"], "valid email"),
    ],
)
def test_a_mistake_is_one_line(refuses, arguments, word):
    assert word in refuses("setup", *arguments)


@pytest.mark.parametrize("typed", ["", "\n", "short\n", "x" * 1001])
def test_a_bad_password_is_refused_and_nobody_is_made(refuses, monkeypatch, tenant, typed):
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))

    refuses("setup", "--admin-email", "rita@example.com", "--password-stdin")

    assert not User.objects.exists()


def test_a_forgotten_password_is_replaced_and_old_sessions_end(manage, password_on_stdin, tenant, eve, as_eve):
    assert as_eve.get("/t/main/apis/").status_code == 200

    said = manage("setup", "--admin-email", "Eve@example.com", "--password-stdin", "--reset-password")

    eve.refresh_from_db()
    assert "new password" in said and eve.check_password("a long enough password")
    assert (eve.memberships.get().role, eve.is_staff) == ("editor", False)
    assert as_eve.get("/t/main/apis/").status_code == 302
    event = Event.objects.of("").newest_first().first()
    assert (event.type, event.target_name) == ("member.password_reset", "eve@example.com")
    assert "a long enough password" not in said + str(event.details)


def test_a_new_password_keeps_the_rules(refuses, monkeypatch, tenant, ada):
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    before = User.objects.get().password

    refuses("setup", "--admin-email", "ada@example.com", "--password-stdin", "--reset-password")

    assert User.objects.get().password == before


def test_a_new_password_for_a_member_of_another_tenant_comes_with_the_membership(
    manage, password_on_stdin, tenant, cal
):
    said = manage("setup", "--admin-email", "cal@example.com", "--password-stdin", "--reset-password")

    cal.refresh_from_db()
    assert "with the new password" in said and cal.check_password("a long enough password")
    assert Membership.objects.get(tenant=tenant).role == "admin"
