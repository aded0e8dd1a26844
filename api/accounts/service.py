"""Rules of accounts: a wallet's signature opens a session, tokens rotate, and one that comes twice ends its session."""

import secrets
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

import structlog
from sqlalchemy.exc import IntegrityError

from api.accounts import repository, schemas, siwe
from api.accounts.signatures import is_signed_by
from api.accounts.tokens import ACCESS_SECONDS, REFRESH_SECONDS, AccessClaims, Tokens, UnauthenticatedError
from api.deps import Resources
from api.limits import limit_wallet
from api.pagination import Keyset, PageRequest, TextKey
from api.problems import ProblemError
from api.wire import checksummed
from encore.db import WriteSession
from encore.db.models.accounts import Account, AccountWallet, LoginSession, SignInNonce

NONCE_SECONDS: Final = 300
CLOCK_SKEW_SECONDS: Final = 60
"""How far a client's clock may be ahead of ours."""
SIGN_IN_STATEMENT: Final = "Sign in to Encore."
LINK_STATEMENT: Final = "Link this wallet to your Encore account."
SOURCE: Final = "wallet"
USER_AGENT_LENGTH: Final = 200

_SESSIONS: Final = Keyset("sessions", TextKey)
_log = structlog.get_logger(__name__)


class SignInRefusedError(ProblemError):
    """The signed message does not prove what it should; ask for a new challenge."""

    status = 401
    slug = "sign-in-refused"
    title = "The signature was not accepted"


class UnknownDomainError(ProblemError):
    """Wallets may not sign in to this host."""

    status = 422
    slug = "unknown-domain"
    title = "Not a frontend of this API"


class WalletTakenError(ProblemError):
    """The wallet signs in to another account."""

    status = 409
    slug = "wallet-taken"
    title = "The wallet belongs to another account"


class LastWalletError(ProblemError):
    """Without its only wallet nobody could sign in to the account."""

    status = 409
    slug = "last-wallet"
    title = "The account's only wallet"


class WalletNotLinkedError(ProblemError):
    """The wallet is not one of the account's."""

    status = 404
    slug = "wallet-not-linked"
    title = "Not a wallet of this account"


class SessionNotFoundError(ProblemError):
    """The account has no such session, or it has ended."""

    status = 404
    slug = "session-not-found"
    title = "Session not found"


@dataclass(frozen=True, slots=True)
class Access:
    """Who asks: an account through one of its sessions, until the token runs out (unix seconds)."""

    account_id: int
    session_id: str
    expires_at: int


async def create_challenge(
    held: Resources, request: schemas.ChallengeRequest, account_id: int | None
) -> schemas.Challenge:
    """Make a message to sign: to sign in or, where an account is given, to link the wallet to it.

    Raises `UnknownDomainError` or `TooManyRequestsError`.
    """
    await limit_wallet(held.limiter, request.wallet)
    domain = request.domain or held.settings.domains[0]
    if domain not in held.settings.domains:
        raise UnknownDomainError(f"{domain} is not one of ENCORE_SIGN_IN_DOMAINS: {', '.join(held.settings.domains)}")
    now = _now(held)
    nonce = SignInNonce(
        nonce=secrets.token_hex(16), account_id=account_id, expires_at=now + timedelta(seconds=NONCE_SECONDS)
    )
    async with held.database.write() as session:
        await repository.add_nonce(session, nonce, now)
    message = siwe.SignInMessage(
        domain=domain,
        address=checksummed(request.wallet),
        uri=f"{'http' if held.settings.chain.is_local else 'https'}://{domain}",
        chain_id=held.settings.chain.chain_id,
        nonce=nonce.nonce,
        issued_at=now.replace(microsecond=0),
        expiration_time=nonce.expires_at.replace(microsecond=0),
        statement=SIGN_IN_STATEMENT if account_id is None else LINK_STATEMENT,
    )
    return schemas.Challenge(message=message.text(), nonce=nonce.nonce, expires_at=nonce.expires_at)


async def sign_in(held: Resources, signed: schemas.SignedMessage, user_agent: str) -> schemas.TokenPair:
    """Open a session for the wallet that signed; its account is made where it has none.

    Raises `SignInRefusedError`; where a contract wallet must be asked and no node answers, `RpcUnavailableError`.
    """
    wallet = await _signer(held, signed, account_id=None)
    now = _now(held)
    try:
        opened = await _open_session(held, wallet, user_agent, now)
    except IntegrityError:  # another request made the wallet's account in the meantime
        opened = await _open_session(held, wallet, user_agent, now)
    _log.info("signed in", account_id=opened.account_id, session_id=opened.id)
    return _pair(_tokens(held), opened.account_id, opened.id, opened.generation)


