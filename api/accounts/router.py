"""HTTP of accounts: signing in, sessions, wallets."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, status

from api import problems
from api.accounts import schemas, service
from api.accounts.access import AccessDep, not_stored
from api.accounts.tokens import UnauthenticatedError
from api.deps import ResourcesDep
from api.pagination import InvalidCursorError, PageDep
from api.wire import AddressInput

router = APIRouter(
    tags=["accounts"], dependencies=[Depends(not_stored)], responses=problems.responses(problems.InvalidRequestError)
)

_OF_AN_ACCOUNT = problems.responses(UnauthenticatedError)
_SIGNED = problems.responses(service.SignInRefusedError, problems.InvalidRequestError, problems.ChainUnavailableError)


@router.post(
    "/auth/challenges",
    operation_id="createChallenge",
    summary="Get a message to sign in with",
    responses=problems.responses(problems.InvalidRequestError, service.UnknownDomainError),
)
async def create_challenge(held: ResourcesDep, request: schemas.ChallengeRequest) -> schemas.Challenge:
    """Return a Sign-In with Ethereum message (EIP-4361) whose nonce is good for one attempt within five minutes."""
    return await service.create_challenge(held, request, account_id=None)


@router.post(
    "/auth/sessions",
    operation_id="signIn",
    summary="Sign in with a wallet",
    responses=_SIGNED,
    status_code=status.HTTP_201_CREATED,
)
async def sign_in(
    held: ResourcesDep,
    signed: schemas.SignedMessage,
    user_agent: Annotated[str, Header(description="shown in the list of sessions")] = "",
) -> schemas.TokenPair:
    """Open a session for the wallet that signed; a wallet that was never here gets an account.

    Wallets with a key and contract wallets (EIP-1271) are accepted.
    """
    return await service.sign_in(held, signed, user_agent)


@router.post(
    "/auth/tokens",
    operation_id="refreshTokens",
    summary="Renew the tokens",
    responses=_OF_AN_ACCOUNT,
    status_code=status.HTTP_201_CREATED,
)
async def refresh_tokens(held: ResourcesDep, request: schemas.RefreshRequest) -> schemas.TokenPair:
    """Exchange the refresh token for the next pair. One that comes a second time ends its session."""
    return await service.refresh(held, request.refresh_token)


@router.delete(
    "/auth/session",
    operation_id="signOut",
    summary="Sign out",
    responses=_OF_AN_ACCOUNT,
    status_code=status.HTTP_204_NO_CONTENT,
)
async def sign_out(held: ResourcesDep, access: AccessDep) -> None:
    """End the session that asks; its tokens are worth nothing from now on."""
    await service.sign_out(held, access)


@router.get("/me", operation_id="getAccount", summary="Get the account that is signed in", responses=_OF_AN_ACCOUNT)
async def get_account(held: ResourcesDep, access: AccessDep) -> schemas.Account:
    """Return the account with its wallets."""
    return await service.get_account(held, access)


@router.get(
    "/me/sessions",
    operation_id="listSessions",
    summary="List the account's sessions",
    responses=_OF_AN_ACCOUNT | problems.responses(problems.InvalidRequestError, InvalidCursorError),
)
async def list_sessions(held: ResourcesDep, access: AccessDep, page: PageDep) -> schemas.SessionList:
    """List the sessions that are live."""
    return await service.list_sessions(held, access, page)


@router.delete(
    "/me/sessions/{session_id}",
    operation_id="endSession",
    summary="End a session",
    responses=_OF_AN_ACCOUNT | problems.responses(service.SessionNotFoundError),
    status_code=status.HTTP_204_NO_CONTENT,
)
async def end_session(
    held: ResourcesDep,
    access: AccessDep,
    session_id: Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="the session's id")],
) -> None:
    """End one of the account's sessions, as on a device that was lost."""
    await service.end_session(held, access, session_id)


@router.post(
    "/me/wallets/challenges",
    operation_id="createLinkChallenge",
    summary="Get a message to link a wallet with",
    responses=_OF_AN_ACCOUNT | problems.responses(problems.InvalidRequestError, service.UnknownDomainError),
)
async def create_link_challenge(
    held: ResourcesDep, access: AccessDep, request: schemas.ChallengeRequest
) -> schemas.Challenge:
    """Return a message for another wallet to sign; its nonce links to this account alone, and signs nobody in."""
    return await service.create_challenge(held, request, access.account_id)


@router.post(
    "/me/wallets",
    operation_id="linkWallet",
    summary="Link a wallet",
    responses=_SIGNED | problems.responses(service.SignInRefusedError, UnauthenticatedError, service.WalletTakenError),
)
async def link_wallet(held: ResourcesDep, access: AccessDep, signed: schemas.SignedMessage) -> schemas.Account:
    """Link the wallet that signed, so that it signs in to this account too; returns the account."""
    return await service.link_wallet(held, access, signed)


@router.delete(
    "/me/wallets/{address}",
    operation_id="unlinkWallet",
    summary="Unlink a wallet",
    responses=_OF_AN_ACCOUNT | problems.responses(service.WalletNotLinkedError, service.LastWalletError),
    status_code=status.HTTP_204_NO_CONTENT,
)
async def unlink_wallet(
    held: ResourcesDep, access: AccessDep, address: Annotated[AddressInput, Path(description="the wallet")]
) -> None:
    """Unlink a wallet and end the sessions that it opened; the last one stays."""
    await service.unlink_wallet(held, access, address)
