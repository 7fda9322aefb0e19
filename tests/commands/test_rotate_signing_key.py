import datetime

from django.utils import timezone

from tokens.models import SigningKey


def states(tenant):
    return sorted(tenant.signing_keys.values_list("state", flat=True))


def published_long_ago(tenant):
    tenant.signing_keys.update(created_at=timezone.now() - datetime.timedelta(hours=1))


def test_next_becomes_current_and_a_new_next_is_published(manage, tenant):
    published_long_ago(tenant)
    upcoming = SigningKey.objects.get(state="next")

    said = manage("rotate_signing_key")

    upcoming.refresh_from_db()
    assert upcoming.state == "current" and upcoming.kid in said
    assert states(tenant) == ["current", "next", "previous"]


def test_a_next_key_that_verifiers_have_not_seen_does_not_sign(refuses, tenant):
    assert "not been published long enough" in refuses("rotate_signing_key")

    assert states(tenant) == ["current", "next"]


def test_in_an_emergency_it_rotates_at_once_and_revokes(manage, tenant):
    leaked = SigningKey.objects.get(state="current")

    said = manage("rotate_signing_key", "--emergency", "--revoke-previous")

    leaked.refresh_from_db()
    assert leaked.state == "revoked" and leaked.private_jwk == ""
    assert f"{leaked.kid} is revoked" in said and states(tenant) == ["current", "next", "revoked"]


def test_only_the_tenant_named_is_touched(manage, tenant, other_tenant):
    manage("rotate_signing_key", "--tenant", "other", "--emergency")

    assert states(tenant) == ["current", "next"]
    assert states(other_tenant) == ["current", "next", "previous"]


def test_an_unknown_tenant_is_one_line(refuses, tenant):
    assert "no tenant 'nowhere'" in refuses("rotate_signing_key", "--tenant", "nowhere")
