"""granian, started from Python with the values that Gatehouse is measured with; docs/decisions/0007 says why.

Its own way to start listens on one address and forgets a signal that comes early, so a few of its parts are put
together anew here. They are private to it: the version is pinned, and tests/commands/test_serve.py holds the promises.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from typing import Any

import granian._granian
from granian._futures import _new_cbscheduler
from granian.constants import HTTPModes, Interfaces, RuntimeModes
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer, WorkerProcess
from granian.wsgi import _callback_wrapper

# Its description of itself is not that of this version.
native: Any = granian._granian

THREADS = 4
BACKLOG = 2048
# A kept connection counts as well, busy or not.
CONNECTIONS = 4096
# Longer than the 60 s after which proxies drop an idle connection, so that they never reuse a closed one.
KEEP_ALIVE = 75
GRACE = 30
_STOPPING = {signal.SIGTERM, signal.SIGINT}
# Nothing of its own: what it says goes the way of all of Gatehouse's lines (config.logs).
_LOGS: dict[str, Any] = {"formatters": {}, "handlers": {}, "loggers": {"_granian": {"propagate": True}}}


class WebServer(MPServer):
    """Serves Gatehouse on sockets that already listen, until SIGTERM or Ctrl-C; both finish what runs."""

    def __init__(self, sockets: Sequence[int], workers: int, ready: Callable[[], None]) -> None:
        super().__init__(
            "config.wsgi:application",
            interface=Interfaces.WSGI,
            workers=workers,
            blocking_threads=THREADS,
            # A thread keeps its connection to the database, so it had better stay.
            blocking_threads_idle_timeout=600,
            runtime_mode=RuntimeModes.mt,
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(header_read_timeout=KEEP_ALIVE * 1000, max_buffer_size=65536),
            websockets=False,
            backlog=BACKLOG,
            backpressure=CONNECTIONS,
            log_level=LogLevels.warning,
            log_dictconfig=_LOGS,
            respawn_failed_workers=True,
            workers_kill_timeout=GRACE,
        )
        self._sockets = [native.SocketHolder(number, False, BACKLOG) for number in sockets]
        self._ready = ready

    def run(self) -> None:
        """Serve until told to stop."""
        # Loaded once and shared by the workers; they start at once and a broken application stops the start.
        import config.wsgi  # noqa: F401

        multiprocessing.set_start_method("fork", force=True)
        # A worker forked a moment before SIGTERM would take it with its parent's handler and lose it, and be waited
        # for until GRACE. So a fork happens with these signals held back until the worker can answer them.
        os.register_at_fork(before=_block_signals, after_in_parent=_unblock_signals)
        self.serve(spawn_target=_work)

    def shutdown(self, exit_code: int = 0) -> None:
        """Stop the workers. One that heard of it by itself, as in a group that is told, did not fail."""
        # A further Ctrl-C changes nothing, and must not kill the process in its very last moments.
        for stop in _STOPPING:
            signal.signal(stop, signal.SIG_IGN)
        try:
            super().shutdown(exit_code)
        except SystemExit:
            if not self.interrupt_signal:
                raise

    def _init_shared_socket(self) -> None:
        self._sso = None

    def _spawn_worker(self, idx: int, target: Any, callback_loader: Any) -> Any:  # type: ignore[override]
        worker: Any = super()._spawn_worker(idx, target, callback_loader)
        arguments = list(worker.inner._args)
        arguments[3] = (self._sockets, None)
        worker.inner._args = tuple(arguments)
        return worker

    def _spawn_workers(self, spawn_target: Any, target_loader: Any) -> None:
        super()._spawn_workers(spawn_target, target_loader)
        self._ready()

    def _respawn_workers(self, workers: Any, spawn_target: Any, target_loader: Any, delay: float = 0) -> None:
        super()._respawn_workers(workers, spawn_target, target_loader, delay)
        # It would give up on all when one has to be replaced twice within seconds.
        self.respawned_wrks.clear()


@WorkerProcess.wrap_target
def _work(
    worker_id: int,
    callback: Any,
    sockets: list[Any],
    ipc: Any,
    loop: Any,
    runtime_mode: Any,
    runtime_threads: int,
    runtime_blocking_threads: int,
    blocking_threads: int,
    idle_timeout: int,
    backpressure: int,
    task_impl: Any,
    http_mode: Any,
    http1_settings: Any,
    http2_settings: Any,
    websockets: bool,
    static_path: Any,
    log_format: Any,
    ssl: Any,
    scope: dict[str, Any],
    metrics: Any,
) -> None:
    """Be a worker: answer on every socket until told to stop, or until nobody is there to tell."""
    parent = os.getppid()
    _begin()
    answer = _callback_wrapper(callback, scope, None)
    stopped = threading.Semaphore(0)
    stops = [native.WorkerSignal() for _ in sockets]
    listeners: Any = []
    for number, stop in zip(sockets, stops, strict=True):
        stop.add_cb(stopped.release)
        listener = native.WSGIWorker(
            worker_id, (None, number), ipc, runtime_threads, runtime_blocking_threads, blocking_threads, idle_timeout,
            backpressure, http_mode, http1_settings, http2_settings, static_path, *ssl, metrics,
        )  # fmt: skip
        listener.serve_mtr(_new_cbscheduler(loop, answer, impl_asyncio=True), loop, stop)
        listeners.append(listener)

    def stop_all(*_: Any) -> None:
        for stop in stops:
            stop.set()

    # Ctrl-C reaches the whole group; the parent passes it on.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, stop_all)
    _unblock_signals()
    for _ in stops:
        while not stopped.acquire(timeout=1):
            # Nobody else ends a worker whose parent was killed, and it would keep the port.
            if os.getppid() != parent:
                stop_all()
    _end()


def _begin() -> None:
    """Let a new worker take requests: it follows the tenants' versions and stores its usage from here on."""
    from accounts.versions import versions
    from tokens.endpoints.metadata import keep_published_keys
    from tokens.housekeeping import housekeeping

    versions.watch(then=keep_published_keys)
    housekeeping.begin()


def _end() -> None:
    """Store what a worker still holds, once it has answered its last request."""
    from tokens.housekeeping import housekeeping

    housekeeping.end()


def _block_signals() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)


def _unblock_signals() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)
