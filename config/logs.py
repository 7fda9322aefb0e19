"""Logs as JSON lines on standard error, with anything secret dropped before it is written."""

import logging
import sys
from typing import Any

import structlog

SECRET_NAMES = {
    "access_token", "assertion", "authorization", "client_assertion", "client_secret", "code", "cookie", "password",
    "refresh_token", "secret", "signing_secret", "token",
}  # fmt: skip


def drop_secrets(logger: Any, method: str, event: Any) -> Any:
    """Return the event with the value of every secret-sounding name replaced."""
    for name in event:
        if name.lower() in SECRET_NAMES:
            event[name] = "(hidden)"
    return event


def _is_fault(record: logging.LogRecord) -> bool:
    return bool(record.exc_info)


def configure(options: dict[str, Any]) -> None:
    """Send structlog and Django's loggers to one place in one form. options: {"level": "INFO"}."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        drop_secrets,
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(options["level"])
    # Their debug lines name clients, and one of oauthlib's holds a refresh token.
    for name in ("oauthlib", "oauth2_provider", "django.db.backends"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # Our own line says what django.request would say again of each answer; faults are for it to tell.
    logging.getLogger("django.request").setLevel(logging.ERROR)
    logging.getLogger("django.request").addFilter(_is_fault)
    logging.getLogger("django.security").setLevel(logging.ERROR)
