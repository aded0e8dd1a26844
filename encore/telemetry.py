"""What a process tells of itself besides metrics: logs and, where configured, reports of errors and traces."""

import logging
import sys
from importlib.metadata import version

import structlog
from structlog.typing import Processor

from encore.settings import Settings


def configure_telemetry(settings: Settings, process: str) -> None:
    """Send logs of this process to standard error, its errors to Sentry, and its traces to an OpenTelemetry collector.

    `process` is what it is called there. What the settings leave out is not even imported.
    """
    release = version("encore")
    told: list[Processor] = [structlog.contextvars.merge_contextvars, structlog.processors.add_log_level]
    if settings.otlp_endpoint:
        from encore.tracing import add_trace_ids, start_tracing  # noqa: PLC0415 - it takes a tenth of a second

        start_tracing(settings, process, release)
        told.append(add_trace_ids)
    if settings.sentry_dsn:
        from encore.reporting import report_errors, start_reporting  # noqa: PLC0415 - it takes a fifth of a second

        start_reporting(settings, process, release)
        told.append(report_errors)
    told.append(structlog.processors.TimeStamper(fmt="iso", utc=True))
    _configure_logging(settings, told)


def _configure_logging(settings: Settings, told: list[Processor]) -> None:
    """Log in the chosen format; what libraries log from warnings on goes the same way."""
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    rendered: list[Processor] = [structlog.processors.format_exc_info, renderer]
    structlog.configure(
        processors=[*told, *rendered],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[settings.log_level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *told],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendered],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
