"""Rules of creators: metrics of both sides, milestones, and how far a launch is."""

from collections.abc import Sequence
from typing import Any, Final

from api.creators import readiness, repository, schemas
from api.creators.schemas import CreatorSort
from api.creators.supply import POOL_ALLOCATION
from api.mirror.service import MirrorView
from api.pagination import IntegerKey, Keyset, PageRequest, TextKey
from api.problems import ProblemError
from api.wire import utc
from encore.db import ReadSession, Row

_KEYSETS: Final = {
    CreatorSort.NAME: (Keyset("creators:name", TextKey), ["slug"]),
    CreatorSort.STREAMS: (Keyset("creators:streams", IntegerKey, IntegerKey), ["streams_key", "id"]),
    CreatorSort.CREATED: (Keyset("creators:created", IntegerKey), ["id"]),
}
_COMPARED: Final = ("monthly_streams", "followers", "monthly_revenue", "engagement_score")


class CreatorNotFoundError(ProblemError):
    """No creator has this id."""

    status = 404
    slug = "creator-not-found"
    title = "Creator not found"


async def list_creators(
    view: MirrorView, page: PageRequest, *, sort: CreatorSort, search: str | None, has_coin: bool | None
) -> schemas.CreatorPage:
    """Return a page of creators."""
    keyset, columns = _KEYSETS[sort]
    rows = await repository.creators(view.session, keyset.window(page), sort=sort, search=search, has_coin=has_coin)
    rows, next_cursor = keyset.cut(rows, page.limit, *columns)
    return schemas.CreatorPage(
        items=[schemas.Creator(**_creator(row)) for row in rows], next_cursor=next_cursor, indexed_block=view.tip.wire()
    )


async def get_creator(view: MirrorView, creator_id: int) -> schemas.CreatorDetail:
    """Return one creator; raises `CreatorNotFoundError`."""
    return schemas.CreatorDetail(**_creator(await found(view.session, creator_id)), indexed_block=view.tip.wire())


async def get_metrics(view: MirrorView, factory: str, creator_id: int) -> schemas.CreatorMetrics:
    """Return metrics of both sides, launch readiness and terms; raises `CreatorNotFoundError`."""
    creator = await found(view.session, creator_id)
    off_chain = await repository.off_chain(view.session, creator_id)
    on_chain = await repository.on_chain(view.session, creator.wallet) if creator.wallet else None
    milestones = await repository.milestones(view.session, creator.wallet) if creator.wallet else []
    requirements = await repository.requirements(view.session)
    return schemas.CreatorMetrics(
        creator_id=creator_id,
        wallet=creator.wallet,
        off_chain=None if off_chain is None else _off_chain(off_chain),
        on_chain=None if on_chain is None else _on_chain(on_chain),
        in_sync=_in_sync(off_chain, on_chain),
        milestones=_milestones(milestones),
        launch=readiness.assess(
            coin=creator.token,
            wallet=creator.wallet,
            metrics=None
            if on_chain is None
            else readiness.Metrics(on_chain.monthly_streams, on_chain.followers, on_chain.observed_at),
            demands=None
            if requirements is None
            else readiness.Demands(
                requirements.minimum_monthly_streams,
                requirements.minimum_followers,
                requirements.maximum_metrics_age_seconds,
            ),
            now=view.tip.timestamp,
        ),
        launch_terms=await _launch_terms(view.session, factory),
        indexed_block=view.tip.wire(),
    )


async def found(session: ReadSession, creator_id: int) -> Row:
    """Return a creator's row; raises `CreatorNotFoundError`."""
    row = await repository.creator(session, creator_id)
    if row is None:
        raise CreatorNotFoundError(f"there is no creator {creator_id}; /api/v1/creators lists them")
    return row


async def _launch_terms(session: ReadSession, factory: str) -> schemas.LaunchTerms | None:
    seed = await repository.minimum_seed(session, factory)
    if seed is None:
        return None
    launchers = [row.account for row in await repository.launchers(session, factory)]
    return schemas.LaunchTerms(minimum_seed=seed, token_seed=POOL_ALLOCATION, launchers=launchers)


def _creator(row: Row) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "slug": row.slug,
        "description": row.description,
        "image_url": row.image_url,
        "wallet": row.wallet,
        "coin": row.token,
        "monthly_streams": row.monthly_streams,
        "followers": row.followers,
        "created_at": row.created_at,
    }


def _off_chain(row: Row) -> schemas.OffChainMetrics:
    return schemas.OffChainMetrics(
        monthly_streams=row.monthly_streams,
        followers=row.followers,
        monthly_revenue=row.monthly_revenue,
        engagement_score=row.engagement_score,
        unique_listeners=row.unique_listeners,
        computed_at=row.updated_at,
    )


def _on_chain(row: Row) -> schemas.OnChainMetrics:
    return schemas.OnChainMetrics(
        monthly_streams=row.monthly_streams,
        followers=row.followers,
        monthly_revenue=row.monthly_revenue,
        engagement_score=row.engagement_score,
        observed_at=utc(row.observed_at),
        oracle=row.oracle,
        block_number=row.block_number,
    )


def _in_sync(off_chain: Row | None, on_chain: Row | None) -> bool:
    if off_chain is None or on_chain is None:
        return False
    return all(getattr(off_chain, figure) == getattr(on_chain, figure) for figure in _COMPARED)


def _milestones(rows: Sequence[Row]) -> list[schemas.Milestone]:
    return [
        schemas.Milestone(
            threshold=row.threshold,
            monthly_streams=row.monthly_streams,
            block_number=row.block_number,
            transaction_hash=row.transaction_hash,
            timestamp=utc(row.timestamp),
        )
        for row in rows
    ]
