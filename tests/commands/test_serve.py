"""bin/serve as somebody uses it who has just cloned the repository: the real command, in a folder of its own."""

import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.commands.serving import ROOT, environment, port, serve, stop, until_ready
from tests.load import Load, request_of

__all__ = ["environment", "port", "serve"]
SETUP_LINK = re.compile(r"http://localhost:\d+/invitation/\S+")


def refusal(environment, *options, command=ROOT / "bin" / "serve", **changed):
    """Run bin/serve where it cannot start; returns its one line."""
    done = subprocess.run(
        [command, *map(str, options)],
        env={**environment, **changed},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1, done
    assert done.stdout == ""
    assert done.stderr.startswith("bin/serve: ") and done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_the_first_start_makes_everything_and_a_second_one_changes_nothing(serve, environment, port):
    data = Path(environment["GATEHOUSE_DATA"])

    first, output = serve("--port", port)
    said = until_ready(first, output)
    with urllib.request.urlopen(f"http://localhost:{port}/healthz", timeout=10) as answer:
        assert answer.status == 200
    with urllib.request.urlopen(SETUP_LINK.search(said)[0], timeout=10) as answer:
        assert answer.status == 200
    secrets = (data / "secrets.json").read_bytes()
    keys = jwks(port)
    assert stop(first) == 0
    assert "Traceback" not in output.read_text()

    second, output = serve("--port", port)
    until_ready(second, output)
    assert (data / "secrets.json").read_bytes() == secrets
    assert jwks(port) == keys
    assert "Preparing" not in output.read_text()
    assert stop(second) == 0


def jwks(port):
    with urllib.request.urlopen(f"http://localhost:{port}/.well-known/jwks.json", timeout=10) as answer:
        return answer.read()


def test_what_it_stores_is_for_its_own_user(serve, environment, port):
    process, output = serve("--port", port)
    until_ready(process, output)
    stop(process)

    data = Path(environment["GATEHOUSE_DATA"])
    open_to_others = [path.name for path in [data, *data.glob("*.*")] if stat.S_IMODE(path.stat().st_mode) & 0o077]
    assert open_to_others == []


def test_an_old_setup_link_stops_working_when_a_new_one_is_printed(serve, port):
    first, output = serve("--port", port)
    old = SETUP_LINK.search(until_ready(first, output))[0]
    stop(first)
    second, output = serve("--port", port)
    new = SETUP_LINK.search(until_ready(second, output))[0]

    assert new != old
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(old, timeout=10)
    refused.value.close()
    assert refused.value.code in {404, 410}
    stop(second)


def test_the_demo_can_be_asked_for_again_and_again(serve, port):
    for _ in range(2):
        process, output = serve("--port", port, "--demo")
        until_ready(process, output)
        assert stop(process) == 0


def test_a_public_issuer_is_what_discovery_says(serve, port):
    process, output = serve("--port", port, "--issuer", "https://auth.example.com")
    said = until_ready(process, output)
    asked = urllib.request.Request(
        f"http://localhost:{port}/.well-known/openid-configuration",
        headers={"Host": "auth.example.com", "X-Forwarded-Proto": "https"},
    )

    with urllib.request.urlopen(asked, timeout=10) as answer:
        assert b'"https://auth.example.com/"' in answer.read()
    assert "https://auth.example.com/invitation/" in said
    stop(process)


def test_a_public_issuer_is_not_forgotten_by_a_start_without_it(serve, port):
    process, output = serve("--port", port, "--issuer", "https://auth.example.com")
    until_ready(process, output)
    stop(process)

    process, output = serve("--port", port)

    assert process.wait(60) == 1
    assert "Start with --issuer https://auth.example.com/" in output.read_text()
    process, output = serve("--port", port, "--issuer", f"http://localhost:{port}/")
    assert "The issuer was https://auth.example.com/" in until_ready(process, output)
    assert stop(process) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("after", [0.1, 0.3, 0.6, 1.0, 2.0])
def test_a_signal_while_it_starts_stops_it_cleanly(serve, port, number, after):
    process, output = serve("--port", port)
    time.sleep(after)

    assert stop(process, number) == 0
    assert "Traceback" not in output.read_text()


def test_ctrl_c_twice_stops_it_cleanly(serve, port):
    process, output = serve("--port", port)
    until_ready(process, output)

    os.killpg(process.pid, signal.SIGINT)
    time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)

    assert process.wait(30) == 0
    assert "Traceback" not in output.read_text()


def test_sigterm_stops_it_while_a_connection_is_kept_alive(serve, port):
    process, output = serve("--port", port)
    until_ready(process, output)

    with socket.create_connection(("127.0.0.1", port), timeout=10) as kept:
        kept.sendall(f"GET /healthz HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n".encode())
        assert b" 200 " in kept.recv(65536)
        assert stop(process) == 0


def test_sigterm_under_load_fails_no_request_that_was_asked_before(serve, port):
    process, output = serve("--port", port)
    until_ready(process, output)
    nobody = request_of("nobody", "x", "https://nothing.example/")

    with Load(port, nobody, kept=True, pause=0) as load:
        time.sleep(1)
        told_at = time.monotonic()
        assert stop(process) == 0

    before = [seen for seen in load.seen if seen.asked < told_at]
    assert len(before) > 50 and 0 not in {seen.status for seen in before}
    assert "Traceback" not in output.read_text()


