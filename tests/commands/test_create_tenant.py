import json

import pytest

from accounts.models import Tenant


def test_a_second_tenant_answers_on_its_own_host_at_once(manage, tenant, client):
    said = manage("create_tenant", "--issuer", "https://auth.second.example/", "--friendly-name", "Second house")

    found = client.get("/.well-known/openid-configuration", headers={"host": "auth.second.example"})
    assert json.loads(found.content)["issuer"] == "https://auth.second.example/"
    assert Tenant.objects.get(name="auth-second-example").friendly_name == "Second house"
    assert "http://localhost:8000/invitation/" in said


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--issuer", "http://localhost:8000/"], "already exists"),
        (["--issuer", "https://new.example/", "--name", "main"], "already exists"),
        (["--issuer", "https://new.example"], "final slash"),
        (["--issuer", "https://new.example/", "--name", "Upper Case"], "lower-case"),
        (["--issuer", "https://new.example/", "--friendly-name", "<b>"], "< and >"),
        (["--issuer", "https://new.example/", "--name", "nul\x00"], "lower-case"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(refuses, tenant, arguments, word):
    assert word in refuses("create_tenant", *arguments)

    assert Tenant.objects.get() == tenant
