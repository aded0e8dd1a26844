"""SQL of accounts, their wallets, nonces and sessions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, select, update

from api.pagination import LIMIT, Window, after
from encore.db import ReadSession, Row, WriteSession
from encore.db.models.accounts import Account, AccountWallet, LoginSession, SignInNonce


async def add_nonce(session: WriteSession, nonce: SignInNonce, now: datetime) -> None:
    """Keep a nonce, and forget those that have expired."""
    await session.execute(delete(SignInNonce).where(SignInNonce.expires_at <= now))
    session.add(nonce)


async def use_nonce(session: WriteSession, nonce: str, account_id: int | None, now: datetime) -> bool:
    """Take a nonce away; returns whether it was there, good, and for this purpose."""
    purpose = SignInNonce.account_id.is_(None) if account_id is None else SignInNonce.account_id == account_id
    used = await session.execute(
        delete(SignInNonce).where(SignInNonce.nonce == nonce, SignInNonce.expires_at > now, purpose)
    )
    return _count(used) == 1


async def account_of(session: WriteSession, wallet: str) -> int | None:
    """Return the account of a wallet."""
    return await session.scalar(select(AccountWallet.account_id).where(AccountWallet.address == wallet))


async def forget_expired_sessions(session: WriteSession, account_id: int, now: datetime) -> None:
    """Delete the account's sessions that no token can bring back."""
    await session.execute(
        delete(LoginSession).where(LoginSession.account_id == account_id, LoginSession.expires_at <= now)
    )


async def renew(
    session: WriteSession, session_id: str, generation: int, now: datetime, expires_at: datetime
) -> int | None:
    """Move a session on from `generation` to the next; returns its account, or None where another did already."""
    row = await session.execute(
        update(LoginSession)
        .where(_is_live(session_id, now), LoginSession.generation == generation)
        .values(generation=generation + 1, last_used_at=now, expires_at=expires_at)
        .returning(LoginSession.account_id)
    )
    return row.scalar()


async def revoke(session: WriteSession, session_id: str, now: datetime, account_id: int | None = None) -> bool:
    """End a session (of `account_id`, where given); returns whether it was live."""
    owned = () if account_id is None else (LoginSession.account_id == account_id,)
    ended = await session.execute(update(LoginSession).where(_is_live(session_id, now), *owned).values(revoked_at=now))
    return _count(ended) == 1


async def is_live(session: ReadSession, session_id: str, account_id: int, now: datetime) -> bool:
    """Whether a session of the account has not ended."""
    row = await session.first(
        select(LoginSession.id).where(_is_live(session_id, now), LoginSession.account_id == account_id)
    )
    return row is not None


async def sessions(session: ReadSession, account_id: int, now: datetime, window: Window) -> Sequence[Row]:
    """Return the account's live sessions by id."""
    live = (LoginSession.account_id == account_id, LoginSession.revoked_at.is_(None), LoginSession.expires_at > now)
    statement = select(*LoginSession.__table__.columns).where(*live).order_by(LoginSession.id).limit(LIMIT)
    if window.continues:
        statement = statement.where(after(LoginSession.id))
    return await session.all(statement, window.parameters())


async def account(session: ReadSession, account_id: int) -> Row | None:
    """Return an account."""
    return await session.first(select(*Account.__table__.columns).where(Account.id == account_id))


async def wallets(session: ReadSession, account_id: int) -> Sequence[Row]:
    """Return an account's wallets, the first one linked first."""
    return await session.all(
        select(AccountWallet.address, AccountWallet.linked_at)
        .where(AccountWallet.account_id == account_id)
        .order_by(AccountWallet.linked_at, AccountWallet.address)
    )


async def locked_wallets(session: WriteSession, account_id: int) -> Sequence[str]:
    """Return an account's wallets, which nobody else changes until the unit of work ends."""
    await session.execute(select(Account.id).where(Account.id == account_id).with_for_update())
    found = await session.scalars(select(AccountWallet.address).where(AccountWallet.account_id == account_id))
    return found.all()


async def unlink(session: WriteSession, address: str) -> None:
    """Take a wallet from its account."""
    await session.execute(delete(AccountWallet).where(AccountWallet.address == address))


async def revoke_of_wallet(session: WriteSession, account_id: int, address: str, now: datetime) -> None:
    """End the sessions of the account that a wallet opened."""
    await session.execute(
        update(LoginSession)
        .where(LoginSession.account_id == account_id, LoginSession.wallet == address, LoginSession.revoked_at.is_(None))
        .values(revoked_at=now)
    )


def _is_live(session_id: str, now: datetime) -> Any:
    return and_(LoginSession.id == session_id, LoginSession.revoked_at.is_(None), LoginSession.expires_at > now)


def _count(result: Any) -> int:
    """Return how many rows a statement changed; SQLAlchemy's types know it only of cursors."""
    count: int = result.rowcount
    return count
