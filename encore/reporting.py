"""Reports to Sentry, without secrets: imported only where it is configured."""

import logging
import re
import sys
from collections.abc import Iterable
from typing import Any, Final

import sentry_sdk
from pydantic import SecretStr
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.integrations.dedupe import DedupeIntegration
from sentry_sdk.integrations.excepthook import ExcepthookIntegration
from sentry_sdk.types import Event, Hint
from structlog.typing import EventDict

from encore.settings import Settings

TAGS: Final = ("request_id", "operation", "logger")
"""What is logged and can be searched for in Sentry."""
HIDDEN: Final = "…"

_SECRETS: Final = (
    # Credentials, and the paths and queries where providers of nodes and receivers of webhooks put theirs.
    (re.compile(r"\b([a-z][a-z0-9+.-]*://)(?:[^\s'\"]*@)?([^\s/?#'\"]*)[^\s'\"]*", re.IGNORECASE), rf"\1\2/{HIDDEN}"),
    (re.compile(r"\b(bearer|basic)\s+\S+", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (re.compile(r"\b(eyJ|whsec_)[\w.+/=-]+"), rf"\1{HIDDEN}"),
    (re.compile(r"\b(\w*(?:password|passphrase|secret|token|key))(['\"]?\s*[=:]\s*['\"]?)[^\s'\",;&)]+", re.IGNORECASE),
     rf"\1\2{HIDDEN}"),
    # A private key looks like a hash: the beginning is enough to find a hash by, and too little of a key.
    (re.compile(r"\b((?:0x)?[0-9a-fA-F]{8})[0-9a-fA-F]{56,}"), rf"\1{HIDDEN}"),
    # What people sent: SQLAlchemy shows a statement's parameters, Pydantic what it refused.
    (re.compile(r"\[parameters: .*", re.DOTALL), f"[parameters: {HIDDEN}]"),
    (re.compile(r"input_value=.*?, input_type=", re.DOTALL), f"input_value={HIDDEN}, input_type="),
)  # fmt: skip


def start_reporting(settings: Settings, process: str, release: str) -> None:
    """Report what `report_errors` is shown, and what ends this process unforeseen."""
    known = [value.get_secret_value() for _, value in settings if isinstance(value, SecretStr)]

    def before_send(event: Event, _hint: Hint) -> Event:
        clean: Event = without_secrets(event, known)
        return clean

    sentry_sdk.init(
        dsn=settings.sentry_dsn,
        environment=settings.network,
        release=f"encore@{release}",
        default_integrations=False,  # they would tell of requests, the command line and every installed package
        integrations=[
            AtexitIntegration(callback=lambda _pending, _seconds: None),
            DedupeIntegration(),
            ExcepthookIntegration(),
        ],
        include_local_variables=False,
        max_breadcrumbs=0,
        before_send=before_send,
    )
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)  # not each attempt where Sentry is away
    sentry_sdk.get_global_scope().set_tag("process", process)


def report_errors(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Report what is logged as an error, with what is logged beside it (a structlog processor)."""
    # That a collector of traces is away is no error of ours.
    if event["level"] not in {"error", "critical"} or str(event.get("logger", "")).startswith("opentelemetry."):
        return event
    shown = {name: value for name, value in event.items() if name not in {"exc_info", "_record", "_from_structlog"}}
    with sentry_sdk.new_scope() as scope:
        scope.set_context("log", shown)
        for name in TAGS:
            if shown.get(name):
                scope.set_tag(name, shown[name])
        if "trace_id" in shown:
            scope.set_context("trace", {name: shown[name] for name in ("trace_id", "span_id")})
        error = _exception(event.get("exc_info"))
        if error is None:
            scope.capture_message(str(shown["event"]), "error")
        else:
            scope.capture_exception(error)
    return event


def without_secrets(value: Any, known: Iterable[str] = ()) -> Any:
    """Return a JSON value with everything hidden in its strings that is, or looks like, a secret."""
    if isinstance(value, str):
        for secret in known:
            value = value.replace(secret, HIDDEN) if secret else value
        for pattern, shown in _SECRETS:
            value = pattern.sub(shown, value)
        return value
    if isinstance(value, dict):
        return {name: without_secrets(each, known) for name, each in value.items()}
    if isinstance(value, list):
        return [without_secrets(each, known) for each in value]
    return value


def _exception(exc_info: Any) -> BaseException | None:
    """Return the exception that a line is logged with, in any of the forms in which it can be given."""
    if exc_info is True:
        exc_info = sys.exc_info()
    error: BaseException | None = exc_info[1] if isinstance(exc_info, tuple) else exc_info
    return error
