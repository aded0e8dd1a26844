"""Mutants of metrics, registry and launch."""

from typing import Final

from .mutant import Mutant, change, removal

METRICS: Final = "launch/CreatorMetricsManager.vy"
QUORUM: Final = "modules/metrics_quorum.vy"
FACTORY: Final = "launch/CreatorTokenFactory.vy"
DEPLOYER: Final = "launch/TokenDeploymentFactory.vy"

MUTANTS: Final[tuple[Mutant, ...]] = (
    change(
        "metrics-by-anybody",
        QUORUM,
        'assert self.isOracle[msg.sender], "metrics: caller is not an oracle"',
        "pass",
        "Anybody reports whatever launches and releases coins",
        "test_creator_metrics_manager.py::test_nobody_but_an_oracle_reports",
    ),
    removal(
        "metrics-of-the-future",
        METRICS,
        '    assert update.observedAt <= block.timestamp, "metrics: observed in the future"\n',
        "A report dated ahead keeps every later one out and never grows old",
        "test_creator_metrics_manager.py::test_an_update_from_the_future_is_refused",
    ),
    removal(
        "metrics-score-without-bound",
        METRICS,
        '    assert update.engagementScore <= MAXIMUM_SCORE, "metrics: score above 10000 bps"\n',
        "A score beyond 100 % spoils the neighbouring figures of a packed report",
        "test_creator_metrics_manager.py::test_a_score_above_ten_thousand_is_refused",
    ),
    removal(
        "metrics-stale-accepted",
        METRICS,
        '        assert update.observedAt >= published_at, "metrics: stale update"\n',
        "Old figures replace newer ones",
        "test_attacks.py::test_stale_oracle_data_does_not_undo_newer",
    ),
    change(
        "metrics-milestones-again",
        METRICS,
        "        if i < reached_before:\n            continue\n",
        "",
        "Each report announces every milestone again",
        "test_creator_metrics_manager.py::test_each_milestone_is_reached_once",
    ),
    change(
        "quorum-oracle-reports-twice",
        QUORUM,
        'assert self._reporter(creator, lane, i) != msg.sender, "metrics: already reported"',
        "pass",
        "One oracle makes a quorum of itself",
        "test_metrics_quorum.py::test_an_oracle_reports_once_an_epoch",
    ),
    removal(
        "quorum-stale-accepted",
        QUORUM,
        '    assert epoch + 1 >= block.timestamp // length and epoch >= published_epoch, "metrics: stale update"\n',
        "Reports of a forgotten epoch replace newer figures",
        "test_metrics_quorum.py::test_reports_of_the_previous_epoch_count_and_older_ones_are_stale",
    ),
    change(
        "quorum-counts-withdrawn-oracles",
        QUORUM,
        "        if self.isOracle[self._reporter(creator, lane, i)]:\n",
        "        if True:\n",
        "A withdrawn oracle's waiting report still counts",
        "test_metrics_quorum.py::test_a_withdrawn_oracles_waiting_report_does_not_count",
    ),
    change(
        "quorum-highest-figure-wins",
        QUORUM,
        "middle: uint256 = (len(reports) - 1) // 2",
        "middle: uint256 = len(reports) - 1",
        "One liar sets the figure",
        "test_metrics_quorum.py::test_a_figure_counts_once_a_quorum_reported_it_and_is_the_median",
    ),
    change(
        "factory-anybody-launches",
        FACTORY,
        'assert msg.sender == creator or self.isLauncher[msg.sender], "factory: caller may not launch"',
        "pass",
        "Anybody launches a creator's one coin in its name",
        "test_creator_token_factory.py::test_a_stranger_launches_and_creates_nothing",
    ),
    removal(
        "factory-seed-of-nothing",
        FACTORY,
        '    assert msg.value >= self.minimumSeed, "factory: seed below minimum"\n',
        "A coin starts with a pool that the first trade empties",
        "test_creator_token_factory.py::test_a_launch_brings_at_least_the_minimum_seed",
    ),
    removal(
        "factory-second-coin",
        FACTORY,
        '    assert self.coinOf[creator] == empty(address), "factory: coin already launched"\n',
        "A creator launches coin after coin and deserts the holders of the first",
        "test_creator_token_factory.py::test_a_creator_launches_once",
    ),
    removal(
        "factory-launch-without-requirements",
        FACTORY,
        "    assert staticcall metricsManager.meetsLaunchRequirements(creator),"
        ' "factory: launch requirements not met"\n',
        "Creators without listeners launch coins",
        "test_creator_token_factory.py::test_figures_that_do_not_suffice_allow_no_launch",
    ),
    change(
        "factory-wrong-fee-recipient",
        FACTORY,
        "        creator,\n        launchFeeRecipient,\n",
        "        creator,\n        msg.sender,\n",
        "Whoever launches receives the platform's fees",
        "test_creator_token_factory.py::test_a_launch_makes_the_coin_and_its_pool_in_one_transaction",
    ),
    removal(
        "factory-creator-paid-again",
        FACTORY,
        "    self.creatorRevenueDue[creator] = 0\n",
        "A creator withdraws the other creators' revenue",
        "test_creator_token_factory.py::test_anybody_pays_the_creator_out",
    ),
    change(
        "factory-pays-before-the-books",
        FACTORY,
        "    self.creatorRevenueDue[creator] = 0\n"
        "    log CreatorRevenueWithdrawn(creator=creator, amount=amount)\n"
        '    sent: bool = raw_call(receiver, b"", value=amount, revert_on_failure=False)\n',
        "    log CreatorRevenueWithdrawn(creator=creator, amount=amount)\n"
        '    sent: bool = raw_call(receiver, b"", value=amount, revert_on_failure=False)\n'
        "    self.creatorRevenueDue[creator] = 0\n",
        "Only the lock keeps a creator from being paid twice",
        "test_effects_order.py::test_the_factory_writes_before_it_shares_and_pays_revenue",
    ),
    removal(
        "factory-without-lock",
        FACTORY,
        "# pragma nonreentrancy on\n",
        "Revenue is withdrawn and distributed while a creator is being paid",
        "test_creator_token_factory.py::test_reentrancy_through_a_creators_withdrawal",
    ),
    removal(
        "deployer-does-not-register",
        DEPLOYER,
        "    self.isCreatorToken[token] = True\n",
        "No token of ours has a pool",
        "test_token_deployment_factory.py::test_an_authorised_factory_deploys_and_registers_a_token",
    ),
    change(
        "deployer-anybody-registers",
        DEPLOYER,
        '    assert self.isFactory[msg.sender], "deployer: caller is not a factory"\n\n'
        "    token: address = create_from_blueprint(\n        balancedCreatorTokenBlueprint,\n",
        "    token: address = create_from_blueprint(\n        balancedCreatorTokenBlueprint,\n",
        "Anybody deploys a registered coin with metrics and exchange of its own making",
        "test_token_deployment_factory.py::test_nobody_else_deploys_balanced_tokens",
    ),
    change(
        "deployer-swaps-metrics-and-exchange",
        DEPLOYER,
        "        poolSeeder,\n        metricsManager,\n        exchange,\n        code_offset",
        "        poolSeeder,\n        exchange,\n        metricsManager,\n        code_offset",
        "A coin believes the exchange's figures and shares revenue with its pool",
        "test_token_deployment_factory.py::test_an_authorised_factory_deploys_and_registers_a_balanced_token",
    ),
)
