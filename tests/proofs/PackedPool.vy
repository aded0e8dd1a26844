# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Proofs of the exchange's packed pools
@license Apache-2.0
@notice Its prices are proved by exact.py.
"""

from contracts.exchange import IntegratedCreatorDEX as dex
from contracts.interfaces import ITokenDeploymentFactory
from tests.proofs import claim

initializes: dex


@deploy
def __init__():
    dex.__init__(ITokenDeploymentFactory(self))


@external
def store(native: uint256, token: uint256):
    dex._store(self, empty(dex.Pool), native, token)


@external
def check_a_stored_pool_is_loaded_whole_and_a_larger_one_refused(native: uint256, token: uint256, time: uint256):
    assert time < 2**40
    claim._warp(time)
    stored: bool = raw_call(
        self, abi_encode(native, token, method_id=method_id("store(uint256,uint256)")), revert_on_failure=False
    )
    claim._holds(stored == (native <= dex.MAXIMUM_RESERVE and token <= dex.MAXIMUM_RESERVE))
    assert stored and max(native, max(token, time)) > 0
    pool: dex.Pool = dex._load(self)
    claim._holds(pool.native == native)
    claim._holds(pool.token == token)
    claim._holds(pool.updatedAt == time)
