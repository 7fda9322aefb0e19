"""Write a value as a string literal of another language, so that no value can become code there.

Identifiers of APIs may hold nearly anything a person can type; the code we show is meant to be run.
"""

import json

# What a double-quoted literal spells with a backslash everywhere.
_NAMED = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
# Rust writes a code point in braces, the others as four hexadecimal digits.
_BRACED = frozenset({"rust"})
_DOUBLE = frozenset({"python", "javascript", "go", "java", "csharp", "rust"})
_SINGLE = frozenset({"php", "ruby"})

LANGUAGES = _DOUBLE | _SINGLE | {"bash", "json", "yaml"}


def quoted(language: str, value: str) -> str:
    """Return `value` as a literal of `language` that evaluates to exactly `value`, on one line, without interpolation.

    Raises ValueError for a language that is not known here.
    """
    if language == "bash":
        return "'" + value.replace("'", "'\\''") + "'"
    if language in {"json", "yaml"}:
        # A JSON string is a YAML double-quoted scalar too (YAML 1.2 §1.3).
        return json.dumps(value)
    if language in _SINGLE:
        # Only these two are special between single quotes; `#{}`, `${}` and `$x` are plain text there.
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    if language in _DOUBLE:
        return '"' + "".join(_letter(language, letter) for letter in value) + '"'
    raise ValueError(f"Nothing is known of strings in {language!r}.")


def _letter(language: str, letter: str) -> str:
    if letter in _NAMED:
        return _NAMED[letter]
    # Some of these end a line or turn its direction in an editor; escaped they stay what they are.
    if letter.isprintable() or ord(letter) > 0xFFFF:
        return letter
    return f"\\u{{{ord(letter):x}}}" if language in _BRACED else f"\\u{ord(letter):04x}"
