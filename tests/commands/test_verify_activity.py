from accounts.operations import update_member
from audit.models import Event


def test_whole_chains_are_named_with_their_newest_hash(manage, tenant, other_tenant, ada, by):
    update_member(ada, by, name="Ada L")

    said = manage("verify_activity")

    for name in ("main", "other", "the server itself"):
        assert f"{name}: " in said
    assert Event.objects.of("main").newest_first().first().hash in said


def test_a_changed_event_is_found(refuses, tenant):
    Event.objects.filter(tenant="main", sequence=2).update(actor_name="Somebody else")

    assert "main is broken at event 2" in refuses("verify_activity")


def test_a_removed_event_is_found(refuses, tenant):
    Event.objects.filter(tenant="main", sequence=2).delete()

    assert "main is broken at event 3" in refuses("verify_activity")