def test_a_killed_server_leaves_no_worker_on_the_port(serve, port):
    process, output = serve("--port", port)
    until_ready(process, output)

    process.kill()
    process.wait()
    time.sleep(3)

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        probe.listen()


@pytest.mark.parametrize(
    ("option", "says"),
    [
        (["--prot", "8000"], "unknown option --prot"),
        (["8000"], "unknown option 8000"),
        (["--port"], "--port: expected one argument"),
        (["--port", "http"], "--port must be a whole number from 1 to 65535, not 'http'"),
        (["--port", "0"], "--port must be"),
        (["--port", "65536"], "--port must be"),
        (["--port", "٣"], "--port must be"),
        (["--workers", "0"], "--workers or GATEHOUSE_WORKERS must be"),
        (["--host", "no.such.host.invalid"], "--host no.such.host.invalid cannot be found"),
        (["--issuer", "auth.example.com"], "address such as https://auth.example.com/"),
        (["--issuer", "https://auth.example.com/tenant"], "no path"),
        (["--issuer", "http://auth.example.com"], "Use https."),
    ],
)
def test_a_bad_option_is_refused_in_one_line(environment, port, option, says):
    options = option if "--port" in option or option == ["8000"] else ["--port", port, *option]

    assert says in refusal(environment, *options)


def test_a_taken_port_is_refused_with_the_way_out(environment, port):
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()

        said = refusal(environment, "--port", port)

    assert f"port {port} is taken" in said
    assert f"bin/serve --port {port + 1}" in said
    assert not Path(environment["GATEHOUSE_DATA"]).exists()


def test_a_database_that_does_not_answer_is_named_without_its_password(environment, port):
    url = f"postgres://gatehouse:hidden-password@127.0.0.1:{port}/gatehouse"

    said = refusal(environment, "--port", port, DATABASE_URL=url)

    assert "the database is not reachable" in said and "DATABASE_URL" in said
    assert "hidden-password" not in said


@pytest.mark.parametrize("url", ["postgres//x", "nonsense", "mysql://root@localhost/x", "postgres://h:port/x"])
def test_a_malformed_database_address_is_refused(environment, port, url):
    assert "DATABASE_URL" in refusal(environment, "--port", port, DATABASE_URL=url)


def test_a_data_directory_that_cannot_be_written_is_refused(environment, port, tmp_path):
    (tmp_path / "file").write_text("in the way")

    said = refusal(environment, "--port", port, GATEHOUSE_DATA=str(tmp_path / "file" / "var"))

    assert "data directory" in said and "GATEHOUSE_DATA" in said


def test_a_relative_data_directory_is_meant_from_where_the_command_is_typed(environment, port, tmp_path):
    (tmp_path / "here").write_text("in the way")
    done = subprocess.run(
        [ROOT / "bin" / "serve", "--port", str(port)],
        cwd=tmp_path,
        env={**environment, "GATEHOUSE_DATA": "here"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert f"the data directory {tmp_path / 'here'} is not writable" in done.stderr


def test_help_needs_nothing(environment):
    done = subprocess.run(
        [ROOT / "bin" / "serve", "--help"], env=environment, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 0
    assert all(option in done.stdout for option in ("--port", "--demo", "--issuer", "GATEHOUSE_DATA", "DATABASE_URL"))


@pytest.fixture
def fresh(environment, tmp_path):
    """A clone without a virtual environment, and a PATH with a shell's own tools but no Python."""
    clone = tmp_path / "clone"
    for folder in ("bin", "requirements"):
        shutil.copytree(ROOT / folder, clone / folder)
    (clone / "config").mkdir()
    for name in ("__init__.py", "options.py", "serve.py"):
        shutil.copy(ROOT / "config" / name, clone / "config" / name)
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in "sh env cat cksum tr sed grep dirname basename mkdir rm cp sleep head tail true".split():
        (tools / name).symlink_to(shutil.which(name))
    del environment["GATEHOUSE_VENV"]
    environment["PATH"] = str(tools)
    return clone / "bin" / "serve", tools


def program(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_a_machine_without_python_is_told_to_install_it(environment, fresh):
    command, _ = fresh

    assert "Python was not found. Install Python 3.11 or newer" in refusal(environment, command=command)


def test_an_old_python_is_named_with_its_version(environment, fresh):
    command, tools = fresh
    # What a Python before 3.11 answers to the two questions it is asked, and to -V.
    program(tools / "python3", 'case "$*" in -V) echo Python 3.9.2 ;; *">="*) exit 0 ;; *) exit 1 ;; esac')

    assert "python3 is too old (Python 3.9.2)" in refusal(environment, command=command)


def test_a_python_without_venv_is_told_which_package_has_it(environment, fresh):
    command, tools = fresh
    program(tools / "python3", f'case "$*" in *ensurepip*) exit 1 ;; esac\nexec {sys.executable} "$@"')

    assert "has no venv module" in refusal(environment, command=command)


def test_a_taken_port_is_refused_before_anything_is_installed(environment, fresh, port):
    command, tools = fresh
    (tools / "python3").symlink_to(os.path.realpath(sys.executable))
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()

        assert f"port {port} is taken" in refusal(environment, "--port", port, command=command)

    assert not (command.parents[1] / ".venv").exists()
