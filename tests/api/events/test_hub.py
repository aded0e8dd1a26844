import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from api.realtime import Delivery, Hub, Message, Part


@dataclass(frozen=True)
class Coin:
    """Who wants the events of one coin; counts how often it had to encode."""

    channel: str
    encoded: list[int]

    def __hash__(self) -> int:
        return hash(self.channel)

    def __call__(self, messages: Sequence[Message]) -> Delivery | None:
        ids = [each.id for each in messages if any(self.channel in part.channels for part in each.parts)]
        if not ids:
            return None
        self.encoded.append(len(ids))
        return Delivery(messages, bytes(ids))


def message(number: int, channel: str = "c") -> Message:
    return Message(number, "applied", "Transfer", (Part("event", frozenset({channel, "all"}), "{}"),))


async def test_every_subscriber_gets_what_it_wants_in_order() -> None:
    hub = Hub()
    hub.start(0)
    with hub.subscribe(Coin("all", [])) as everything, hub.subscribe(Coin("a", [])) as some:
        hub.publish([message(1), message(2, "a")])
        hub.publish([message(3)])
        assert hub.position == 3
        reader = aiter(everything)
        assert [(await anext(reader)).content for _ in range(2)] == [b"\x01\x02", b"\x03"]
        assert (await anext(aiter(some))).content == b"\x02"


async def test_what_many_want_is_encoded_once_and_shared() -> None:
    hub, encoded = Hub(), list[int]()
    with hub.subscribe(Coin("c", encoded)) as first, hub.subscribe(Coin("c", encoded)) as second:
        hub.publish([message(1), message(2)])
        assert await anext(aiter(first)) is await anext(aiter(second))
    hub.publish([message(3)])
    assert encoded == [2]  # and for nobody it is not encoded at all


async def test_a_stuck_subscriber_is_dropped_and_the_others_go_on() -> None:
    hub = Hub(queue_bytes=10)
    received: list[int] = []

    async def read() -> None:
        with hub.subscribe(Coin("all", [])) as subscription:
            async for delivery in subscription:
                received.extend(delivery.content)

    reader = asyncio.create_task(read())
    await asyncio.sleep(0)
    dropped = asyncio.Event()
    with hub.subscribe(Coin("all", []), dropped) as stuck:
        for number in range(1, 101):
            hub.publish([message(number)])
            assert dropped.is_set() == (number > 10)
            await asyncio.sleep(0)
        assert not stuck.is_open
        assert [each async for each in stuck] == []
    assert not reader.done()
    hub.close()
    await reader
    assert received == list(range(1, 101))


async def test_closing_ends_every_subscription_and_those_to_come() -> None:
    hub = Hub()
    with hub.subscribe(Coin("all", [])) as subscription:
        hub.publish([message(1)])
        hub.close()
        assert [each async for each in subscription] == []  # what is left is for resuming
    with hub.subscribe(Coin("all", [])) as late:
        assert [each async for each in late] == []


async def test_a_reader_is_idle_when_it_has_come_back_for_more_and_there_is_none() -> None:
    hub = Hub()
    with hub.subscribe(Coin("all", [])) as subscription:
        assert subscription.is_idle
        hub.publish([message(1)])
        assert not subscription.is_idle
        reader = aiter(subscription)
        await anext(reader)
        assert not subscription.is_idle
        waiting = asyncio.ensure_future(anext(reader))
        await asyncio.sleep(0)
        assert subscription.is_idle
        hub.close()
        await asyncio.wait([waiting])
        assert isinstance(waiting.exception(), StopAsyncIteration)


async def test_what_a_subscriber_takes_at_once_wakes_no_reader_and_the_order_stays() -> None:
    hub, written = Hub(), list[bytes]()
    keeps_up = True

    def write(content: bytes) -> bool:
        if keeps_up:
            written.append(content)
        return keeps_up

    with hub.subscribe(Coin("all", []), after=2, write=write) as subscription:
        reader = aiter(subscription)
        hub.publish([message(2), message(3)])  # the reader has sent the first already, and takes its part
        hub.publish([message(4)])
        assert [(await anext(reader)).content for _ in range(2)] == [b"\x02\x03", b"\x04"]
        waiting = asyncio.ensure_future(anext(reader))
        await asyncio.sleep(0)
        hub.publish([message(5)])
        keeps_up = False
        hub.publish([message(6)])
        keeps_up = True
        hub.publish([message(7)])  # not before the one that waits
        assert (written, (await waiting).content, (await anext(reader)).content) == ([b"\x05"], b"\x06", b"\x07")


async def test_a_delivery_that_is_larger_than_the_queue_goes_through_alone() -> None:
    hub = Hub(queue_bytes=2)
    with hub.subscribe(Coin("all", [])) as subscription:
        hub.publish([message(number) for number in range(1, 6)])
        assert (await anext(aiter(subscription))).content == bytes(range(1, 6))
