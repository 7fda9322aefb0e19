"""The checks that every page passes do find what they look for."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Watch

pytestmark = pytest.mark.browser

SOUND = '<!doctype html><html lang="en"><title>Sound</title><main><h1>Sound</h1>{}</main></html>'
CSP = {"Content-Security-Policy": "default-src 'self'; img-src *; style-src 'unsafe-inline'"}


def show(page: Page, html: str, status: int = 200) -> None:
    """Show a page with `html` in it, without a server."""
    body = SOUND.format(html)
    page.route(
        "http://localhost:1234/",
        lambda route: route.fulfill(body=body, status=status, content_type="text/html", headers=CSP),
    )
    page.route("**/favicon.ico", lambda route: route.fulfill(status=204))
    page.goto("http://localhost:1234/")


def test_a_sound_page_passes(page: Page, axe: Callable[..., list[str]]) -> None:
    show(page, "<p>Nothing is wrong here.</p>")
    assert axe() == []


@pytest.mark.parametrize(
    ("html", "complaint"),
    [
        ("<script>1</script>", "Content Security Policy"),
        (
            '<img alt="" src="https://elsewhere.example/x.png">',
            "a request left the machine: https://elsewhere.example/",
        ),
        ('<p onclick="1">Inline</p>', "Content Security Policy"),
    ],
    ids=["inline script", "foreign image", "inline handler"],
)
def test_a_fault_is_complained_about(page: Page, watch: Watch, html: str, complaint: str) -> None:
    show(page, html)
    page.wait_for_load_state("networkidle")
    page.locator("main").click()
    assert any(complaint in one for one in watch.complaints), watch.complaints
    watch.complaints.clear()


def test_an_unexpected_status_is_complained_about(page: Page, watch: Watch) -> None:
    show(page, "", status=500)
    assert watch.complaints == ["500 for GET http://localhost:1234/"]
    watch.complaints.clear()


@pytest.mark.parametrize(
    ("html", "rule"),
    [
        ('<p style="color: #ccc; background: #fff">Faint</p>', "color-contrast"),
        ('<img src="/favicon.ico">', "image-alt"),
        ("<h3>Two levels down</h3>", "heading-order"),
        ("<button></button>", "button-name"),
    ],
)
def test_axe_finds(page: Page, axe: Callable[..., list[str]], html: str, rule: str) -> None:
    show(page, html)
    assert [line.partition(":")[0] for line in axe()] == [rule]
