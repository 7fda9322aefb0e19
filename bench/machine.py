"""What the numbers were measured on."""

import datetime
import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("Django", "cryptography", "jwcrypto", "gunicorn", "granian", "django-oauth-toolkit", "psycopg")


def cores() -> list[int]:
    """Return the cores this process may use."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))


def facts() -> dict[str, Any]:
    """Return processor, cores, memory, load, versions, date and commit."""
    return {
        "cpu": _cpu(),
        "cores": len(cores()),
        "memory": _memory(),
        "load": " ".join(f"{load:.2f}" for load in os.getloadavg()),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "packages": {name: found for name in PACKAGES if (found := _package(name))},
        "openssl": _openssl(),
        "node": _said("node", "--version"),
        "load generator": _said("wrk", "-v").split(" [")[0] or "Python (slower than what it measures)",
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _commit(),
    }


def _cpu() -> str:
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.M)
    except OSError:
        found = None
    return found[1] if found else platform.processor() or platform.machine()


def _memory() -> str:
    try:
        return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.1f} GiB"
    except (ValueError, OSError):
        return "unknown"


def _package(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _openssl() -> str:
    from cryptography.hazmat.backends.openssl import backend

    return backend.openssl_version_text()


def _said(*command: str) -> str:
    """Return the first line a command prints, "" when it is not there."""
    if not shutil.which(command[0]):
        return ""
    found = subprocess.run(command, capture_output=True, text=True, timeout=10)
    return (found.stdout or found.stderr).strip().partition("\n")[0]


def _commit() -> str:
    def git(*arguments: str) -> str:
        found = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, timeout=10)
        return found.stdout.strip()

    if not shutil.which("git"):
        return "unknown"
    changed = git("status", "--porcelain", "--untracked-files=no")
    return (git("rev-parse", "--short", "HEAD") or "unknown") + (" with changes" if changed else "")
