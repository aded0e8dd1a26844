"""Every setting, read from `ENCORE_…` variables and `.env`, validated at start with all problems listed at once."""

import hmac
import re
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from eth_account import Account
from eth_account.signers.local import LocalAccount
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy import make_url

from encore import PROJECT_ROOT
from encore.chain.keys import key_from_keystore, read_passphrase
from encore.chain.networks import LOCAL_MNEMONIC, Network, network_named
from encore.errors import SettingsError, UnknownNetworkError

_DOMAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?")
_HTTP_URL = re.compile(r"https?://[^\s/?#]+(?:/[^\s?#]*)?")
_DSN = re.compile(r"https?://[\w-]+(?::[\w-]+)?@[^\s/?#@]+/(?:[^\s?#]*/)?[0-9]+")

Port = Annotated[int, Field(ge=1, le=65535)]

ORACLE_ACCOUNT_INDEX = 1
"""Which account of the local chain's mnemonic is the oracle; `ape run deploy` grants it the role there."""

SECRET_MINIMUM_LENGTH = 32
LOCAL_API_SECRET = "signs nothing of worth: for local chains alone"  # noqa: S105 - it is no secret
"""What stands in for ENCORE_API_SECRET on the local chain."""
PUBLIC_REQUESTS_PER_MINUTE = 600
"""How often one may ask unless ENCORE_REQUESTS_PER_MINUTE says otherwise."""
DEVELOPMENT_PORTS = (3000, 5173)
"""Where frontends are usually served while they are developed."""

LOCAL_LAUNCH_SEED = 100
PUBLIC_LAUNCH_SEED = 1
"""Native coins that a launch must bring unless ENCORE_LAUNCH_SEED says otherwise."""

LOCAL_ORACLE_QUORUM = 1
PUBLIC_ORACLE_QUORUM = 5
"""Oracles that must agree unless ENCORE_ORACLE_QUORUM says otherwise; five stand two liars."""

PUBLIC_GAS_BUDGET = 1
"""Native coins of gas a day on public networks unless ENCORE_ORACLE_GAS_BUDGET says otherwise."""


