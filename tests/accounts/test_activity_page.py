import datetime
import re
from pathlib import Path

import pytest

from accounts.activity import PER_PAGE
from accounts.operations import create_member, update_tenant
from accounts.sentences import SENTENCES, parts_of
from apis.operations import create_api, delete_api, describe_scope, update_api
from applications.operations import create_application, delete_application
from audit.models import Event
from tests.conftest import PASSWORD

PAGE = "/t/main/activity/"
ROOT = Path(__file__).parents[2]


def entries_of(response):
    return [entry for _, entries in response.context["page"].days for entry in entries]


def sentences_of(response):
    return ["".join(words for _, words in entry.parts) for entry in entries_of(response)]


def types_written():
    """Every event type in any operations.py: the text right after `done(`, or a dotted one given to `record(`."""
    for file in ROOT.glob("*/operations.py"):
        source = file.read_text()
        yield from re.findall(r"\.done\(\s*\"([a-z_.]+)\"", source)
        yield from re.findall(r"record\([^)]*?\"([a-z_]+\.[a-z_]+)\"", source)


def test_every_event_that_an_operation_writes_has_a_sentence():
    written = set(types_written())

    assert {"api.created", "tenant.created", "member.joined"} <= written
    assert written - SENTENCES.keys() == set()


def test_no_operation_hides_the_type_of_its_event():
    for file in ROOT.glob("*/operations.py"):
        source = file.read_text()
        assert len(re.findall(r"\.done\(", source)) == len(re.findall(r"\.done\(\s*\"", source)), file


def test_a_type_without_a_sentence_is_still_readable():
    event = Event(type="teapot.boiled_over", actor_name="Rita", target_name="Kitchen")

    assert "".join(words for _, words in parts_of(event)) == "Rita: teapot boiled over Kitchen"


def test_what_happened_is_told_newest_first(as_bea, calendar_api, by):
    update_api(calendar_api, by, name="Diary API")

    told = sentences_of(as_bea.get(PAGE))

    assert told[0] == "test@example.com changed Diary API"
    assert told.index("test@example.com created the API Calendar API") > 0


def test_a_change_shows_what_was_before(as_bea, calendar_api, by):
    update_api(calendar_api, by, token_lifetime=7500)

    page = as_bea.get(PAGE).content.decode()

    assert "<del>86400</del>" in page and "<ins>7500</ins>" in page
    assert "token lifetime" in page


def test_days_stand_apart(as_bea, tenant):
    today = Event.objects.order_by("-sequence").first()
    for days, sequence in ((1, 1), (40, 2)):
        Event.objects.filter(sequence=sequence).update(at=today.at - datetime.timedelta(days=days))

    days = [day for day, _ in as_bea.get(PAGE).context["page"].days]

    assert days[:1] == ["Today"]
    assert "Yesterday" in days and len(days) == 3


def test_what_still_exists_is_linked_and_what_is_gone_is_not(
    as_bea, tenant, calendar_api, billing_grant, billing_app, by
):
    describe_scope(calendar_api.scopes.first(), by, "Read")
    page = as_bea.get(PAGE).content.decode()

    assert f'href="/t/main/apis/{calendar_api.pk}/settings/"' in page
    assert f'href="/t/main/apis/{calendar_api.pk}/scopes/"' in page
    assert f'href="/t/main/applications/{billing_app.client_id}/settings/"' in page
    assert f'href="/t/main/applications/{billing_app.client_id}/apis/"' in page
    api, client_id = calendar_api.pk, billing_app.client_id
    delete_api(calendar_api, by)
    delete_application(billing_app.row, by)
    page = as_bea.get(PAGE).content.decode()
    assert f'href="/t/main/apis/{api}/' not in page
    assert f'href="/t/main/applications/{client_id}/' not in page


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"q": "Calendar", "kind": "scope"}, 0),
        ({"q": "calendar api", "kind": "api"}, 2),
        ({"q": "api.scopes_added"}, 1),
        ({"q": "test@example.com", "kind": "application"}, 1),
        ({"q": "nobody"}, 0),
        ({"kind": "nonsense", "q": "Calendar API"}, 2),
        ({"q": "\x00Calendar API"}, 2),
    ],
)
def test_filters(as_bea, calendar_api, billing_app, query, told):
    assert len(entries_of(as_bea.get(PAGE, query))) == told