async def refresh(held: Resources, token: str) -> schemas.TokenPair:
    """Exchange a refresh token for the next pair.

    One that was exchanged before is in two hands: its session ends. Raises `UnauthenticatedError`.
    """
    tokens = _tokens(held)
    claims = tokens.read_refresh(token)
    now = _now(held)
    async with held.database.write() as session:
        account_id = await repository.renew(
            session, claims.session_id, claims.generation, now, now + timedelta(seconds=REFRESH_SECONDS)
        )
        if account_id is None and await repository.revoke(session, claims.session_id, now):
            _log.warning("a refresh token came twice, its session was ended", session_id=claims.session_id)
    if account_id is None:
        raise UnauthenticatedError("the session has ended; sign in")
    return _pair(tokens, account_id, claims.session_id, claims.generation + 1)


async def authenticate(held: Resources, token: str) -> Access:
    """Tell who an access token stands for, if its session is live; raises `UnauthenticatedError`."""
    claims: AccessClaims = _tokens(held).read_access(token)
    async with held.database.read() as session:
        if not await repository.is_live(session, claims.session_id, claims.account_id, _now(held)):
            raise UnauthenticatedError("the session has ended; sign in")
    return Access(claims.account_id, claims.session_id, claims.expires_at)


async def sign_out(held: Resources, access: Access) -> None:
    """End the session that asks."""
    async with held.database.write() as session:
        await repository.revoke(session, access.session_id, _now(held))


async def end_session(held: Resources, access: Access, session_id: str) -> None:
    """End one of the account's sessions; raises `SessionNotFoundError`."""
    async with held.database.write() as session:
        if not await repository.revoke(session, session_id, _now(held), access.account_id):
            raise SessionNotFoundError(f"the account has no live session {session_id}")


async def list_sessions(held: Resources, access: Access, page: PageRequest) -> schemas.SessionList:
    """List the account's live sessions."""
    window = _SESSIONS.window(page)
    async with held.database.read() as session:
        rows = await repository.sessions(session, access.account_id, _now(held), window)
    rows, next_cursor = _SESSIONS.cut(rows, page.limit, "id")
    items = [
        schemas.Session(
            id=row.id,
            wallet=row.wallet,
            user_agent=row.user_agent,
            created_at=row.created_at,
            last_used_at=row.last_used_at,
            expires_at=row.expires_at,
            is_current=row.id == access.session_id,
        )
        for row in rows
    ]
    return schemas.SessionList(items=items, next_cursor=next_cursor)


async def get_account(held: Resources, access: Access) -> schemas.Account:
    """Return the account that asks."""
    async with held.database.read() as session:
        row = await repository.account(session, access.account_id)
        wallets = await repository.wallets(session, access.account_id)
    if row is None:
        raise UnauthenticatedError("the account is gone; sign in")
    return schemas.Account(
        id=row.id,
        display_name=row.display_name,
        wallets=[schemas.LinkedWallet(address=wallet.address, linked_at=wallet.linked_at) for wallet in wallets],
        created_at=row.created_at,
    )


async def link_wallet(held: Resources, access: Access, signed: schemas.SignedMessage) -> schemas.Account:
    """Link the wallet that signed; again does nothing. Raises as `sign_in`, or `WalletTakenError`."""
    wallet = await _signer(held, signed, account_id=access.account_id)
    try:
        async with held.database.write() as session:
            owner = await repository.account_of(session, wallet)
            if owner is None:
                session.add(AccountWallet(address=wallet, account_id=access.account_id, linked_at=_now(held)))
    except IntegrityError:  # another request linked it in the meantime
        async with held.database.write() as session:
            owner = await repository.account_of(session, wallet)
    if owner not in {None, access.account_id}:
        raise WalletTakenError(f"{checksummed(wallet)} signs in to another account; unlink it there first")
    return await get_account(held, access)


