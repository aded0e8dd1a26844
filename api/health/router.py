"""HTTP of health, for whoever supervises the process."""

from fastapi import APIRouter

from api import problems
from api.deps import ResourcesDep
from api.health import schemas, service
from api.mirror.service import MirrorEmptyError

router = APIRouter(tags=["health"])


@router.get("/healthz", operation_id="getHealth", summary="Tell that the process runs")
async def get_health() -> schemas.Health:
    """Answer as long as the process can; nothing else is checked."""
    return schemas.Health()


@router.get(
    "/readyz",
    operation_id="getReadiness",
    summary="Tell whether the API can serve",
    responses=problems.responses(
        problems.DatabaseUnavailableError,
        MirrorEmptyError,
        service.MirrorLaggingError,
        problems.ChainUnavailableError,
    ),
)
async def get_readiness(held: ResourcesDep) -> schemas.Readiness:
    """Check the database's schema, that the mirror has begun, and that it is not far behind the chain."""
    return await service.readiness(held)
