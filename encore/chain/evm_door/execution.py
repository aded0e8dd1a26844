"""eth_call and eth_estimateGas: messages run on a state that is thrown away, without fees."""

from collections.abc import Callable
from typing import Final, cast

from eth.abc import ComputationAPI, SignedTransactionAPI, StateAPI, UnsignedTransactionAPI
from eth.constants import CREATE_CONTRACT_ADDRESS
from eth.exceptions import InsufficientFunds, OutOfGas, VMError
from eth.vm.forks.cancun.transactions import CancunTransactionBuilder
from eth.vm.message import Message
from eth.vm.spoof import SpoofTransaction

from encore.chain.evm_door.errors import INVALID_INPUT, TRANSACTION_REJECTED, JsonRpcError, execution_failed
from encore.chain.evm_door.params import CallRequest
from encore.chain.evm_door.shapes import contract_address

_CALL_STIPEND: Final = 2_300
_TOLERANCE: Final = 0.015
"""How much more gas than needed an estimate may ask for, as a share of itself. Geth's."""


def call(state: StateAPI, request: CallRequest, gas_limit: int) -> bytes:
    """Return what `request` gives with `gas_limit` gas; raises `JsonRpcError` with the revert data where it fails."""
    computation = _run(state, request, gas_limit)
    if computation.is_error:
        raise execution_failed(computation)
    return computation.output


def estimate_gas(new_state: Callable[[], StateAPI], request: CallRequest, gas_limit: int) -> int:
    """Return an amount of gas at most `gas_limit` with which `request` succeeds on `new_state()`.

    Raises `JsonRpcError` where no amount is enough, with the revert data where it reverts.
    """
    if request.max_fee:
        gas_limit = min(gas_limit, (new_state().get_balance(request.sender) - request.value) // request.max_fee)
    if gas_limit < _unsigned(request).intrinsic_gas:
        raise _too_little_gas(gas_limit)
    computation = _run(new_state(), request, gas_limit)
    if computation.is_error:
        too_little = isinstance(computation.error, OutOfGas)
        raise _too_little_gas(gas_limit) if too_little else execution_failed(computation)

    used = gas_limit - computation.get_gas_remaining()
    low, high = used - 1, gas_limit
    # Calls keep a 64th of the gas back from what they call (EIP-150), so that more may have to be at hand than is used.
    guesses = [used, min((used + _CALL_STIPEND) * 64 // 63, gas_limit)]
    while high - low > max(1, high * _TOLERANCE):
        guess = guesses.pop(0) if guesses else (low + high) // 2
        if _run(new_state(), request, guess).is_error:
            low = guess
        else:
            high = guess
            guesses.clear()
    return high


def _run(state: StateAPI, request: CallRequest, gas: int) -> ComputationAPI:
    unsigned = _unsigned(request)
    if gas < unsigned.intrinsic_gas:
        raise JsonRpcError(INVALID_INPUT, "intrinsic gas too high -- CallGasCostMoreThanGasLimit")
    if request.to == CREATE_CONTRACT_ADDRESS:
        created = contract_address(request.sender, state.get_nonce(request.sender))
        code, data = request.data, b""
    else:
        created = None
        code, data = state.get_code(request.to), request.data
    state.increment_nonce(request.sender)
    message = Message(
        gas=gas - unsigned.intrinsic_gas,
        to=request.to,
        sender=request.sender,
        value=request.value,
        data=data,
        code=code,
        create_address=created,  # type: ignore[arg-type]  # None for a call
    )
    transaction = SpoofTransaction(unsigned, from_=request.sender)
    try:
        return state.get_transaction_executor().build_computation(message, cast("SignedTransactionAPI", transaction))
    except InsufficientFunds:
        raise JsonRpcError(TRANSACTION_REJECTED, "Insufficient funds for gas * price + value") from None
    except VMError as error:  # such as init code above the limit of EIP-3860
        raise JsonRpcError(TRANSACTION_REJECTED, str(error)) from error


def _unsigned(request: CallRequest) -> UnsignedTransactionAPI:
    return CancunTransactionBuilder.new_unsigned_dynamic_fee_transaction(
        chain_id=0,
        nonce=0,
        max_priority_fee_per_gas=request.max_priority_fee,
        max_fee_per_gas=request.max_fee,
        gas=0,
        to=request.to,
        value=request.value,
        data=request.data,
        access_list=request.access_list,
    )


def _too_little_gas(gas_limit: int) -> JsonRpcError:
    return JsonRpcError(TRANSACTION_REJECTED, f"Out of gas: gas required exceeds allowance: {max(gas_limit, 0)}")