async def unlink_wallet(held: Resources, access: Access, wallet: str) -> None:
    """Unlink a wallet and end the sessions that it opened. Raises `WalletNotLinkedError` or `LastWalletError`."""
    async with held.database.write() as session:
        linked = await repository.locked_wallets(session, access.account_id)
        if wallet not in linked:
            raise WalletNotLinkedError(f"{checksummed(wallet)} is not linked to this account")
        if len(linked) == 1:
            raise LastWalletError("link another wallet first, or nobody could sign in to this account again")
        await repository.unlink(session, wallet)
        await repository.revoke_of_wallet(session, access.account_id, wallet, _now(held))


async def wallets_of(held: Resources, account_id: int) -> frozenset[str]:
    """Return the addresses (lower case) of an account's wallets."""
    async with held.database.read() as session:
        return frozenset(row.address for row in await repository.wallets(session, account_id))


async def _signer(held: Resources, signed: schemas.SignedMessage, *, account_id: int | None) -> str:
    """Return the wallet (lower case) that signed a message of ours; raises `SignInRefusedError`."""
    try:
        message = siwe.parse(signed.message)
    except siwe.MalformedMessageError as error:
        raise SignInRefusedError(str(error)) from None
    now = _now(held)
    if (reason := _objection(held, message, now)) is not None:
        raise SignInRefusedError(reason)
    async with held.database.write() as session:  # used up by the attempt, whatever becomes of it
        is_good = await repository.use_nonce(session, message.nonce, account_id, now)
    if not is_good:
        raise SignInRefusedError("the nonce is not one for this, was used, or has expired; ask for a new challenge")
    if not await is_signed_by(held.rpc, message.address, signed.message, bytes.fromhex(signed.signature[2:])):
        raise SignInRefusedError(f"the signature is not one of {message.address} for this message")
    return message.address.lower()


def _objection(held: Resources, message: siwe.SignInMessage, now: datetime) -> str | None:
    """Say what is wrong with a message that is well formed; None: nothing."""
    chain_id = held.settings.chain.chain_id
    objections = {
        f"the message is for {message.domain}, which is not a frontend of this API": (
            message.domain not in held.settings.domains
        ),
        f"the message's URI is not on {message.domain}": urlsplit(message.uri).netloc != message.domain,
        "the message's version is not 1": message.version != "1",
        f"the message is for chain {message.chain_id}, but this is chain {chain_id}": message.chain_id != chain_id,
        "the message was issued in the future; set the clock": (
            message.issued_at > now + timedelta(seconds=CLOCK_SKEW_SECONDS)
        ),
        "the message has expired; ask for a new challenge": (
            message.expiration_time is not None and message.expiration_time <= now
        ),
        "the message is not valid yet": message.not_before is not None and message.not_before > now,
    }
    return next((reason for reason, holds in objections.items() if holds), None)


async def _open_session(held: Resources, wallet: str, user_agent: str, now: datetime) -> LoginSession:
    async with held.database.write() as session:
        account_id = await repository.account_of(session, wallet)
        if account_id is None:
            account_id = await _new_account(session, wallet, now)
        await repository.forget_expired_sessions(session, account_id, now)
        opened = LoginSession(
            id=uuid.uuid4().hex,
            account_id=account_id,
            wallet=wallet,
            user_agent=user_agent[:USER_AGENT_LENGTH],
            generation=0,
            created_at=now,
            last_used_at=now,
            expires_at=now + timedelta(seconds=REFRESH_SECONDS),
        )
        session.add(opened)
    return opened


async def _new_account(session: WriteSession, wallet: str, now: datetime) -> int:
    shown = checksummed(wallet)
    made = Account(
        display_name=f"{shown[:6]}…{shown[-4:]}", source=SOURCE, external_id=uuid.uuid4().hex, created_at=now
    )
    session.add(made)
    await session.flush()
    session.add(AccountWallet(address=wallet, account_id=made.id, linked_at=now))
    await session.flush()
    return made.id


def _pair(tokens: Tokens, account_id: int, session_id: str, generation: int) -> schemas.TokenPair:
    return schemas.TokenPair(
        access_token=tokens.access(account_id, session_id),
        expires_in=ACCESS_SECONDS,
        refresh_token=tokens.refresh(session_id, generation),
        refresh_expires_in=REFRESH_SECONDS,
        account_id=account_id,
    )


def _tokens(held: Resources) -> Tokens:
    return Tokens(held.settings.signing_key("tokens"), held.clock)


def _now(held: Resources) -> datetime:
    return datetime.fromtimestamp(held.clock(), UTC)
