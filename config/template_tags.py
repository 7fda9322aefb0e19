"""The console's template tags and filters. Formatting only: no queries, and nothing about who may do what."""

import json
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from django import template
from django.templatetags.static import do_static, static
from django.utils import timezone
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from pygments import highlight as pygments_highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

register = template.Library()
# Pages need the address of a static file often enough to have it without a {% load %}.
register.tag("static", do_static)

UNITS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))
SPARKLINE_WIDTH, SPARKLINE_HEIGHT = 84, 24


# Pictures and buttons


@register.simple_tag
def icon(name: str, label: str = "", **attributes: str) -> SafeString:
    """Return the icon `name` of the sprite: silent beside words, spoken when it has a `label`."""
    spoken = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    classes = f"icon {attributes.get('class', '')}".strip()
    return format_html(
        '<svg class="{}" width="16" height="16" {}><use href="{}#{}"/></svg>',
        classes,
        spoken,
        static("icons.svg"),
        name,
    )


@register.simple_tag
def copy(value: str, label: str = "Copy") -> SafeString:
    """Return a button that copies `value`; `label` is what it is called, “Copy identifier”."""
    return format_html(
        '<button class="button ghost icon-only copy" type="button" data-copy="{}" aria-label="{}" title="{}">'
        "{}{}</button>",
        value,
        label,
        label,
        icon("copy", **{"class": "before"}),
        icon("check", **{"class": "after"}),
    )


@register.simple_tag
def copyable(value: str, label: str = "Copy") -> SafeString:
    """Return `value` on one line with its copy button. Without scripts one click selects all of it."""
    return format_html('<span class="copyable"><code>{}</code>{}</span>', value, copy(value, label))


@register.simple_tag
def sparkline(values: Sequence[float], label: str) -> SafeString:
    """Return a small line chart of `values`, oldest first; `label` says in words what it shows."""
    numbers = [float(value) for value in values] or [0.0, 0.0]
    highest = max(numbers) or 1.0
    step = SPARKLINE_WIDTH / max(len(numbers) - 1, 1)
    usable = SPARKLINE_HEIGHT - 3
    points = [
        f"{index * step:.1f},{SPARKLINE_HEIGHT - 1 - number / highest * usable:.1f}"
        for index, number in enumerate(numbers)
    ]
    line = " ".join(points)
    return format_html(
        '<svg class="sparkline" viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img" aria-label="{2}">'
        '<polygon points="0,{1} {3} {0},{1}"/><polyline points="{3}"/></svg>',
        SPARKLINE_WIDTH,
        SPARKLINE_HEIGHT,
        label,
        line,
    )


# Times


def _in_words(seconds: int, most: int = 2) -> str:
    parts = []
    for name, size in UNITS:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count:,} {name}{'' if count == 1 else 's'}")
        elif parts:
            break
    return " ".join(parts[:most]) or "0 seconds"


@register.filter
def duration(seconds: int | str | None) -> str:
    """Return whole `seconds` in words: “2 hours”, “1 minute 30 seconds”; two units at most."""
    try:
        return _in_words(int(seconds or 0))
    except ValueError:
        return ""


def _time(at: datetime, text: str) -> SafeString:
    exact = f"{at.day} {at:%b %Y, %H:%M:%S} UTC"
    return format_html('<time datetime="{}" title="{}">{}</time>', f"{at:%Y-%m-%dT%H:%M:%SZ}", exact, text)


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC) if timezone.is_aware(at) else at.replace(tzinfo=UTC)


@register.filter
def ago(at: datetime | None) -> SafeString | str:
    """Return how long ago (or in how long) `at` is, the exact moment on hover; “never” for no moment."""
    if not at:
        return "never"
    at = _utc(at)
    seconds = int((timezone.now() - at).total_seconds())
    if abs(seconds) < 10:
        return _time(at, "just now")
    words = _in_words(abs(seconds), most=1)
    return _time(at, f"{words} ago" if seconds > 0 else f"in {words}")


@register.filter
def moment(at: datetime | None) -> SafeString | str:
    """Return `at` as “21 Nov 2026, 16:06 UTC”; “never” for no moment."""
    if not at:
        return "never"
    at = _utc(at)
    return _time(at, f"{at.day} {at:%b %Y, %H:%M} UTC")


# Text


@lru_cache(maxsize=64)
def _lexer(language: str) -> Lexer:
    # PHP is only coloured after an opening tag unless the lexer is told otherwise.
    options = {"startinline": True} if language == "php" else {}
    try:
        return get_lexer_by_name(language, stripnl=False, **options)
    except ClassNotFound:
        return get_lexer_by_name("text", stripnl=False)


# Two thirds of Pygments' elements have a class that gets no colour: white space, punctuation, plain names.
_UNCOLOURED = re.compile(r'<span class="(?:p|w|n|o|no|fm|ne|err)">([^<]*)</span>')


@register.simple_tag
def highlight(code: str, language: str = "text", label: str = "Code") -> SafeString:
    """Return `code` coloured with classes, in a block that the keyboard can scroll."""
    coloured = pygments_highlight(str(code), _lexer(language), HtmlFormatter(nowrap=True))
    coloured = _UNCOLOURED.sub(r"\1", coloured)
    return format_html(
        '<pre class="code" tabindex="0" role="group" aria-label="{}"><code>{}</code></pre>',
        label,
        mark_safe(coloured.rstrip("\n")),
    )


@register.filter
def code_spans(text: str) -> SafeString:
    """Return `text` escaped, with the words between backticks as code."""
    escaped = conditional_escape(text)
    return mark_safe(re.sub(r"`([^`]+)`", r"<code>\1</code>", escaped))


@register.filter
def as_json(value: Any) -> str:
    """Return `value` as indented JSON text, to be given to `highlight`."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


@register.filter
def words(text: str) -> list[str]:
    """Return the words of `text`, a list for {% for %}."""
    return str(text).split()


@register.filter
def first_line(text: object) -> str:
    """Return the first line of a choice's label: its name."""
    return str(text).split("\n")[0]


@register.filter
def second_line(text: object) -> str:
    """Return the second line of a choice's label, its description, or nothing."""
    return (str(text).split("\n") + [""])[1]


@register.filter
def third_line(text: object) -> str:
    """Return the third line of a choice's label, its badge, or nothing."""
    return (str(text).split("\n") + ["", ""])[2]


@register.filter
def initials(name: str) -> str:
    """Return the one or two capitals that stand for a person: “RM” for Rita Morel."""
    parts = re.split(r"[\s.@_-]+", str(name).strip())
    return "".join(part[0] for part in parts[:2] if part).upper() or "?"


@register.filter
def thousands(number: int | str | None) -> str:
    """Return a whole number with its thousands apart: “24,317”."""
    try:
        return f"{int(number or 0):,}"
    except ValueError:
        return str(number)


@register.filter
def jwt_parts(token: str) -> Iterable[tuple[str, str]]:
    """Return a token's parts with the name of each: header, claims, signature."""
    return list(zip(("header", "claims", "signature"), str(token).split("."), strict=False))
