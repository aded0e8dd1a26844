"""Puts the oracle together from settings, and waits for what it stands on."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

import structlog
from eth_utils.address import to_checksum_address

from encore.chain.deployments import Deployment, load_deployment
from encore.chain.outbox import FeePolicy, GasBudget, Node, OutboxSender, Signer
from encore.chain.outbox.fees import GWEI
from encore.chain.rpc import RpcClient
from encore.db import Database
from encore.errors import DeploymentError, RpcError, RpcUnavailableError
from encore.settings import Settings
from oracle.context import Context
from oracle.contracts import Contracts
from oracle.distributions import Distributor
from oracle.errors import PausedError, WrongChainError
from oracle.gas import GasOutlook, GasPrices
from oracle.launches import Launcher
from oracle.publisher import METRICS_KIND, Publisher
from oracle.releases import Releaser
from oracle.repository import overview, publishing, state
from oracle.repository.launching import LAUNCH_KIND
from oracle.repository.state import State
from oracle.sync import Sync
from oracle.telemetry import Observation

WAIT_SECONDS: Final = 1.0
SECONDS_BETWEEN_REMINDERS: Final = 30.0
RECENT: Final = timedelta(hours=1)
"""How long a failure counts as recent."""
QUORUM_GAS_MARGIN_PERCENT: Final = 500
"""Whoever's report completes a quorum publishes, which takes more than a report that waits, as all were estimated."""

T = TypeVar("T")

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Oracle:
    """The parts of one oracle, ready to work."""

    settings: Settings
    database: Database
    rpc: RpcClient
    context: Context
    contracts: Contracts
    signer: Signer
    publisher: Publisher
    sync: Sync
    launcher: Launcher
    releaser: Releaser
    distributor: Distributor
    node: Node
    outbox: OutboxSender
    gas_budget: GasBudget
    gas_prices: GasPrices

    async def state(self) -> State:
        """Return when everything was last written, and whether the oracle is paused."""
        async with self.database.read() as session:
            return await state.state_of(session, self.settings.chain.chain_id)

    async def check_not_paused(self) -> None:
        """Raise `PausedError` while the oracle is paused."""
        pause = (await self.state()).pause
        if pause is not None:
            raise PausedError(
                f"the oracle is paused since {pause.since:%Y-%m-%d %H:%M} UTC: {pause.reason}; "
                "`encore oracle resume` lets it go on"
            )

    async def balance(self) -> int:
        """Return the key's native wei in the newest block."""
        return int(await self.rpc.call("eth_getBalance", self.signer.address, "latest"), 16)


def assemble(settings: Settings, database: Database, rpc: RpcClient, deployment: Deployment) -> Oracle:
    """Build an oracle for the contracts of `deployment`."""
    network = settings.chain
    signer = Signer(settings.oracle_key(), network.chain_id)
    contracts = Contracts(rpc, deployment)
    context = Context(database, contracts, network.chain_id, signer.address, utc_now)
    publisher = Publisher(context)
    node = Node(rpc, network, signer.address)
    gas_budget = _gas_budget(settings)
    return Oracle(
        settings=settings,
        database=database,
        rpc=rpc,
        context=context,
        contracts=contracts,
        signer=signer,
        publisher=publisher,
        sync=Sync(context, publisher),
        launcher=Launcher(context),
        releaser=Releaser(context),
        distributor=Distributor(context),
        node=node,
        outbox=OutboxSender(database, node, signer, _fee_policy(settings, gas_budget), utc_now),
        gas_budget=gas_budget,
        gas_prices=GasPrices(database, node, timedelta(hours=settings.oracle_patience_hours), utc_now),
    )


async def observe(oracle: Oracle, gas: GasOutlook) -> Observation:
    """Look at an oracle, for its telemetry."""
    chain_id, sender, now = oracle.context.chain_id, oracle.context.sender, oracle.context.clock()
    async with oracle.database.read() as session:
        entries = await overview.outbox(session, chain_id, sender)
        undecided = await overview.open_entries(session, chain_id, sender, now - RECENT)
    newest = await oracle.rpc.call("eth_getBlockByNumber", "latest", False)
    return Observation(
        at=now,
        block_time=datetime.fromtimestamp(int(newest["timestamp"], 16), UTC),
        state=await oracle.state(),
        entries=entries,
        open=undecided,
        balance=await oracle.balance(),
        spending=await oracle.outbox.spending(),
        gas=gas,
        is_authorised=await oracle.contracts.is_oracle(sender),
    )


def _fee_policy(settings: Settings, budget: GasBudget) -> FeePolicy:
    margins = {METRICS_KIND: QUORUM_GAS_MARGIN_PERCENT} if settings.required_oracles > 1 else {}
    return FeePolicy(settings.oracle_max_fee_gwei * GWEI, budget, margins)


def _gas_budget(settings: Settings) -> GasBudget:
    daily = settings.oracle_gas_budget_wei
    reserve = (daily or 0) * settings.oracle_gas_reserve_percent // 100
    return GasBudget(daily, reserve, frozenset({LAUNCH_KIND}))


def utc_now() -> datetime:
    """Return the time of day."""
    return datetime.now(UTC)


async def wait_until_ready(settings: Settings, database: Database, rpc: RpcClient) -> Oracle:
    """Wait for deployment, chain and mirror, saying so; raises what waiting cannot mend."""

    async def deployed() -> Deployment | None:
        deployment = load_deployment(settings.deployment_path)
        return deployment if await Contracts(rpc, deployment).are_deployed() else None

    await _check_chain(settings, rpc)
    deployment = await _patiently("the contracts are not deployed yet", deployed)
    oracle = assemble(settings, database, rpc, deployment)
    await oracle.publisher.check_authorised()
    head = int(await rpc.call("eth_blockNumber"), 16)

    async def mirrored() -> bool:
        async with database.read() as session:
            block = await publishing.indexed_block(session, settings.chain.chain_id)
            return block is not None and block >= head and await publishing.requirements(session) is not None

    await _patiently(f"the mirror has not reached block {head} yet (is the indexer running?)", mirrored)
    _log.info("oracle ready", address=to_checksum_address(oracle.signer.address), network=settings.network)
    return oracle


async def _check_chain(settings: Settings, rpc: RpcClient) -> None:
    async def chain_id() -> int:
        return int(await rpc.call("eth_chainId"), 16)

    served = await _patiently("the chain does not answer yet", chain_id)
    if served != settings.chain.chain_id:
        raise WrongChainError(
            f"{settings.endpoints[0]} serves chain {served}, but {settings.network} is chain "
            f"{settings.chain.chain_id}; check ENCORE_RPC_URLS and ENCORE_NETWORK"
        )


async def _patiently(obstacle: str, probe: Callable[[], Awaitable[T | None]]) -> T:
    """Return the first truthy answer of `probe`; what is missing counts as no answer, and is told now and then."""
    waited = 0.0
    while True:
        reason = obstacle
        try:
            answer = await probe()
        except (DeploymentError, RpcError, RpcUnavailableError) as error:
            answer, reason = None, f"{obstacle}: {error}"
        if answer:
            return answer
        if waited % SECONDS_BETWEEN_REMINDERS == 0:
            _log.info("waiting", reason=reason)
        await asyncio.sleep(WAIT_SECONDS)
        waited += WAIT_SECONDS
