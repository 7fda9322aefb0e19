"""The colours keep the contrasts they were chosen for, in both themes (WCAG 2.2 §1.4.3, §1.4.11)."""

import re
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[2] / "static"
DECLARATION = re.compile(r"--([\w-]+):\s*(?:light-dark\((#\w{6}),\s*(#\w{6})\)|(#\w{6}));")
TEXT, EDGE = 4.5, 3.0
SURFACES = ("canvas", "bg", "raised", "sunken", "hover", "pressed")
CODE_INKS = ("text", "dim", "string", "keyword", "number", "name", "comment")

PAIRS = [
    *[(ink, ground, TEXT) for ink in ("text", "text-2", "text-3", "accent") for ground in SURFACES],
    *[(tone, f"{tone}-soft", TEXT) for tone in ("accent", "ok", "warn", "bad")],
    *[(tone, ground, TEXT) for tone in ("ok", "warn", "bad") for ground in ("bg", "raised", "sunken")],
    *[(ink, f"{tone}-soft", TEXT) for ink in ("text", "text-2") for tone in ("accent", "ok", "warn", "bad")],
    *[("on-solid", f"{solid}-solid{state}", TEXT) for solid in ("accent", "bad") for state in ("", "-hover")],
    *[("control", ground, EDGE) for ground in ("bg", "raised", "sunken")],
    *[(f"code-{ink}", f"code-{ground}", TEXT) for ink in CODE_INKS for ground in ("bg", "bar")],
    *[(f"jwt-{part}", "raised", TEXT) for part in ("header", "claims", "signature")],
    ("on-solid", "code-line", TEXT),
]


def colours(theme: int) -> dict[str, str]:
    found = DECLARATION.findall((STATIC / "tokens.css").read_text())
    return {name: both or (light, dark)[theme] for name, light, dark, both in found}


def luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_measured_as_wcag_defines_it():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground", "least"), PAIRS)
def test_what_must_be_read_can_be_read(ink, ground, least, theme):
    palette = colours(theme)

    assert contrast(palette[ink], palette[ground]) >= least


def test_every_colour_that_is_used_is_named():
    used = {name for sheet in STATIC.glob("*.css") for name in re.findall(r"var\(--([\w-]+)\)", sheet.read_text())}
    named = {name for sheet in STATIC.glob("*.css") for name in re.findall(r"--([\w-]+)\s*:", sheet.read_text())}

    assert used - named == set()


def test_no_colour_stands_outside_the_tokens():
    stray = {
        (sheet.name, colour)
        for sheet in STATIC.glob("*.css")
        if sheet.name != "tokens.css"
        for colour in re.findall(r"#[0-9a-f]{3,8}\b(?=[;\s)])", sheet.read_text())
    }

    assert stray == set()
