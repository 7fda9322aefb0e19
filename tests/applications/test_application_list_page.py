import pytest

from applications.operations import authorize_application, create_application, update_application

PAGE = "/t/main/applications/"


def test_an_empty_tenant_is_offered_its_first_application(as_eve):
    page = as_eve.get(PAGE).content.decode()

    assert "Create your first application" in page
    assert "/t/main/applications/new/" in page


def test_somebody_who_may_only_look_is_not_offered_to_create(as_bea, billing_app):
    assert "/applications/new/" not in as_bea.get(PAGE).content.decode()


def test_each_application_shows_type_client_id_and_how_many_apis_it_may_call(as_bea, billing_grant, billing_app):
    page = as_bea.get(PAGE)

    [row] = page.context["page"].object_list
    assert (row.name, row.authorized_count) == ("Billing", 1)
    assert billing_app.client_id in page.content.decode()
    assert "Machine to Machine" in page.content.decode()


def test_no_page_of_the_list_holds_a_secret(as_ada, billing_app):
    page = as_ada.get(PAGE).content.decode()

    assert billing_app.secret not in page
    assert billing_app.secret[-4:] not in page


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"q": "book"}, ["Booking site", "Booking widget"]),
        ({"type": "spa"}, ["Booking widget"]),
        ({"q": "book", "type": "regular_web"}, ["Booking site"]),
        ({"q": "nobody"}, []),
        ({"type": "nonsense"}, ["Billing", "Booking site", "Booking widget"]),
        ({"sort": "-name"}, ["Booking widget", "Booking site", "Billing"]),
        ({"sort": "drop table"}, ["Billing", "Booking site", "Booking widget"]),
        ({"q": "\x00"}, ["Billing", "Booking site", "Booking widget"]),
        ({"page": "99999"}, ["Billing", "Booking site", "Booking widget"]),
    ],
)
def test_filters(as_bea, billing_app, web_app, spa_app, query, names):
    found = as_bea.get(PAGE, query).context["page"].object_list

    assert [application.name for application in found] == names


def test_a_client_id_finds_its_application(as_bea, billing_app, web_app):
    found = as_bea.get(PAGE, {"q": billing_app.client_id}).context["page"].object_list

    assert [application.name for application in found] == ["Billing"]


def test_only_the_tenants_own_applications_are_listed(as_cal, billing_app, other_tenant, by):
    create_application(other_tenant, by, name="Elsewhere", app_type="native")

    page = as_cal.get("/t/other/applications/").content.decode()

    assert "Elsewhere" in page
    assert "Billing" not in page


def test_a_strangers_tenant_is_not_there(as_cal, billing_app):
    assert as_cal.get(PAGE).status_code == 404


def test_what_is_switched_off_says_so(as_bea, billing_app, by):
    update_application(billing_app.row, by, enabled=False)

    assert ">Off<" in as_bea.get(PAGE).content.decode()


def test_hostile_words_are_shown_as_words(as_bea, tenant, by):
    create_application(tenant, by, name="\"'&{{7*7}}", app_type="spa")

    page = as_bea.get(PAGE, {"q": "\"'&{{7*7}}"}).content.decode()

    assert "&quot;&#x27;&amp;{{7*7}}" in page
    assert "\"'&{{" not in page


@pytest.mark.parametrize("rows", [3, 30])
def test_the_number_of_queries_does_not_grow_with_the_rows(
    as_bea, tenant, calendar_api, by, rows, django_assert_max_num_queries
):
    for number in range(rows):
        made, _ = create_application(tenant, by, name=f"App {number}", app_type="non_interactive")
        authorize_application(made, calendar_api, by)

    with django_assert_max_num_queries(12):
        as_bea.get(PAGE)


def test_fifty_stand_on_a_page(as_bea, tenant, by):
    for number in range(51):
        create_application(tenant, by, name=f"App {number:02}", app_type="spa")

    assert [len(as_bea.get(PAGE, {"page": page}).context["page"].object_list) for page in (1, 2)] == [50, 1]
