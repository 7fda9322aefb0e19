"""Code that protects an API, per framework: small projects under templates/quickstarts, filled in with an API's values.

What the page says was tested is what `tested` holds here, and the suite runs exactly that (tests/quickstarts).
"""

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from django.conf import settings

from apis.models import SigningAlgorithm
from apis.quoting import quoted

SOURCES = "templates/quickstarts"
EVERY = tuple(SigningAlgorithm.values)
HS256 = SigningAlgorithm.HS256.value
# What each tested project is sent, and so what its note may claim.
ASYMMETRIC_CASES = ("HS256 signed with the public key", "a rotated key")
CASES = (
    "no token",
    "garbage",
    "a valid token",
    "expired",
    "not valid yet",
    "another issuer",
    "another audience",
    "another key",
    "a changed token",
    "alg none",
    "a missing scope",
    *ASYMMETRIC_CASES,
)

_LANGUAGES = {
    ".sh": "bash",
    ".py": "python",
    ".js": "javascript",
    ".go": "go",
    ".java": "java",
    ".cs": "csharp",
    ".php": "php",
    ".rb": "ruby",
    ".rs": "rust",
    ".gradle": "groovy",
    ".toml": "toml",
}
_PLACE = re.compile(r"<<(issuer|audience|jwks|algorithm|algorithm_name|scope)>>")


