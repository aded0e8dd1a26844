# pragma version 0.4.3
# pragma evm-version cancun
"""
@title OwnedWallet
@license Apache-2.0
@notice For tests: a contract wallet that takes its owner's signatures for its own (EIP-1271).
"""

VALID: constant(bytes4) = method_id("isValidSignature(bytes32,bytes)", output_type=bytes4)

OWNER: immutable(address)


@deploy
def __init__(owner: address):
    """
    @notice Makes the wallet of `owner`.
    @param owner Whose signatures are the wallet's.
    """
    OWNER = owner


@external
@view
def isValidSignature(digest: bytes32, signature: Bytes[65]) -> bytes4:
    """
    @notice Whether the owner signed `digest` (EIP-1271). Reverts where the signature is no signature at all.
    @param digest What was signed.
    @param signature r, s and v of the owner's signature.
    @return The function's own selector if so, else zero.
    """
    assert len(signature) == 65, "not a signature"
    r: uint256 = convert(slice(signature, 0, 32), uint256)
    s: uint256 = convert(slice(signature, 32, 32), uint256)
    v: uint256 = convert(slice(signature, 64, 1), uint256)
    if ecrecover(digest, v, r, s) == OWNER:
        return VALID
    return empty(bytes4)
