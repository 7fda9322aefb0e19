import pytest

from accounts.models import Role
from accounts.operations import create_member
from tests.conftest import PASSWORD, browser_of


@pytest.fixture
def opal(tenant, by):
    """The operator of the whole server, who is an admin of the first tenant too."""
    return create_member(tenant, by, "opal@example.com", PASSWORD, Role.ADMIN, operator=True)


@pytest.fixture
def as_opal(opal):
    return browser_of(opal)
