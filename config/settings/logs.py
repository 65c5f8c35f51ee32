"""Structured logs: one JSON object a line, with the request id that follows the work."""

from typing import Any

import structlog
from structlog.types import EventDict, WrappedLogger

_SHARED = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
]


def _rename_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    event["message"] = event.pop("event", "")
    return event


def logging_config(level: str) -> dict[str, Any]:
    """The configuration for `logging.config.dictConfig`; modules use plain `logging`."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": _SHARED,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    _rename_event,
                    structlog.processors.JSONRenderer(sort_keys=True),
                ],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # One line a request is written by config.middleware, with fields of ours.
            "django.server": {"level": "ERROR"},
            "django.request": {"level": "ERROR"},
            "sigstore": {"level": "ERROR"},
            "urllib3": {"level": "WARNING"},
        },
    }
