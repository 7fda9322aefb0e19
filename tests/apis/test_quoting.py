import ast
import json
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apis.quoting import LANGUAGES, quoted

HOSTILE = [
    "",
    "https://calendar.example/",
    """it's "quoted" and \\ back\\slashed \\""",
    "$HOME ${x} $(id) `id` #{1+1} {{ 7*7 }} %{x} %s {0} !!",
    "\\u0022 + secret + \\u0022 \\x22 \\n",
    "'; rm -rf / #",
    "ünïcødé 🎈 \u2028 \u202e \ufeff",
    "tab\there\nnew line\r",
    "?> <?php <script>",
]

# Anything that a text can hold, but NUL, which no argument of a program can, and lone surrogates, which are no text.
texts = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"))


@given(texts)
def test_python_reads_back_what_was_quoted(value: str) -> None:
    assert ast.literal_eval(quoted("python", value)) == value


@given(texts)
def test_json_reads_back_what_was_quoted(value: str) -> None:
    assert json.loads(quoted("json", value)) == value
    assert quoted("yaml", value) == quoted("json", value)


@pytest.mark.parametrize("value", HOSTILE)
def test_bash_reads_back_what_was_quoted(value: str) -> None:
    told = subprocess.run(["bash", "-c", f"printf %s {quoted('bash', value)}"], capture_output=True, check=True)

    assert told.stdout.decode() == value


@pytest.mark.node
def test_javascript_reads_back_what_was_quoted() -> None:
    if not shutil.which("node"):
        pytest.skip("Node.js is not here.")
    listed = ", ".join(quoted("javascript", value) for value in HOSTILE)
    told = subprocess.run(["node", "-e", f"console.log(JSON.stringify([{listed}]))"], capture_output=True, check=True)

    assert json.loads(told.stdout) == HOSTILE


@pytest.mark.parametrize("language", sorted(LANGUAGES - {"bash"}))
@given(texts)
def test_a_literal_ends_where_it_should_and_stays_on_its_line(language: str, value: str) -> None:
    literal = quoted(language, value)
    quote, inside = literal[0], literal[1:-1]

    assert literal[-1] == quote and quote in {'"', "'"}
    # Take the escaped characters away: then no quote and no backslash is left that could end or change the text.
    rest = inside.replace("\\\\", "").replace("\\" + quote, "")
    assert quote not in rest
    if quote == '"':
        assert "\n" not in inside and "\r" not in inside and "\u2028" not in inside


def test_ruby_and_php_do_not_interpolate() -> None:
    assert quoted("ruby", "#{x} 'y' \\") == r"'#{x} \'y\' \\'"
    assert quoted("php", "$x {$y} 'z'") == r"'$x {$y} \'z\''"


def test_a_language_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="cobol"):
        quoted("cobol", "x")