@dataclass(frozen=True)
class QuickStart:
    """One framework: its files by step, and what is known about them.

    cannot: algorithms that its library does not check. tested: those the suite runs it with, in `versions`.
    """

    key: str
    name: str
    language: str
    mark: str
    install: tuple[str, ...]
    reject: tuple[str, ...]
    scope: tuple[str, ...]
    library: str
    cannot: frozenset[str] = frozenset()
    tested: tuple[str, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def tested_with(self) -> str:
        """Return the versions as words: “Flask 3.1 and PyJWT 2.15”."""
        return " and ".join(f"{name} {version}" for name, version in self.versions.items())


def cases(algorithm: str) -> list[str]:
    """Return what a project for this algorithm is sent; a signing secret has no public key and no id."""
    return [case for case in CASES if algorithm != HS256 or case not in ASYMMETRIC_CASES]


@dataclass(frozen=True)
class Values:
    """What is filled into the code."""

    issuer: str
    audience: str
    jwks: str
    algorithm: str
    scope: str


@dataclass(frozen=True)
class File:
    """One file of a project, filled in."""

    title: str
    language: str
    code: str


NO_EDDSA = frozenset({"EdDSA"})

QUICK_STARTS = [
    QuickStart(
        "fastapi", "FastAPI", "Python", "Py", ("install.sh",), ("auth.py",), ("main.py",), "PyJWT",
        tested=EVERY, versions={"FastAPI": "0.165", "PyJWT": "2.15"},
    ),
    QuickStart(
        "drf", "Django REST", "Python", "dj", ("install.sh",), ("authentication.py",), ("views.py", "urls.py"), "PyJWT",
        tested=EVERY, versions={"Django REST framework": "3.18", "PyJWT": "2.15"},
    ),
    QuickStart(
        "flask", "Flask", "Python", "Fl", ("install.sh",), ("auth.py",), ("main.py",), "PyJWT",
        tested=EVERY, versions={"Flask": "3.1", "PyJWT": "2.15"},
    ),
    QuickStart(
        "express", "Express", "Node.js", "JS", ("install.sh",), ("auth.js",), ("main.js",), "express-oauth2-jwt-bearer",
        tested=EVERY, versions={"Express": "5", "express-oauth2-jwt-bearer": "1"},
    ),
    QuickStart(
        "fastify", "Fastify", "Node.js", "JS", ("install.sh",), ("auth.js",), ("main.js",), "jose",
        tested=EVERY, versions={"Fastify": "5", "jose": "6"},
    ),
    QuickStart(
        "go", "net/http", "Go", "Go", ("install.sh",), ("auth.go",), ("main.go",), "go-oidc",
        tested=EVERY, versions={"go-oidc": "3", "golang-jwt": "5"},
    ),
    QuickStart(
        "spring", "Spring Boot", "Java", "Jv", ("build.gradle",), ("Tokens.java",), ("Security.java", "Reports.java"),
        "Spring Security", cannot=NO_EDDSA,
    ),
    QuickStart(
        "aspnet", "ASP.NET Core", ".NET", "C#", ("install.sh",), ("Tokens.cs",), ("Program.cs",), "JwtBearer",
        cannot=NO_EDDSA,
    ),
    QuickStart(
        "laravel", "Laravel", "PHP", "php", ("install.sh",), ("RequireToken.php",), ("api.php",), "firebase/php-jwt",
        cannot=frozenset({"PS256"}),
    ),
    QuickStart(
        "rails", "Rails", "Ruby", "Rb", ("install.sh",), ("requires_token.rb",), ("reports_controller.rb",), "jwt",
        cannot=NO_EDDSA,
    ),
    QuickStart(
        "axum", "axum", "Rust", "Rs", ("Cargo.toml",), ("auth.rs",), ("main.rs",), "jsonwebtoken",
    ),
]  # fmt: skip
BY_KEY = {quick_start.key: quick_start for quick_start in QUICK_STARTS}

# The way to read every token, in any language: what to check, and what happens to those who do not.
NINE_CHECKS = [
    (
        "Take the token from the `Authorization` header only",
        "In an address it ends up in logs, history and referrers (RFC 6750 §2.3). No header, or no `Bearer`: 401.",
    ),
    (
        "Fetch the keys from your tenant, and from nowhere else",
        "Never from an address in the token (`jku`, `x5u`): its sender chose it. Keep them ten minutes, not for ever.",
    ),
    (
        "Choose the key by `kid`",
        "When the id is not there, fetch once more, at most every half minute: keys are rotated without notice.",
    ),
    (
        "Accept this API's algorithm and no other",
        "A library that believes the header accepts `none`, or HS256 signed with your public key (RFC 8725 §3.1).",
    ),
    (
        "Check the signature before you read a claim",
        "Until then, the claims are what a stranger typed. Use a maintained library, never your own.",
    ),
    (
        "Compare `iss` byte for byte, with the final slash",
        "Another tenant's tokens are well signed too, by somebody else.",
    ),
    (
        "Look for your identifier in `aud`",
        "Otherwise a token for a harmless API of the same tenant opens this one. It may be a text or a list.",
    ),
    (
        "Check `exp`, and `nbf` when there is one",
        "With a few seconds of leeway for clocks, not minutes. A token without `exp` never ends: refuse it.",
    ),
    (
        "Look for the scope the route needs in `scope`",
        "Split at blanks and compare whole words: `read:a` is not `read:all`. Missing: 403, not 401 (RFC 6750 §3.1).",
    ),
]


def files(quick_start: QuickStart, names: tuple[str, ...], values: Values) -> list[File]:
    """Return the named files of a project, filled in."""
    return [_file(quick_start, name, values) for name in names]


def project(quick_start: QuickStart, values: Values) -> list[File]:
    """Return every file that the project consists of, without the commands."""
    names = quick_start.install + quick_start.reject + quick_start.scope
    return [file for file in files(quick_start, names, values) if file.language != "bash"]


def run_command(quick_start: QuickStart, values: Values) -> File:
    """Return how the project is started; it listens on port 8080 of this machine."""
    return _file(quick_start, "run.sh", values)


def _file(quick_start: QuickStart, name: str, values: Values) -> File:
    language = _LANGUAGES[Path(name).suffix]
    text = _source(quick_start.key, name, values.algorithm == HS256)
    title = "Terminal" if language == "bash" else name
    return File(title, language, _PLACE.sub(lambda found: _filled(language, found[1], values), text))


def _filled(language: str, name: str, values: Values) -> str:
    # The one place where a name of the language stands, not a text: one of six that we wrote ourselves.
    if name == "algorithm_name":
        return SigningAlgorithm(values.algorithm).value
    return quoted(language, getattr(values, name))


@cache
def _source(key: str, name: str, with_secret: bool) -> str:
    """Return a file as it lies in the repository; HS256 has its own where it differs."""
    folder = Path(settings.BASE_DIR) / SOURCES / key
    special = folder / "hs256" / f"{name}.txt"
    return (special if with_secret and special.exists() else folder / f"{name}.txt").read_text().rstrip("\n")
