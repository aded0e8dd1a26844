import asyncio

from fastapi.sse import ServerSentEvent

from api.realtime import Hub, Message


def message(number: int, coin: str = "0xc") -> Message:
    return Message(number, "Transfer", frozenset({coin}), ServerSentEvent(raw_data="{}", id=str(number)))


def everything(_: Message) -> bool:
    return True


async def test_every_subscriber_gets_what_it_wants_in_order() -> None:
    hub = Hub()
    hub.start(0)
    with hub.subscribe(everything) as all_of_them, hub.subscribe(lambda each: each.coins == {"0xa"}) as some:
        hub.publish([message(1), message(2, "0xa")])
        hub.publish([message(3)])
        hub.close()
        assert hub.position == 3
        assert [each.id async for each in all_of_them] == []  # closed: what is left is for resuming
    hub = Hub()
    with hub.subscribe(everything) as all_of_them, hub.subscribe(lambda each: each.coins == {"0xa"}) as some:
        hub.publish([message(1), message(2, "0xa"), message(3)])
        assert [(await anext(aiter(all_of_them))).id for _ in range(3)] == [1, 2, 3]
        assert (await anext(aiter(some))).id == 2


async def test_a_stuck_subscriber_is_dropped_and_the_others_go_on() -> None:
    hub = Hub(queue_capacity=10)
    received: list[int] = []

    async def read() -> None:
        with hub.subscribe(everything) as subscription:
            async for each in subscription:
                received.append(each.id)  # noqa: PERF401 - extend would hold them back until the end

    reader = asyncio.create_task(read())
    await asyncio.sleep(0)
    with hub.subscribe(everything) as stuck:
        for number in range(1, 101):
            hub.publish([message(number)])
            await asyncio.sleep(0)
        assert not stuck.is_open
        assert [each async for each in stuck] == []
    assert not reader.done()
    hub.close()
    await reader
    assert received == list(range(1, 101))


async def test_closing_ends_every_subscription_and_those_to_come() -> None:
    hub = Hub()
    with hub.subscribe(everything) as subscription:
        hub.close()
        assert [each async for each in subscription] == []
    with hub.subscribe(everything) as late:
        assert [each async for each in late] == []
