"""The dependency of every operation that is not for everybody: a bearer token of a live session."""

from typing import Annotated

from fastapi import Depends, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.accounts import service
from api.accounts.service import Access
from api.accounts.tokens import UnauthenticatedError
from api.deps import ResourcesDep

_bearer = HTTPBearer(
    scheme_name="session", bearerFormat="JWT", description="the access token of a sign-in", auto_error=False
)


async def access(
    held: ResourcesDep, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Access:
    """Tell who asks; raises `UnauthenticatedError`."""
    if credentials is None:
        raise UnauthenticatedError("send `Authorization: Bearer <access token>`")
    return await service.authenticate(held, credentials.credentials)


async def not_stored(response: Response) -> None:
    """Keep the answer out of every cache: it is one person's."""
    response.headers["Cache-Control"] = "no-store"


AccessDep = Annotated[Access, Depends(access)]
