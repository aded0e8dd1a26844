from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st

from api.listening.wallets import FIRST_CREATOR_INDEX, CreatorWallets
from encore.chain.networks import LOCAL_MNEMONIC

WALLETS = CreatorWallets(LOCAL_MNEMONIC)


@settings(max_examples=25, deadline=None)
@given(creator_id=st.integers(min_value=1, max_value=2**31 - 1 - FIRST_CREATOR_INDEX))
def test_a_wallet_is_the_account_that_eth_account_derives_from_the_mnemonic(creator_id: int) -> None:
    Account.enable_unaudited_hdwallet_features()
    path = f"m/44'/60'/0'/0/{FIRST_CREATOR_INDEX + creator_id}"

    assert WALLETS.address(creator_id) == Account.from_mnemonic(LOCAL_MNEMONIC, account_path=path).address.lower()


def test_wallets_are_distinct_and_none_is_a_funded_account() -> None:
    Account.enable_unaudited_hdwallet_features()
    funded = {
        Account.from_mnemonic(LOCAL_MNEMONIC, account_path=f"m/44'/60'/0'/0/{index}").address.lower()
        for index in range(10)
    }
    creators = {WALLETS.address(creator_id) for creator_id in range(1, 2_001)}

    assert len(creators) == 2_000
    assert not creators & funded