def test_nothing_found_offers_to_clear_the_filter(as_bea, tenant):
    assert "Clear filter" in as_bea.get(PAGE, {"q": "nobody"}).content.decode()


def test_pages_follow_each_other_without_gap_or_repetition(as_bea, tenant, by):
    for number in range(PER_PAGE * 2):
        tenant = update_tenant(tenant, by, friendly_name=f"Name {number}")
    places = Event.objects.of("main").newest_first().values_list("sequence", flat=True)

    seen, response = [], as_bea.get(PAGE)
    while True:
        seen.append([entry.event.sequence for entry in entries_of(response)])
        if response.context["page"].older is None:
            break
        response = as_bea.get(PAGE, {"before": response.context["page"].older})

    assert sum(seen, []) == list(places)
    assert [len(page) for page in seen[:-1]] == [PER_PAGE] * 2
    newer = as_bea.get(PAGE, {"after": response.context["page"].newer})
    assert [entry.event.sequence for entry in entries_of(newer)] == seen[1]


@pytest.mark.parametrize("place", ["-1", "x", "9" * 19, "9" * 30, "²", "\x00", "1e3"])
@pytest.mark.parametrize("side", ["before", "after"])
def test_a_place_that_is_none_does_no_harm(as_bea, tenant, side, place):
    assert as_bea.get(PAGE, {side: place}).status_code == 200


def test_only_the_tenants_own_history_is_shown(as_ada, other_tenant, by):
    create_api(other_tenant, by, name="Elsewhere", identifier="urn:elsewhere")
    strange = Event.objects.of("other").newest_first().first()

    assert "Elsewhere" not in as_ada.get(PAGE).content.decode()
    assert as_ada.get(f"{PAGE}{strange.pk}/").status_code == 404
    assert as_ada.get("/t/other/activity/").status_code == 404


@pytest.mark.parametrize("number", ["0", "9" * 30, "9" * 5000])
def test_a_number_that_is_no_event_is_not_found(as_ada, number):
    assert as_ada.get(f"{PAGE}{number}/").status_code == 404


def test_an_event_shows_who_where_from_and_its_place_in_the_chain(as_bea, calendar_api):
    event = Event.objects.get(type="api.scopes_added")

    page = as_bea.get(f"{PAGE}{event.pk}/").content.decode()

    assert all(words in page for words in (event.hash, event.previous_hash, "192.0.2.1", "tests", "auth0|test"))
    assert ">Unchanged<" in page


def test_a_whole_history_is_said_to_be_whole(as_bea, calendar_api):
    event = Event.objects.of("main").newest_first().first()

    assert "fits together" in as_bea.get(f"{PAGE}{event.pk}/", {"check": "1"}).content.decode()


def test_a_history_that_was_tampered_with_is_found_out(as_bea, calendar_api, by):
    changed = Event.objects.get(type="api.scopes_added")
    Event.objects.filter(pk=changed.pk).update(actor_name="somebody else")
    newest = Event.objects.of("main").newest_first().first()

    assert ">Altered<" in as_bea.get(f"{PAGE}{changed.pk}/").content.decode()
    page = as_bea.get(f"{PAGE}{newest.pk}/", {"check": "1"}).content.decode()
    assert "does not fit together" in page
    assert f'href="{PAGE}{changed.pk}/"' in page


def test_hostile_words_are_shown_as_words(as_bea, tenant, by):
    create_application(tenant, by, name="\"'&{{7*7}}", app_type="spa")
    event = Event.objects.of("main").newest_first().first()

    for address in (PAGE, f"{PAGE}{event.pk}/"):
        page = as_bea.get(address).content.decode()
        assert "&quot;&#x27;&amp;{{7*7}}" in page
        assert "\"'&{{" not in page


@pytest.mark.parametrize("rows", [3, 30])
def test_the_number_of_queries_does_not_grow(as_bea, tenant, by, rows, django_assert_max_num_queries):
    for number in range(rows):
        create_api(tenant, by, name=f"API {number}", identifier=f"urn:{number}")
        create_application(tenant, by, name=f"App {number}", app_type="spa")
        create_member(tenant, by, f"m{number}@example.com", PASSWORD, "viewer")

    with django_assert_max_num_queries(12):
        as_bea.get(PAGE)
