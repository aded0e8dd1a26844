"""Tokens: short-lived ones that a request carries, and ones that fetch the next pair, each good once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import jwt

from api.problems import ProblemError

ACCESS_SECONDS: Final = 15 * 60
REFRESH_SECONDS: Final = 7 * 86_400
ISSUER: Final = "encore"
ACCESS: Final = "access"
REFRESH: Final = "refresh"


class UnauthenticatedError(ProblemError):
    """The request carries no access token, or one that is not, or no longer, good."""

    status = 401
    slug = "unauthenticated"
    title = "Sign in first"
    headers: ClassVar[Mapping[str, str]] = {"WWW-Authenticate": "Bearer"}


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """What an access token says; `expires_at` in unix seconds."""

    account_id: int
    session_id: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class RefreshClaims:
    """What a refresh token says."""

    session_id: str
    generation: int


class Tokens:
    """Issues and reads tokens (JWT, HS256) with a key of at least 32 bytes; `clock` in unix seconds."""

    def __init__(self, key: bytes, clock: Callable[[], float]) -> None:
        self._key = key
        self._clock = clock

    def access(self, account_id: int, session_id: str) -> str:
        """Issue an access token."""
        return self._issue(ACCESS, ACCESS_SECONDS, {"sub": str(account_id), "sid": session_id})

    def refresh(self, session_id: str, generation: int) -> str:
        """Issue the refresh token of one generation of a session."""
        return self._issue(REFRESH, REFRESH_SECONDS, {"sid": session_id, "gen": generation})

    def read_access(self, token: str) -> AccessClaims:
        """Read an access token; raises `UnauthenticatedError`."""
        claims = self._read(ACCESS, token, ["sub", "sid"])
        return AccessClaims(int(claims["sub"]), claims["sid"], claims["exp"])

    def read_refresh(self, token: str) -> RefreshClaims:
        """Read a refresh token; raises `UnauthenticatedError`."""
        claims = self._read(REFRESH, token, ["sid", "gen"])
        return RefreshClaims(claims["sid"], claims["gen"])

    def _issue(self, kind: str, seconds: int, claims: Mapping[str, Any]) -> str:
        now = int(self._clock())
        fixed = {"iss": ISSUER, "aud": kind, "iat": now, "exp": now + seconds}
        return jwt.encode({**fixed, **claims}, self._key, algorithm="HS256")

    def _read(self, kind: str, token: str, claims: list[str]) -> dict[str, Any]:
        try:
            read = jwt.decode(
                token,
                self._key,
                algorithms=["HS256"],
                audience=kind,
                issuer=ISSUER,
                options={"require": ["exp", *claims], "verify_exp": False, "verify_iat": False},  # our clock, below
            )
        except jwt.InvalidTokenError:
            raise UnauthenticatedError(f"this is not an {kind} token of this API; sign in") from None
        if read["exp"] <= self._clock():
            raise UnauthenticatedError(f"the {kind} token has expired; {_WHAT_NEXT[kind]}")
        return read


_WHAT_NEXT: Final = {ACCESS: "fetch the next one with the refresh token", REFRESH: "sign in"}
