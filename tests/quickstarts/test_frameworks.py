"""Every quick start that the console calls tested, run against a live tenant with each algorithm it claims."""

import shutil
import subprocess
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from apis.quick_starts import BY_KEY, QUICK_STARTS, cases, project
from tests.quickstarts.conftest import OTHER_SCOPE, Live
from tests.quickstarts.servers import DRIVERS, Server, node, start_go, start_node, start_python

NODE, GO = {"express", "fastify"}, {"go"}
MARKS = {**{key: [pytest.mark.node] for key in NODE}, **{key: [pytest.mark.go] for key in GO}}
DISTRIBUTIONS = {"Django REST framework": "djangorestframework"}

CLAIMS = [
    pytest.param(one.key, algorithm, id=f"{one.key}-{algorithm}", marks=MARKS.get(one.key, []))
    for one in QUICK_STARTS
    for algorithm in one.tested
]


@pytest.fixture(scope="session")
def npm_packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install what the pages tell their readers to install."""
    if not node() or not shutil.which("npm"):
        pytest.skip("Node.js is not here.")
    folder = tmp_path_factory.mktemp("npm")
    wanted = [f"{name.lower()}@{major}" for key in NODE for name, major in BY_KEY[key].versions.items()]
    install = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", *wanted]
    if subprocess.run(install, cwd=folder, capture_output=True, timeout=300).returncode:
        pytest.skip("The packages cannot be downloaded here.")
    return folder


@pytest.fixture(scope="session")
def go_module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not shutil.which("go"):
        pytest.skip("Go is not here.")
    folder = tmp_path_factory.mktemp("go")
    modules = ["github.com/coreos/go-oidc/v3/oidc", "github.com/golang-jwt/jwt/v5"]
    subprocess.run(["go", "mod", "init", "example"], cwd=folder, check=True, capture_output=True)
    if subprocess.run(["go", "get", *modules], cwd=folder, capture_output=True, timeout=300).returncode:
        pytest.skip("The modules cannot be downloaded here.")
    return folder


@pytest.fixture
def server(request: pytest.FixtureRequest, key: str, live: Live, tmp_path: Path) -> Iterator[Server]:
    """Write the project as the page shows it, and start it."""
    for file in project(BY_KEY[key], live.values):
        (tmp_path / file.title).write_text(file.code)
    if key in NODE:
        server = start_node(tmp_path, request.getfixturevalue("npm_packages"), live.secret)
    elif key in GO:
        server = start_go(tmp_path, request.getfixturevalue("go_module"), live.secret)
    else:
        server = start_python(key, tmp_path, live.secret)
    yield server
    server.stop()


@pytest.mark.parametrize(("key", "algorithm"), CLAIMS)
def test_a_tested_quick_start_accepts_and_refuses_what_it_must(
    key: str, algorithm: str, live: Live, server: Server
) -> None:
    good, other = live.token(), live.token(OTHER_SCOPE)
    answers = {
        "a valid token": (server.get("/hello", good), server.get("/reports", good)),
        "a missing scope": (server.get("/hello", other), server.get("/reports", other)),
    }
    for case, token in live.refused().items():
        answers[case] = (server.get("/hello", token), server.get("/reports", token))
    if not live.secret:
        live.rotate()
        rotated = live.token()
        answers["a rotated key"] = (server.get("/hello", rotated), server.get("/hello", good))

    expected = dict.fromkeys(cases(algorithm), (401, 401))
    expected |= {"a valid token": (200, 200), "a missing scope": (200, 403)}
    expected |= {} if live.secret else {"a rotated key": (200, 200)}
    assert answers == expected


def test_what_is_called_tested_has_a_way_to_be_run() -> None:
    claimed = {one.key for one in QUICK_STARTS if one.tested}

    assert claimed <= {*DRIVERS, *NODE, *GO}
    assert all(not set(one.tested) & one.cannot for one in QUICK_STARTS)
    assert all(one.versions for one in QUICK_STARTS if one.tested)


@pytest.mark.parametrize("key", sorted(DRIVERS))
def test_the_versions_named_are_the_ones_that_ran(key: str) -> None:
    for name, claimed in BY_KEY[key].versions.items():
        assert version(DISTRIBUTIONS.get(name, name)).startswith(f"{claimed}.")
