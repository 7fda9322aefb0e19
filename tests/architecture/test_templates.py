"""Templates and static files keep to the Content-Security-Policy: nothing inline, nothing from elsewhere."""

import hashlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SCRIPTS = sorted((ROOT / "static").glob("*.js"))
SHEETS = sorted((ROOT / "static").glob("*.css"))

FORBIDDEN = {
    "a script written in the page": r"<script(?![^>]*\bsrc=)",
    "a style written in the page": r"<style\b",
    "a style attribute": r"\sstyle\s*=",
    "a handler attribute": r"<[^>]*\son[a-z]+\s*=",
    "an htmx handler or expression": r"hx-on|[\"']js:",
    "an address with a script in it": r"javascript:",
    "something loaded from elsewhere": (
        r"<(?:script|link|img|iframe|source|use)\b[^>]*(?:src|href)\s*=\s*[\"'](?:https?:)?//"
    ),
    "something embedded as data": r"(?:src|href)\s*=\s*[\"']data:",
    "a base address or a refresh": r"<base\b|http-equiv",
}
EXAMPLES = {
    "a script written in the page": "<script>alert(1)</script>",
    "a style written in the page": "<style>p {}</style>",
    "a style attribute": '<p style="color: red">',
    "a handler attribute": '<button type="button" onclick="go()">',
    "an htmx handler or expression": "<p hx-on:click>",
    "an address with a script in it": '<a href="javascript:go()">',
    "something loaded from elsewhere": '<script src="https://cdn.example/x.js"></script>',
    "something embedded as data": '<img src="data:image/png;base64,AA">',
    "a base address or a refresh": '<meta http-equiv="refresh" content="1">',
}


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("what", FORBIDDEN)
def test_the_search_finds_what_it_looks_for(what):
    assert re.search(FORBIDDEN[what], EXAMPLES[what], re.I)


@pytest.mark.parametrize("template", TEMPLATES, ids=named)
def test_a_template_holds_nothing_the_policy_would_refuse(template):
    text = template.read_text()

    assert [what for what, pattern in FORBIDDEN.items() if re.search(pattern, text, re.I)] == []


@pytest.mark.parametrize("template", TEMPLATES, ids=named)
def test_a_form_that_posts_carries_its_csrf_token(template):
    forms = re.findall(r"<form\b[^>]*method=\"post\".*?</form>", template.read_text(), re.S | re.I)

    assert [form[:120] for form in forms if "{% csrf_token %}" not in form] == []


@pytest.mark.parametrize("template", TEMPLATES, ids=named)
def test_a_field_is_drawn_by_the_components_only(template):
    text = template.read_text()
    inside = template.parent.name == "components"

    assert inside or not re.search(r"\.as_(p|table|ul|div)\b|\.label_tag|\.as_widget", text)


@pytest.mark.parametrize("file", SCRIPTS + SHEETS, ids=named)
def test_a_static_file_asks_for_nothing_outside(file):
    text = file.read_text()

    assert not re.search(r"(?:https?:)?//[\w-]+\.[\w.-]+/|@import|\beval\(|new Function|url\([\"']?data:", text)


@pytest.mark.parametrize("script", SCRIPTS, ids=named)
def test_a_script_is_one_small_behaviour(script):
    lines = script.read_text().splitlines()

    assert len(lines) <= 50
    assert lines[0].startswith("// ")


@pytest.mark.parametrize("sums", [ROOT / "static/vendor/SHA256SUMS", ROOT / "tests/vendor/SHA256SUMS"], ids=named)
def test_a_vendored_file_is_the_one_that_was_recorded(sums):
    for line in sums.read_text().splitlines():
        digest, name = line.split()
        content = (sums.parent / name).read_bytes()

        assert hashlib.sha256(content).hexdigest() == digest
        assert b"sourceMappingURL=" not in content


def test_every_icon_that_is_asked_for_is_in_the_sprite():
    sprite = set(re.findall(r'<symbol id="([\w-]+)"', (ROOT / "static/icons.svg").read_text()))
    # Also the names given to a component that draws them, {% include … with icon_name="server" %}.
    asked = {
        name
        for template in TEMPLATES
        for name in re.findall(r"(?:{% icon |icon_name(?:=|\|default:))\"([\w-]+)\"", template.read_text())
    }

    assert asked - sprite == set()


def test_every_included_component_exists():
    asked = {
        name for template in TEMPLATES for name in re.findall(r'(?:include|extends) "([\w/.-]+)"', template.read_text())
    }

    # The operators' admin builds on Django's own pages.
    assert {name for name in asked if not (ROOT / "templates" / name).exists()} == {"admin/base.html"}
