"""Start the real bin/serve, in a folder of its own, and stop it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def port():
    return free_port()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def environment(tmp_path):
    return environment_for(tmp_path)


def environment_for(folder):
    """The environment of a person's shell, with this very virtual environment, so that nothing is installed again."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GATEHOUSE_", "DJANGO_", "COV_")) and name not in {"DATABASE_URL", "CACHE_URL"}
    }
    return {**kept, "GATEHOUSE_VENV": sys.prefix, "GATEHOUSE_DATA": str(folder / "var")}


@pytest.fixture
def serve(environment, tmp_path):
    """Start bin/serve with these options; returns the process and the file it writes to. Stopped after the test."""
    with servers(environment, tmp_path) as start:
        yield start


@contextmanager
def servers(environment, folder) -> Iterator:
    """Give what starts servers in this folder; all of them are stopped at the end."""
    running = []

    def start(*options, **changed):
        output = folder / f"output-{len(running)}"
        with output.open("wb") as file:
            process = subprocess.Popen(
                [ROOT / "bin" / "serve", *map(str, options)],
                env={**environment, **changed},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        running.append(process)
        return process, output

    try:
        yield start
    finally:
        for process in running:
            if process.poll() is None:
                process.kill()
                process.wait()


def workers_of(process):
    """Return the process ids of a server's workers."""
    return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def until_ready(process, output):
    deadline = time.monotonic() + 90
    while "Ready." not in output.read_text():
        assert process.poll() is None, output.read_text()
        assert time.monotonic() < deadline, output.read_text()
        time.sleep(0.05)
    return output.read_text()


def stop(process, number=signal.SIGTERM):
    process.send_signal(number)
    return process.wait(30)
