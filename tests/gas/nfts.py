"""Gas of the NFTs, of gated content and of the marketplace."""

from tests.contracts_on_anvil import HOUR, ZERO_ADDRESS, Contract, Economy
from tests.gas.meter import (
    BUYER,
    COIN,
    CREATOR,
    DAY,
    FAN,
    HOLDER,
    STRANGER,
    Meter,
    account,
    measure_ownership,
    measure_roles,
)
from tests.gas.references import MINT_NFT

PIECE = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi"
DROP = ("Song", PIECE, 500, 100, False, ZERO_ADDRESS, COIN)
FIRST_EDITION = (1 << 128) + 1
MARKETED = 8  # editions of HOLDER that are traded


async def measure_music(meter: Meter, economy: Economy) -> None:
    """Measure drops and editions; HOLDER then holds more than the marketplace needs."""
    music = economy.contracts["MusicNFT"]
    await meter.send(music, "createDrop", *DROP, sender=CREATOR)
    await music.send("mintEdition", 1, account(HOLDER), sender=CREATOR)
    await meter.send(music, "mintEdition", 1, account(HOLDER), reference=MINT_NFT, sender=CREATOR)
    for _ in range(MARKETED):
        await music.send("mintEdition", 1, account(HOLDER), sender=CREATOR)
    sale = (1, ZERO_ADDRESS, COIN)
    await music.send("buyEdition", *sale, sender=HOLDER, value=COIN)
    await meter.send(music, "buyEdition", *sale, note="for native coin", sender=HOLDER, value=COIN)
    exclusive = (account(FAN), "Only one", "bafkreigh2akiscaildc", 10, 1)
    await meter.send(music, "mintExclusiveTrack", *exclusive, sender=CREATOR)
    await meter.send(music, "setSale", 1, ZERO_ADDRESS, 2 * COIN, sender=CREATOR)
    await meter.send(music, "withdrawProceeds", account(CREATOR))
    await music.send("buyEdition", 1, ZERO_ADDRESS, 2 * COIN, sender=HOLDER, value=2 * COIN)
    await meter.send(music, "withdrawProceedsTo", account(STRANGER), sender=CREATOR)
    await meter.send(music, "setMediaBaseUri", "https://media.example/pieces/")
    await _measure_erc721(meter, music, FIRST_EDITION)
    await measure_roles(meter, music, "CREATOR_ROLE")


async def measure_spark_nft(meter: Meter, economy: Economy) -> None:
    """Measure the platform's own NFT."""
    nft = economy.contracts["SparkNFT"]
    await nft.send("mint", account(HOLDER))
    await meter.send(nft, "mint", account(HOLDER), reference=MINT_NFT)
    await meter.send(nft, "setRoyalty", account(FAN), 700)
    await meter.send(nft, "setBaseUri", "ipfs://another/")
    await _measure_erc721(meter, nft, 1)
    await measure_roles(meter, nft, "MINTER_ROLE")


async def _measure_erc721(meter: Meter, nft: Contract, token_id: int) -> None:
    to_fan, back = ((account(HOLDER), account(FAN), token_id), (account(FAN), account(HOLDER), token_id))
    await meter.send(nft, "transferFrom", *to_fan, sender=HOLDER)
    await nft.send("transferFrom", *back, sender=FAN)
    await meter.send(nft, "safeTransferFrom", *to_fan, sender=HOLDER)
    await nft.send("transferFrom", *back, sender=FAN)
    await meter.send(nft, "safeTransferFrom", *to_fan, b"for you", note="with data", sender=HOLDER)
    await nft.send("transferFrom", *back, sender=FAN)
    await meter.send(nft, "approve", account(FAN), token_id, sender=HOLDER)
    await meter.send(nft, "setApprovalForAll", account(FAN), True, sender=HOLDER)


async def measure_access(meter: Meter, economy: Economy) -> None:
    """Measure gates and grants of content."""
    access, music = economy.contracts["ContentAccess"], economy.contracts["MusicNFT"]
    await meter.send(access, "setContentAccess", PIECE, account(CREATOR), COIN, note="first", sender=CREATOR)
    await meter.send(access, "setNftGate", PIECE, music.address, 1, note="first", sender=CREATOR)
    await measure_roles(meter, access, "ACCESS_ROLE")
    until = await economy.chain.now() + 30 * DAY
    await meter.send(access, "grantAccess", account(FAN), PIECE, until, note="first")
    await meter.send(access, "grantAccess", account(FAN), PIECE, until + DAY, note="again")
    await meter.send(access, "revokeAccess", account(FAN), PIECE)


async def measure_marketplace(meter: Meter, economy: Economy) -> None:
    """Measure listings, offers and auctions in native coin, and one sale in SPARK."""
    market, music, spark = (economy.contracts[name] for name in ("SparkMarketplace", "MusicNFT", "SparkToken"))
    chain = economy.chain
    await music.send("setApprovalForAll", market.address, True, sender=HOLDER)
    editions = [(music.address, FIRST_EDITION + number) for number in range(1, MARKETED + 1)]
    listed, withdrawn, in_spark, wanted, unwanted, auctioned, kept, stuck = editions
    price = (ZERO_ADDRESS, COIN)
    until = await chain.now() + 30 * DAY
    await meter.send(market, "createListing", *listed, *price, until, sender=HOLDER)
    await meter.send(market, "buy", *listed, *price, note="for native coin", sender=BUYER, value=COIN)
    await market.send("createListing", *withdrawn, *price, until, sender=HOLDER)
    await meter.send(market, "cancelListing", *withdrawn, sender=HOLDER)
    await market.send("createListing", *in_spark, spark.address, COIN, until, sender=HOLDER)
    await spark.send("approve", market.address, 10**30, sender=BUYER)
    await meter.send(market, "buy", *in_spark, spark.address, COIN, note="for SPARK", sender=BUYER)
    await meter.send(market, "makeOffer", *wanted, *price, until, sender=BUYER, value=COIN)
    await meter.send(market, "acceptOffer", *wanted, account(BUYER), *price, sender=HOLDER)
    await market.send("makeOffer", *unwanted, *price, until, sender=BUYER, value=COIN)
    await meter.send(market, "cancelOffer", *unwanted, sender=BUYER)
    await meter.send(market, "createAuction", *auctioned, *price, HOUR, sender=HOLDER)
    await meter.send(market, "bid", *auctioned, *price, note="first", sender=BUYER, value=COIN)
    await meter.send(
        market, "bid", *auctioned, ZERO_ADDRESS, 2 * COIN, note="above another", sender=FAN, value=2 * COIN
    )
    await market.send("createAuction", *kept, *price, HOUR, sender=HOLDER)
    await meter.send(market, "cancelAuction", *kept, sender=HOLDER)
    await market.send("createAuction", *stuck, *price, HOUR, sender=HOLDER)
    await market.send("bid", *stuck, *price, sender=BUYER, value=COIN)
    await chain.wait(2 * HOUR)
    await meter.send(market, "settleAuction", *auctioned)
    await chain.wait(8 * DAY)
    await meter.send(market, "withdrawBid", *stuck, sender=BUYER)
    await meter.send(market, "withdraw", account(HOLDER), ZERO_ADDRESS, sender=HOLDER)
    await meter.send(market, "withdrawTo", account(STRANGER), ZERO_ADDRESS, sender=BUYER)
    await meter.send(market, "setFee", 300)
    await meter.send(market, "setFeeRecipient", account(FAN))
    await measure_ownership(meter, market)
