"""Rules of webhooks: whose they are, where they may lead, and what is sent again."""

from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from api.accounts.service import Access
from api.deps import Resources
from api.pagination import IntegerKey, Keyset, PageRequest
from api.problems import ProblemError
from api.webhooks import repository, schemas, signing
from encore.db.models.webhooks import Webhook

MAXIMUM_PER_ACCOUNT: Final = 20

_WEBHOOKS: Final = Keyset("webhooks", IntegerKey)
_DELIVERIES: Final = Keyset("deliveries", IntegerKey)


class WebhookNotFoundError(ProblemError):
    """The account has no such webhook."""

    status = 404
    slug = "webhook-not-found"
    title = "Webhook not found"


class DeliveryNotFoundError(ProblemError):
    """The webhook has no such delivery that is finished."""

    status = 404
    slug = "delivery-not-found"
    title = "Delivery not found"


class TooManyWebhooksError(ProblemError):
    """The account has as many webhooks as it may have."""

    status = 409
    slug = "too-many-webhooks"
    title = "Too many webhooks"


class InsecureUrlError(ProblemError):
    """Deliveries go over https alone."""

    status = 422
    slug = "insecure-url"
    title = "Not an https URL"


async def create(held: Resources, access: Access, request: schemas.WebhookRequest) -> schemas.NewWebhook:
    """Subscribe to what happens from now on. Raises `InsecureUrlError` or `TooManyWebhooksError`."""
    _check(held, request.url)
    async with held.database.write() as session:
        if await repository.count(session, access.account_id) >= MAXIMUM_PER_ACCOUNT:
            raise TooManyWebhooksError(f"an account may have {MAXIMUM_PER_ACCOUNT} webhooks; delete one first")
        made = Webhook(
            account_id=access.account_id,
            url=request.url,
            description=request.description,
            events=request.events,
            coins=request.coins,
            is_active=True,
            generation=0,
            created_at=_now(held),
        )
        session.add(made)
        await session.flush()
    return _with_secret(held, made)


async def list_webhooks(held: Resources, access: Access, page: PageRequest) -> schemas.WebhookList:
    """List the account's webhooks, the newest first."""
    async with held.database.read() as session:
        rows = await repository.webhooks(session, access.account_id, _WEBHOOKS.window(page))
    rows, next_cursor = _WEBHOOKS.cut(rows, page.limit, "id")
    return schemas.WebhookList(items=[_wire(row) for row in rows], next_cursor=next_cursor)


async def get(held: Resources, access: Access, webhook_id: int) -> schemas.Webhook:
    """Return one of the account's webhooks; raises `WebhookNotFoundError`."""
    async with held.database.read() as session:
        row = await repository.webhook(session, access.account_id, webhook_id)
    if row is None:
        raise _not_found(webhook_id)
    return _wire(row)


async def change(held: Resources, access: Access, webhook_id: int, changes: schemas.WebhookChange) -> schemas.Webhook:
    """Change what is given. Raises `WebhookNotFoundError` or `InsecureUrlError`."""
    if changes.url is not None:
        _check(held, changes.url)
    async with held.database.write() as session:
        found = await repository.owned(session, access.account_id, webhook_id)
        if found is None:
            raise _not_found(webhook_id)
        for name, value in changes.model_dump(exclude_none=True).items():
            setattr(found, name, value)
    return _wire(found)


async def delete(held: Resources, access: Access, webhook_id: int) -> None:
    """Delete a webhook and its deliveries; raises `WebhookNotFoundError`."""
    async with held.database.write() as session:
        if not await repository.remove(session, access.account_id, webhook_id):
            raise _not_found(webhook_id)


async def rotate_secret(held: Resources, access: Access, webhook_id: int) -> schemas.NewWebhook:
    """Sign with another secret from now on; raises `WebhookNotFoundError`."""
    async with held.database.write() as session:
        found = await repository.owned(session, access.account_id, webhook_id)
        if found is None:
            raise _not_found(webhook_id)
        found.generation += 1
    return _with_secret(held, found)


async def list_deliveries(
    held: Resources, access: Access, webhook_id: int, status: schemas.DeliveryStatus | None, page: PageRequest
) -> schemas.DeliveryList:
    """List a webhook's deliveries, the newest first; raises `WebhookNotFoundError`."""
    window = _DELIVERIES.window(page)
    async with held.database.read() as session:
        if await repository.webhook(session, access.account_id, webhook_id) is None:
            raise _not_found(webhook_id)
        rows = await repository.deliveries(session, webhook_id, status, window)
    rows, next_cursor = _DELIVERIES.cut(rows, page.limit, "id")
    return schemas.DeliveryList(items=[_delivery(row) for row in rows], next_cursor=next_cursor)


async def replay(held: Resources, access: Access, webhook_id: int, after: int) -> schemas.Replay:
    """Send again what happened after an event and is not on its way; raises `WebhookNotFoundError`."""
    async with held.database.write() as session:
        if await repository.owned(session, access.account_id, webhook_id) is None:
            raise _not_found(webhook_id)
        return schemas.Replay(queued=await repository.queue_again(session, webhook_id, _now(held), after=after))


async def retry(held: Resources, access: Access, webhook_id: int, delivery_id: int) -> schemas.Replay:
    """Send one delivery again. Raises `WebhookNotFoundError` or `DeliveryNotFoundError`."""
    async with held.database.write() as session:
        if await repository.owned(session, access.account_id, webhook_id) is None:
            raise _not_found(webhook_id)
        queued = await repository.queue_again(session, webhook_id, _now(held), delivery_id=delivery_id)
    if not queued:
        raise DeliveryNotFoundError(f"webhook {webhook_id} has no finished delivery {delivery_id}")
    return schemas.Replay(queued=queued)


def _check(held: Resources, url: str) -> None:
    if urlsplit(url).scheme != "https" and not held.settings.allows_private_webhooks:
        raise InsecureUrlError("give an https URL; what is sent to you should not be read on its way")


def _not_found(webhook_id: int) -> WebhookNotFoundError:
    return WebhookNotFoundError(f"the account has no webhook {webhook_id}")


def _wire(row: Any) -> schemas.Webhook:
    return schemas.Webhook(**_fields(row))


def _with_secret(held: Resources, row: Webhook) -> schemas.NewWebhook:
    key = signing.secret_key(held.settings.signing_key("webhooks"), row.id, row.generation)
    return schemas.NewWebhook(**_fields(row), secret=signing.shown(key))


def _fields(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in schemas.Webhook.model_fields}


def _delivery(row: Any) -> schemas.Delivery:
    fields = {name: getattr(row, name) for name in schemas.Delivery.model_fields}
    if row.status != schemas.DeliveryStatus.PENDING:
        fields["next_attempt_at"] = None
    return schemas.Delivery(**fields)


def _now(held: Resources) -> datetime:
    return datetime.fromtimestamp(held.clock(), UTC)
