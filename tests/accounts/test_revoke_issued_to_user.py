"""Revoking what was issued for a person, whose tokens come with the flows that have a user."""

import datetime

import pytest
from django.utils import timezone

from accounts.models import Tenant, User
from accounts.operations import revoke_issued_to_user
from audit.chain import first_break
from audit.models import Event


@pytest.fixture
def guest(tenant):
    return User.objects.create_user("guest@example.com", tenant=tenant)


def version(tenant):
    return Tenant.objects.get(pk=tenant.pk).config_version


def test_a_user_of_a_tenant_is_stamped_and_the_tenant_knows(guest, tenant, other_tenant, by):
    before, elsewhere = version(tenant), version(other_tenant)

    stamped = revoke_issued_to_user(guest, by).not_before

    assert timezone.now() - datetime.timedelta(minutes=1) < stamped <= timezone.now()
    assert (version(tenant), version(other_tenant)) == (before + 1, elsewhere)
    assert Event.objects.filter(tenant="main", type="user.tokens_revoked").count() == 1


def test_a_member_is_stamped_wherever_they_are_a_member(ada, tenant, other_tenant, by):
    before, elsewhere = version(tenant), version(other_tenant)

    assert revoke_issued_to_user(ada, by).not_before

    assert (version(tenant), version(other_tenant)) == (before + 1, elsewhere)
    assert Event.objects.get(type="user.tokens_revoked").tenant == ""
    assert first_break("") is None


def test_a_stamp_never_goes_back(guest, by):
    ahead = timezone.now() + datetime.timedelta(hours=1)
    User.objects.filter(pk=guest.pk).update(not_before=ahead)

    assert revoke_issued_to_user(guest, by).not_before == ahead


def test_signing_in_goes_on_working(as_ada, ada, by):
    revoke_issued_to_user(ada, by)

    assert as_ada.get("/t/main/apis/").status_code == 200