class Settings(BaseSettings):
    """The settings of one process; build it with `load_settings` so that mistakes become one clear message."""

    model_config = SettingsConfigDict(env_prefix="ENCORE_", env_file=".env", extra="ignore", frozen=True)

    network: str = Field("local", description="which chain: local, sepolia, polygon-amoy, …")
    data_dir: Path = Field(PROJECT_ROOT / ".encore", description="chain state, database and logs of the local stack")
    chain_port: Port = Field(8545, description="port of the local chain")
    rpc_urls: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="JSON-RPC endpoints, comma-separated, in order of preference; default: the local chain"
    )
    api_host: str = Field("127.0.0.1", description="address the API listens on")
    api_port: Port = Field(8000, description="port the API listens on")
    api_cache_megabytes: int = Field(
        64, ge=0, description="memory of one API process for ready pages of the newest indexed block; 0 for none"
    )
    api_secret: SecretStr | None = Field(
        None,
        description="what the API signs tokens and webhooks with, at least 32 characters; optional locally",
    )
    sign_in_domains: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="hosts (with their port) of the frontends that wallets may sign in to, comma-separated; "
        "default locally: the API's own and the usual development servers",
    )
    requests_per_minute: int | None = Field(
        None,
        ge=0,
        description="how often an account, or an address, may ask in a minute; default: 0 (any) locally, else 600",
    )
    redis_url: str = Field(
        "", description="redis://… where several API processes count together and wake each other; empty: each"
    )
    trusted_proxies: str = Field(
        "127.0.0.1", description="addresses of proxies whose X-Forwarded-For tells who asks, comma-separated"
    )
    webhook_private_targets: bool | None = Field(
        None, description="whether webhooks may lead to private addresses and plain http; default: only locally"
    )
    webhook_log_days: int = Field(
        30, ge=1, description="days for which finished deliveries of webhooks are kept, and can be sent again"
    )
    database_url: str = Field("", description="sqlite:///… or postgresql://…; default: SQLite in the data folder")
    launch_min_streams: int = Field(50_000, ge=0, description="monthly streams a launch requires, written on chain")
    launch_min_followers: int = Field(5_000, ge=0, description="followers a launch requires, written on chain")
    launch_seed: Decimal | None = Field(
        None,
        gt=0,
        le=1_000_000,
        decimal_places=18,
        description="native coins that a launch seeds its pool with, at least, written on chain; "
        "default: 100 locally, where the safeguards shall leave room to trade, and 1 elsewhere",
    )
    oracle_quorum: int | None = Field(
        None,
        ge=1,
        description="how many oracles must report for one epoch, odd, written on chain: k stand (k - 1) / 2 liars; "
        "default: 1 locally, else 5",
    )
    media_base_url: str = Field(
        "", max_length=100, description="what MusicNFT's metadata put before a piece's CID, written on chain"
    )
    collectables_base_url: str = Field(
        "", max_length=100, description="what SparkNFT's metadata put before a token's ID, written on chain"
    )
    verifier_url: str = Field(
        "https://sourcify.dev/server",
        description="Sourcify server where a deployment on a public network publishes its sources; empty for none",
    )
    oracle_private_key: SecretStr | None = Field(None, description="0x-prefixed key of the oracle; optional locally")
    oracle_keystore: str = Field(
        "",
        description="instead: path of an encrypted keystore (JSON V3) with that key, or alias of an Ape account",
    )
    oracle_passphrase: SecretStr | None = Field(None, description="passphrase of that keystore")
    oracle_passphrase_file: Path | None = Field(None, description="instead: the file whose first line it is")
    oracle_max_fee_gwei: int = Field(1_000, ge=1, description="the most that the oracle offers for gas, in gwei")
    oracle_gas_budget: Decimal | None = Field(
        None,
        gt=0,
        le=1_000_000,
        decimal_places=18,
        description="native coins that the oracle may spend on gas in a day (UTC); default: no limit locally, else 1",
    )
    oracle_gas_reserve_percent: int = Field(
        20, ge=0, le=100, description="how much of that budget is kept for launches, which are urgent"
    )
    oracle_patience_hours: float = Field(
        6, ge=0, description="how long figures, releases and distributions may wait for cheaper gas; 0 for not at all"
    )
    oracle_low_balance: Decimal = Field(
        Decimal(1), ge=0, decimal_places=18, description="native coins below which the oracle's balance is warned of"
    )
    api_metrics_host: str = Field("127.0.0.1", description="address the API's metrics and health listen on")
    api_metrics_port: int = Field(0, ge=0, le=65535, description="port of the same; 0 for none")
    oracle_metrics_host: str = Field("127.0.0.1", description="address the oracle's metrics and health listen on")
    oracle_metrics_port: int = Field(0, ge=0, le=65535, description="port of the same; 0 for none")
    indexer_calls_per_second: float = Field(
        0, ge=0, description="the most JSON-RPC calls a second that the indexer sends one endpoint; 0 for no limit"
    )
    indexer_metrics_host: str = Field("127.0.0.1", description="address the indexer's metrics and health listen on")
    indexer_metrics_port: int = Field(0, ge=0, le=65535, description="port of the same; 0 for none")
    webhooks_metrics_host: str = Field("127.0.0.1", description="address the metrics and health of webhooks listen on")
    webhooks_metrics_port: int = Field(0, ge=0, le=65535, description="port of the same; 0 for none")
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="DEBUG, INFO, WARNING or ERROR")
    log_format: str = Field("console", pattern="^(console|json)$", description="console or json")
    sentry_dsn: str = Field("", description="https://key@host/project of Sentry, to report errors to; empty for none")
    otlp_endpoint: str = Field(
        "", description="http(s)://host:4318 of an OpenTelemetry collector, to send traces to; empty for none"
    )

    @field_validator("rpc_urls", "sign_in_domains", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("rpc_urls")
    @classmethod
    def _check_urls(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        for url in urls:
            if not url.startswith(("http://", "https://")):
                raise ValueError(f"{url!r} is not an http(s) URL")
        return urls

    @field_validator("sign_in_domains")
    @classmethod
    def _check_domains(cls, domains: tuple[str, ...]) -> tuple[str, ...]:
        for domain in domains:
            if not _DOMAIN.fullmatch(domain):
                raise ValueError(f"{domain!r} is not a host, or a host and its port")
        return domains

    @field_validator("api_secret")
    @classmethod
    def _check_secret(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and len(secret.get_secret_value()) < SECRET_MINIMUM_LENGTH:
            raise ValueError(f"must be at least {SECRET_MINIMUM_LENGTH} characters long")
        return secret

    @field_validator("oracle_quorum")
    @classmethod
    def _check_quorum(cls, quorum: int | None) -> int | None:
        if quorum is not None and quorum % 2 == 0:
            raise ValueError("must be odd: an even quorum has no median report")
        return quorum

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        return path.expanduser().resolve()

    @field_validator("network")
    @classmethod
    def _check_network(cls, name: str) -> str:
        try:
            return network_named(name).name
        except UnknownNetworkError as error:
            raise ValueError(str(error)) from None

    @field_validator("database_url")
    @classmethod
    def _check_database_url(cls, url: str) -> str:
        if url and not url.startswith(("sqlite:///", "postgresql://")):
            raise ValueError("must start with sqlite:/// or postgresql://")
        return url

    @field_validator("redis_url")
    @classmethod
    def _check_redis_url(cls, url: str) -> str:
        if url and not url.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("must start with redis://, rediss:// or unix://")
        return url

    @field_validator("sentry_dsn")
    @classmethod
    def _check_dsn(cls, dsn: str) -> str:
        if dsn and not _DSN.fullmatch(dsn):
            raise ValueError("must be https://key@host/project, as Sentry shows it")
        return dsn

    @field_validator("otlp_endpoint")
    @classmethod
    def _check_endpoint(cls, url: str) -> str:
        if url and not _HTTP_URL.fullmatch(url):
            raise ValueError("must be an http(s) URL without a query; /v1/traces is added to it")
        return url

    @field_validator("oracle_private_key")
    @classmethod
    def _check_key(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None:
            try:
                Account.from_key(key.get_secret_value())
            except Exception:  # noqa: BLE001 - every way a key can be wrong gets the same answer, without the key
                raise ValueError("not a private key: expected 0x and 64 hexadecimal digits") from None
        return key

    @cached_property
    def chain(self) -> Network:
        """The network named by `network`."""
        return network_named(self.network)

    @property
    def runs_own_chain(self) -> bool:
        """Whether `encore up` starts the chain itself: on the local network, unless endpoints were given."""
        return self.chain.is_local and not self.rpc_urls

    @cached_property
    def endpoints(self) -> tuple[str, ...]:
        """JSON-RPC endpoints in order of preference."""
        if self.rpc_urls:
            return self.rpc_urls
        if self.chain.is_local:
            return (f"http://127.0.0.1:{self.chain_port}",)
        raise SettingsError(f"ENCORE_RPC_URLS is required on {self.network}")

    @property
    def launch_seed_wei(self) -> int:
        """The least seed of a launch, in wei of the native coin."""
        seed = self.launch_seed or Decimal(LOCAL_LAUNCH_SEED if self.chain.is_local else PUBLIC_LAUNCH_SEED)
        return int(seed * 10**18)

    @property
    def required_oracles(self) -> int:
        """How many oracles must report for the same epoch."""
        return self.oracle_quorum or (LOCAL_ORACLE_QUORUM if self.chain.is_local else PUBLIC_ORACLE_QUORUM)

    @property
    def oracle_gas_budget_wei(self) -> int | None:
        """What the oracle may spend on gas in a day, in wei; None for no limit."""
        budget = self.oracle_gas_budget or (None if self.chain.is_local else Decimal(PUBLIC_GAS_BUDGET))
        return None if budget is None else int(budget * 10**18)

    @property
    def oracle_low_balance_wei(self) -> int:
        """The wei below which the oracle's balance is warned of."""
        return int(self.oracle_low_balance * 10**18)

    @cached_property
    def database(self) -> str:
        """The database URL in its public form (`sqlite:///…` or `postgresql://…`)."""
        return self.database_url or f"sqlite:///{self.data_dir}/encore.db"

    @property
    def database_name(self) -> str:
        """The database URL without its password, for people to read."""
        return make_url(self.database).render_as_string(hide_password=True)

    @cached_property
    def deployment_path(self) -> Path:
        """The registry of deployed contracts: committed for public networks, in the data folder for the local chain."""
        folder = self.data_dir / "deployments" if self.chain.is_local else PROJECT_ROOT / "deployments"
        return folder / f"{self.network}.json"

    def check_for_api(self) -> None:
        """Raise `SettingsError` naming all that the API needs on a public network and that is missing."""
        if self.chain.is_local:
            return
        needed = {"ENCORE_API_SECRET": self.api_secret, "ENCORE_SIGN_IN_DOMAINS": self.sign_in_domains}
        missing = [name for name, value in needed.items() if not value]
        if missing:
            raise SettingsError(f"the API needs {' and '.join(missing)} on {self.network}")

    def signing_key(self, purpose: str) -> bytes:
        """Return the 32-byte key for one `purpose`, derived from the API's secret (HMAC-SHA256).

        On the local chain a development secret stands in for a missing one.
        """
        self.check_for_api()
        secret = LOCAL_API_SECRET if self.api_secret is None else self.api_secret.get_secret_value()
        return hmac.digest(secret.encode(), purpose.encode(), "sha256")

    @property
    def request_limit(self) -> int:
        """How often one account or address may ask in a minute; 0 for any."""
        if self.requests_per_minute is None:
            return 0 if self.chain.is_local else PUBLIC_REQUESTS_PER_MINUTE
        return self.requests_per_minute

    @property
    def allows_private_webhooks(self) -> bool:
        """Whether webhooks may lead into private networks, and go over plain http."""
        return self.chain.is_local if self.webhook_private_targets is None else self.webhook_private_targets

    @cached_property
    def domains(self) -> tuple[str, ...]:
        """The hosts that wallets may sign in to; the first is the one where none is named."""
        return self.sign_in_domains or tuple(
            f"{host}:{port}" for port in (self.api_port, *DEVELOPMENT_PORTS) for host in ("localhost", "127.0.0.1")
        )

    def oracle_key(self) -> str:
        """Return the oracle's private key; on the local chain a development key stands in for a missing one.

        Raises `SettingsError` on a public network without a key, `KeystoreError` where the keystore does not open.
        """
        if self.oracle_keystore and self.oracle_private_key is not None:
            raise SettingsError("ENCORE_ORACLE_PRIVATE_KEY and ENCORE_ORACLE_KEYSTORE are both set: keep one")
        if self.oracle_keystore:
            return key_from_keystore(self.oracle_keystore, self._oracle_passphrase())
        if self.oracle_private_key is not None:
            return self.oracle_private_key.get_secret_value()
        if not self.chain.is_local:
            raise SettingsError(f"ENCORE_ORACLE_KEYSTORE or ENCORE_ORACLE_PRIVATE_KEY is required on {self.network}")
        return local_account_key(ORACLE_ACCOUNT_INDEX)

    def _oracle_passphrase(self) -> str:
        if self.oracle_passphrase is not None:
            return self.oracle_passphrase.get_secret_value()
        if self.oracle_passphrase_file is not None:
            return read_passphrase(self.oracle_passphrase_file)
        raise SettingsError("ENCORE_ORACLE_KEYSTORE needs ENCORE_ORACLE_PASSPHRASE or ENCORE_ORACLE_PASSPHRASE_FILE")


def local_account_key(index: int) -> str:
    """Return the private key of account `index` of the local chain's public mnemonic."""
    return "0x" + bytes(_local_account(index).key).hex()


def local_account_address(index: int) -> str:
    """Return the checksummed address of account `index` of the local chain's public mnemonic."""
    return str(_local_account(index).address)


def _local_account(index: int) -> LocalAccount:
    Account.enable_unaudited_hdwallet_features()
    account: LocalAccount = Account.from_mnemonic(LOCAL_MNEMONIC, account_path=f"m/44'/60'/0'/0/{index}")
    return account


def load_settings(**overrides: Any) -> Settings:
    """Read settings from the environment, `.env` and `overrides` (which win; `None` means not given).

    Raises `SettingsError` listing every wrong setting by its variable's name, never by its value.
    """
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        problems = [
            f"  ENCORE_{str(problem['loc'][0]).upper()}: {problem['msg'].removeprefix('Value error, ')}"
            for problem in error.errors(include_input=False, include_context=False)
        ]
        raise SettingsError("these settings are wrong:\n" + "\n".join(problems)) from None
