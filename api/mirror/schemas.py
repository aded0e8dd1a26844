"""The wire form of how far the mirror has got, and of what."""

from datetime import datetime

from pydantic import Field

from api.wire import Address, Hash, Wire


class IndexedBlock(Wire):
    """The last block that the answer takes into account; all its figures are as of this block."""

    number: int = Field(examples=[1024])
    hash: Hash = Field(examples=["0x5f2b1d6f4bd9c3a7e8f1d2c3b4a5968778695a4b3c2d1e0f5f2b1d6f4bd9c3a7"])
    timestamp: datetime = Field(description="the block's own time; 24-hour figures count back from it")


class NetworkContract(Wire):
    """A contract of the deployment. Coins are not among them: they are made later."""

    name: str = Field(examples=["IntegratedCreatorDEX"])
    address: Address
    block_number: int = Field(description="where it was deployed", examples=[12])


class ContractEvents(Wire):
    """The events of one contract, or of every coin where it is a coin's."""

    contract: str = Field(examples=["IntegratedCreatorDEX"])
    names: list[str] = Field(examples=[["TokensPurchased", "TokensSold"]])


class Network(Wire):
    """The chain that this API mirrors, for wallets to switch to."""

    name: str = Field(examples=["local"])
    chain_id: int = Field(description="as EIP-155 has it; wallets take it in hexadecimal", examples=[31_337])
    currency: str = Field(description="symbol of the native coin", examples=["ETH"])
    block_seconds: float = Field(description="usual time between blocks", examples=[1])
    contracts: list[NetworkContract] = Field(description="in order of their names")
    events: list[ContractEvents] = Field(description="what live events and webhooks may be asked for")
    indexed_block: IndexedBlock
