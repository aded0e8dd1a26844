from api.portfolio.cost_basis import Ledger, Lots, Move


def test_the_oldest_coins_are_sold_first() -> None:
    ledger = Ledger()
    for move in (Move("bought", 100, 1_000), Move("bought", 100, 3_000), Move("sold", 150, 6_000)):
        ledger.apply(move)
    assert ledger.realised == 6_000 - 1_000 - 1_500
    assert (ledger.coins.amount, ledger.coins.cost) == (50, 1_500)


def test_a_gift_costs_nothing_and_is_sold_in_its_turn() -> None:
    ledger = Ledger()
    for move in (Move("received", 10), Move("bought", 10, 500), Move("sold", 15, 900)):
        ledger.apply(move)
    assert (ledger.realised, ledger.coins.cost) == (900 - 250, 250)


def test_what_is_given_away_leaves_with_its_cost_and_gains_nothing() -> None:
    ledger = Ledger()
    for move in (Move("bought", 10, 500), Move("sent", 4)):
        ledger.apply(move)
    assert (ledger.realised, ledger.coins.cost) == (0, 300)


def test_liquidity_takes_cost_along_and_gives_half_of_it_back() -> None:
    ledger = Ledger()
    for move in (Move("bought", 100, 1_000), Move("added", 50, 501, shares=7), Move("removed", 30, 900, shares=7)):
        ledger.apply(move)
    assert ledger.realised == 900 - 501
    assert (ledger.coins.cost, ledger.shares.cost) == (500 + 500, 0)


def test_shares_that_somebody_else_paid_for_cost_nothing() -> None:
    ledger = Ledger()
    for move in (Move("bought", 5, 70), Move("granted", 5, 90, shares=9)):
        ledger.apply(move)
    assert (ledger.coins.cost, ledger.shares.amount, ledger.shares.cost) == (70, 9, 0)


def test_parts_of_a_lot_add_up_to_the_whole() -> None:
    lots = Lots()
    lots.put(3, 100)
    assert [lots.take(1) for _ in range(3)] == [33, 33, 34]
    assert (lots.amount, lots.cost) == (0, 0)
