"""Errors over HTTP: RFC 9457 problem details with a stable `type`, made in this one place."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import Field
from sqlalchemy.exc import InterfaceError, OperationalError
from starlette.exceptions import HTTPException

from api.wire import Wire
from encore.errors import DatabaseError, DeploymentError, EncoreError, RpcError, RpcUnavailableError

MEDIA_TYPE: Final = "application/problem+json"
_TYPE_PREFIX: Final = "urn:encore:problem:"
_SCHEMA: Final[Mapping[str, str]] = {"$ref": "#/components/schemas/Problem"}


class InvalidField(Wire):
    """One part of a request that was not accepted."""

    location: str = Field(description="where it stands: path, query, header or body", examples=["query"])
    field: str = Field(description="its name; dots lead into a body", examples=["limit"])
    message: str = Field(description="what would be right", examples=["Input should be less than or equal to 100"])


class Problem(Wire):
    """An error, as RFC 9457 has it."""

    type: str = Field(description="what kind of problem; stable", examples=["urn:encore:problem:coin-not-found"])
    title: str = Field(description="the kind in words", examples=["Coin not found"])
    status: int = Field(description="the HTTP status", examples=[404])
    detail: str = Field(description="what happened this time, and what to do")
    instance: str = Field(description="the path that was asked for", examples=["/api/v1/coins/0x…"])
    request_id: str = Field(description="the id to give when reporting it; also the X-Request-ID header")
    errors: list[InvalidField] = Field(default=[], description="which parts of the request were wrong")


class ProblemError(EncoreError):
    """An error that ends a request: subclasses say the kind, the message says what happened and what to do."""

    status: ClassVar[int]
    slug: ClassVar[str]
    title: ClassVar[str]
    headers: ClassVar[Mapping[str, str]] = {}
    """Sent with every problem of the kind."""

    def __init__(self, detail: str, errors: Sequence[InvalidField] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = list(errors)


class InvalidRequestError(ProblemError):
    """A parameter or the body does not have the form that OpenAPI asks for."""

    status = 422
    slug = "validation"
    title = "Invalid request"


class BodyTooLargeError(ProblemError):
    """The body is larger than any that makes sense here."""

    status = 413
    slug = "request-entity-too-large"
    title = "Request Entity Too Large"


class UnavailableError(ProblemError):
    """Something behind the API is away for now."""

    status = 503
    slug = "unavailable"
    title = "Temporarily unavailable"
    headers: ClassVar[Mapping[str, str]] = {"Retry-After": "1"}


class ChainUnavailableError(UnavailableError):
    """No node answers."""

    slug = "chain-unavailable"
    title = "The chain cannot be reached"


class DatabaseUnavailableError(UnavailableError):
    """The database does not answer, or not with the schema that this version needs."""

    slug = "database-unavailable"
    title = "The database cannot be used"


class NotDeployedError(UnavailableError):
    """The contracts' addresses or ABIs are not known."""

    slug = "not-deployed"
    title = "The contracts are not deployed"


class ChainRefusedError(UnavailableError):
    """The node refused a request that should have worked."""

    slug = "chain-refused"
    title = "The node refused a request"


_UNAVAILABLE: Final[Mapping[type[Exception], type[UnavailableError]]] = {
    RpcUnavailableError: ChainUnavailableError,
    RpcError: ChainRefusedError,
    DeploymentError: NotDeployedError,
    DatabaseError: DatabaseUnavailableError,
}
_DATABASE_AWAY: Final = "the database does not answer; try again in a moment"


def respond(request: Request, error: ProblemError) -> Response:
    """Build the response of a problem."""
    kind = (error.status, error.slug, error.title)
    return _respond(request, kind, error.detail, error.errors, error.headers)


def respond_internal_error(request: Request) -> Response:
    """Build the answer to a bug: nothing of it reaches the client but the id under which it was logged."""
    kind = (HTTPStatus.INTERNAL_SERVER_ERROR, "internal", "Internal error")
    return _respond(request, kind, "this is our mistake; it was logged under the request id")


