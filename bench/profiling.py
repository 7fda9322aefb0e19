"""Where the time of a token request goes, by Python's own profiler.

Run as `python -m bench.profiling BODIES TIMES`, in a data directory that is filled already. Prints JSON. The profiler
makes Python code look slower than it is beside the signature, which is one call; the shares are for comparing parts of
the path with each other, and `microseconds` is without it.
"""

import cProfile
import io
import json
import os
import pstats
import sys
import time
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# The first word found in a function's file or name says which part it belongs to.
PARTS = {
    "signature": ("method 'sign' of", "{built-in method _hashlib.hmac_digest}"),
    "queries": ("/django/db/", "sqlite3.", "psycopg"),
    "JSON, base64, hashes": ("/json/", "/base64.py", "binascii", "_hashlib", "hashlib"),
    "Django": ("/django/",),
    "client authentication": ("client_authentication.py", "applications/secrets.py"),
    "reading the request": ("parameters.py", "endpoints/calls.py", "urllib/parse.py"),
    "what is known of the client": ("memory.py", "versions.py", "lookup.py", "revoked.py"),
    "decision": ("decision.py", "client_credentials.py", "facts.py"),
    "claims and token": ("claims.py", "access_tokens.py", "signers.py"),
    "usage and quotas": ("usage.py", "quotas.py", "counters.py"),
    "the rest of Gatehouse": ("/tokens/", "/config/", "/accounts/", "/apis/", "/applications/"),
}


def profile(body: str, times: int) -> dict[str, Any]:
    """Return the shares of the parts in percent, the dearest functions, and the microseconds of one request."""
    from django.conf import settings

    from accounts.versions import versions
    from config.wsgi import application

    versions.watch()
    host = settings.GATEHOUSE_ISSUER.split("/")[2]

    def ask() -> str:
        seen: list[str] = []
        content = body.encode()
        request = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/oauth/token",
            "SCRIPT_NAME": "",
            "QUERY_STRING": "",
            "CONTENT_TYPE": "application/x-www-form-urlencoded",
            "CONTENT_LENGTH": str(len(content)),
            "HTTP_HOST": host,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": host.rpartition(":")[2],
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.input": io.BytesIO(content),
            "wsgi.url_scheme": "http",
            "wsgi.errors": sys.stderr,
            "wsgi.version": (1, 0),
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }
        b"".join(application(request, lambda status, headers: seen.append(status)))
        return seen[0]

    if ask() != "200 OK":
        raise SystemExit(f"The request is refused: {ask()}")
    for _ in range(50):
        ask()
    began = time.process_time()
    for _ in range(times):
        ask()
    took = time.process_time() - began
    profiler = cProfile.Profile()
    profiler.enable()
    for _ in range(times):
        ask()
    profiler.disable()
    return {"microseconds": took / times * 1e6, **_shares(pstats.Stats(profiler), times)}


def _shares(stats: Any, times: int) -> dict[str, Any]:
    parts: dict[str, float] = {}
    own = []
    for (file, line, name), (_, calls, total, _, _) in stats.stats.items():
        where = f"{file}:{name}"
        part = next((part for part, words in PARTS.items() if any(word in where for word in words)), "other")
        parts[part] = parts.get(part, 0) + total
        short = "/".join(file.split("/")[-2:])
        own.append((total, {"function": f"{short}:{line} {name}" if line else name, "calls": calls / times}))
    whole = sum(parts.values())
    own.sort(key=lambda found: -found[0])
    return {
        "parts": {
            part: round(seconds / whole * 100, 1) for part, seconds in sorted(parts.items(), key=lambda p: -p[1])
        },
        "functions": [{**what, "percent": round(total / whole * 100, 1)} for total, what in own[:15]],
    }


if __name__ == "__main__":
    import django

    django.setup()
    with open(sys.argv[1]) as bodies:
        print(json.dumps(profile(bodies.readline().strip(), int(sys.argv[2]))))
