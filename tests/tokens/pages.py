"""Read a page and press its buttons, as a browser without scripts does."""

import re
from html import unescape
from html.parser import HTMLParser
from typing import Any

from django.http import HttpResponse
from django.test import Client


class _Forms(HTMLParser):
    """Collects each form's hidden values and the words on its button."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, Any]] = []
        self.in_button = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "form":
            self.forms.append({"action": found.get("action") or "", "values": [], "button": ""})
        elif tag == "input" and found.get("type") == "hidden" and self.forms and found.get("name"):
            self.forms[-1]["values"].append((found["name"], found.get("value") or ""))
        elif tag == "button":
            self.in_button = True

    def handle_endtag(self, tag: str) -> None:
        self.in_button = self.in_button and tag != "button"

    def handle_data(self, data: str) -> None:
        if self.in_button and self.forms:
            self.forms[-1]["button"] += data


def text_of(response: HttpResponse) -> str:
    """Return what a reader of the page sees, with single blanks."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def press(client: Client, response: HttpResponse, button: str) -> HttpResponse:
    """Return the answer to the form whose button says `button`."""
    page = _Forms()
    page.feed(response.content.decode())
    labels = [form["button"].strip() for form in page.forms]
    assert button in labels, labels
    form = page.forms[labels.index(button)]
    values: dict[str, list[str]] = {}
    for name, value in form["values"]:
        values.setdefault(name, []).append(value)
    return client.post(form["action"], values)


def link(response: HttpResponse, words: str) -> str:
    """Return the address of the link that says `words`."""
    for address, label in re.findall(r'<a\b[^>]*href="([^"]*)"[^>]*>(.*?)</a>', response.content.decode(), re.S):
        if unescape(re.sub(r"<[^>]+>", "", label)).strip() == words:
            return unescape(address)
    raise AssertionError(f"No link says {words!r}.")