def _respond(
    request: Request,
    kind: tuple[int, str, str],
    detail: str,
    errors: Sequence[InvalidField] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    status, slug, title = kind
    problem = Problem(
        type=_TYPE_PREFIX + slug,
        title=title,
        status=status,
        detail=detail,
        instance=request.url.path,
        request_id=request.scope["request_id"],
        errors=list(errors),
    )
    return Response(problem.model_dump_json(exclude_defaults=True), status, headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Answer every error of `app` with a problem."""
    app.add_exception_handler(ProblemError, _problem)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    for error in _UNAVAILABLE:
        app.add_exception_handler(error, _unavailable)
    for error in (OperationalError, InterfaceError, ConnectionError):
        app.add_exception_handler(error, _database_away)


def responses(*problems: type[ProblemError]) -> dict[int | str, dict[str, Any]]:
    """Declare in OpenAPI the problems that an operation answers with."""
    declared: dict[int | str, dict[str, Any]] = {}
    for problem in problems:
        declare(declared, problem.status, problem)
    return declared


def declare(responses: dict[Any, dict[str, Any]], status: int | str, problem: type[ProblemError]) -> None:
    """Declare one problem more among an operation's responses, by its status as they are keyed."""
    entry = responses.setdefault(
        status, {"description": "", "content": {MEDIA_TYPE: {"schema": _SCHEMA, "examples": {}}}}
    )
    entry["description"] = " · ".join(filter(None, [entry["description"], problem.title]))
    entry["content"][MEDIA_TYPE]["examples"][problem.slug] = {"value": _example(problem)}


def default_response() -> dict[int | str, dict[str, Any]]:
    """Declare in OpenAPI that any other error is a problem too."""
    return {"default": {"description": "Any other problem", "content": {MEDIA_TYPE: {"schema": _SCHEMA}}}}


def schemas() -> dict[str, Any]:
    """Return the schemas that `responses` refers to, for OpenAPI's components."""
    document = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    return {**document.pop("$defs"), "Problem": document}


def _example(problem: type[ProblemError]) -> dict[str, Any]:
    return {
        "type": _TYPE_PREFIX + problem.slug,
        "title": problem.title,
        "status": problem.status,
        "detail": (problem.__doc__ or "").splitlines()[0],
        "instance": "/api/v1/…",
        "request_id": "0f8fad5bd9cb469fa165708867284f91",
    }


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)  # noqa: S101 - Starlette's handlers are typed for any exception
    return respond(request, error)


async def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - as above
    errors = [_invalid_field(entry) for entry in error.errors()]
    named = "; ".join(f"{entry.location} {entry.field}: {entry.message}" for entry in errors)
    return respond(request, InvalidRequestError(named, errors))


def _invalid_field(entry: Mapping[str, Any]) -> InvalidField:
    location, *path = (str(part) for part in entry["loc"])
    return InvalidField(
        location=location, field=".".join(path) or location, message=entry["msg"].removeprefix("Value error, ")
    )


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - as above
    status = HTTPStatus(error.status_code)
    detail = {
        HTTPStatus.NOT_FOUND: f"there is nothing at {request.url.path}; /openapi.json lists what there is",
        HTTPStatus.METHOD_NOT_ALLOWED: f"{request.method} is not possible on {request.url.path}",
    }.get(status, str(error.detail))
    kind = (status, status.phrase.lower().replace(" ", "-"), status.phrase)
    return _respond(request, kind, detail, headers=error.headers)


async def _unavailable(request: Request, error: Exception) -> Response:
    kind = next(_UNAVAILABLE[base] for base in type(error).__mro__ if base in _UNAVAILABLE)
    return respond(request, kind(str(error)))


async def _database_away(request: Request, _error: Exception) -> Response:
    return respond(request, DatabaseUnavailableError(_DATABASE_AWAY))
