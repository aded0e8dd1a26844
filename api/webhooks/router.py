"""HTTP of webhooks."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, status

from api import problems
from api.accounts.access import AccessDep, not_stored
from api.accounts.tokens import UnauthenticatedError
from api.deps import ResourcesDep
from api.pagination import InvalidCursorError, PageDep
from api.webhooks import schemas, service
from api.wire import INT64_MAX

router = APIRouter(
    prefix="/webhooks",
    tags=["webhooks"],
    dependencies=[Depends(not_stored)],
    responses=problems.responses(problems.InvalidRequestError, UnauthenticatedError),
)

WebhookId = Annotated[int, Path(ge=1, le=INT64_MAX, description="the webhook's id")]
DeliveryId = Annotated[int, Path(ge=1, le=INT64_MAX, description="the delivery's id")]
_OF_ONE = problems.responses(service.WebhookNotFoundError)
_LIST = problems.responses(problems.InvalidRequestError, InvalidCursorError)


@router.post(
    "",
    operation_id="createWebhook",
    summary="Create a webhook",
    status_code=status.HTTP_201_CREATED,
    responses=problems.responses(problems.InvalidRequestError, service.InsecureUrlError, service.TooManyWebhooksError),
)
async def create_webhook(held: ResourcesDep, access: AccessDep, request: schemas.WebhookRequest) -> schemas.NewWebhook:
    """Subscribe to events from now on; the answer shows the secret that they are signed with, this once."""
    return await service.create(held, access, request)


@router.get("", operation_id="listWebhooks", summary="List webhooks", responses=_LIST)
async def list_webhooks(held: ResourcesDep, access: AccessDep, page: PageDep) -> schemas.WebhookList:
    """List the account's webhooks, the newest first."""
    return await service.list_webhooks(held, access, page)


@router.get("/{webhook_id}", operation_id="getWebhook", summary="Get a webhook", responses=_OF_ONE)
async def get_webhook(held: ResourcesDep, access: AccessDep, webhook_id: WebhookId) -> schemas.Webhook:
    """Return one of the account's webhooks."""
    return await service.get(held, access, webhook_id)


@router.patch(
    "/{webhook_id}",
    operation_id="updateWebhook",
    summary="Change a webhook",
    responses=_OF_ONE | problems.responses(problems.InvalidRequestError, service.InsecureUrlError),
)
async def update_webhook(
    held: ResourcesDep, access: AccessDep, webhook_id: WebhookId, changes: schemas.WebhookChange
) -> schemas.Webhook:
    """Change where it leads or what it wants; what is queued already stays queued."""
    return await service.change(held, access, webhook_id, changes)


@router.delete(
    "/{webhook_id}",
    operation_id="deleteWebhook",
    summary="Delete a webhook",
    responses=_OF_ONE,
    status_code=status.HTTP_204_NO_CONTENT,
)
async def delete_webhook(held: ResourcesDep, access: AccessDep, webhook_id: WebhookId) -> None:
    """Delete a webhook with its deliveries."""
    await service.delete(held, access, webhook_id)


@router.post(
    "/{webhook_id}/secrets",
    operation_id="rotateWebhookSecret",
    summary="Change a webhook's secret",
    responses=_OF_ONE,
    status_code=status.HTTP_201_CREATED,
)
async def rotate_webhook_secret(held: ResourcesDep, access: AccessDep, webhook_id: WebhookId) -> schemas.NewWebhook:
    """Sign with another secret from now on, which is shown this once."""
    return await service.rotate_secret(held, access, webhook_id)


@router.get(
    "/{webhook_id}/deliveries",
    operation_id="listDeliveries",
    summary="List a webhook's deliveries",
    responses=_OF_ONE | _LIST,
)
async def list_deliveries(
    held: ResourcesDep,
    access: AccessDep,
    page: PageDep,
    webhook_id: WebhookId,
    *,
    delivery_status: Annotated[schemas.DeliveryStatus | None, Query(alias="status", description="only these")] = None,
) -> schemas.DeliveryList:
    """List what was and is to be delivered, the newest first."""
    return await service.list_deliveries(held, access, webhook_id, delivery_status, page)


@router.post(
    "/{webhook_id}/deliveries/{delivery_id}/retries",
    operation_id="retryDelivery",
    summary="Send a delivery again",
    responses=problems.responses(service.WebhookNotFoundError, service.DeliveryNotFoundError),
)
async def retry_delivery(
    held: ResourcesDep, access: AccessDep, webhook_id: WebhookId, delivery_id: DeliveryId
) -> schemas.Replay:
    """Send a delivery again that was taken or given up."""
    return await service.retry(held, access, webhook_id, delivery_id)


@router.post(
    "/{webhook_id}/replays",
    operation_id="replayWebhook",
    summary="Send a webhook's deliveries again",
    responses=_OF_ONE,
)
async def replay_webhook(
    held: ResourcesDep, access: AccessDep, webhook_id: WebhookId, request: schemas.ReplayRequest
) -> schemas.Replay:
    """Send again what was delivered or given up after an event, in the order of the events."""
    return await service.replay(held, access, webhook_id, request.after)
