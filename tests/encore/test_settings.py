import pytest

from encore.chain.networks import network_named
from encore.errors import SettingsError, UnknownNetworkError
from encore.settings import load_settings, local_account_address

ANVIL_ACCOUNT_0 = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
ANVIL_KEY_1 = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"


def test_every_wrong_setting_is_listed_by_its_variable_and_no_value_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENCORE_API_PORT", "70000")
    monkeypatch.setenv("ENCORE_NETWORK", "atlantis")
    monkeypatch.setenv("ENCORE_ORACLE_PRIVATE_KEY", "0xsecret-but-wrong")
    monkeypatch.setenv("ENCORE_DATABASE_URL", "mysql://x")
    with pytest.raises(SettingsError) as failure:
        load_settings()
    message = str(failure.value)
    for variable in ("ENCORE_API_PORT", "ENCORE_NETWORK", "ENCORE_ORACLE_PRIVATE_KEY", "ENCORE_DATABASE_URL"):
        assert variable in message
    assert "secret" not in message
    assert "known networks: local, filecoin" in message


def test_an_unknown_network_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnknownNetworkError, match=r"unknown network 'x'; known networks: local, .*sepolia"):
        network_named("x")


def test_the_oracle_key_never_shows_in_the_settings_printed() -> None:
    settings = load_settings(oracle_private_key=ANVIL_KEY_1)
    assert ANVIL_KEY_1[2:] not in repr(settings)
    assert settings.oracle_key() == ANVIL_KEY_1


def test_the_local_chain_lends_a_development_key_and_public_networks_do_not() -> None:
    assert load_settings(network="local").oracle_key() == ANVIL_KEY_1
    with pytest.raises(
        SettingsError, match="ENCORE_ORACLE_KEYSTORE or ENCORE_ORACLE_PRIVATE_KEY is required on sepolia"
    ):
        load_settings(network="sepolia").oracle_key()


def test_public_networks_need_endpoints() -> None:
    with pytest.raises(SettingsError, match="ENCORE_RPC_URLS is required on sepolia"):
        _ = load_settings(network="sepolia").endpoints
    assert load_settings(network="sepolia", rpc_urls="https://a.example, https://b.example").endpoints == (
        "https://a.example",
        "https://b.example",
    )


def test_the_local_accounts_are_those_that_every_development_chain_funds() -> None:
    assert local_account_address(0) == ANVIL_ACCOUNT_0


def test_the_database_is_shown_without_its_password() -> None:
    settings = load_settings(database_url="postgresql://encore:hunter2@db.example/encore")
    assert "hunter2" not in settings.database_name


def test_a_launch_seeds_its_pool_deeper_locally_unless_the_setting_says_otherwise() -> None:
    assert load_settings().launch_seed_wei == 100 * 10**18
    assert load_settings(network="filecoin").launch_seed_wei == 10**18
    assert load_settings(network="filecoin", launch_seed="2.5").launch_seed_wei == 25 * 10**17
    with pytest.raises(SettingsError, match="ENCORE_LAUNCH_SEED: Input should be greater than 0"):
        load_settings(launch_seed="0")


def test_one_oracle_is_enough_locally_and_five_must_agree_elsewhere_unless_the_setting_says_otherwise() -> None:
    assert load_settings().required_oracles == 1
    assert load_settings(network="polygon").required_oracles == 5
    assert load_settings(network="polygon", oracle_quorum=3).required_oracles == 3
    with pytest.raises(SettingsError, match="ENCORE_ORACLE_QUORUM: must be odd"):
        load_settings(oracle_quorum=4)


def test_the_api_s_secret_is_long_kept_to_itself_and_required_on_public_networks() -> None:
    with pytest.raises(SettingsError, match="ENCORE_API_SECRET: must be at least 32 characters") as failure:
        load_settings(api_secret="too-short-a-secret")  # noqa: S106 - refused
    assert "too-short" not in str(failure.value)
    secret = "0123456789abcdef" * 2
    settings = load_settings(network="sepolia", api_secret=secret, sign_in_domains="app.example, app.example:8443")
    assert secret not in repr(settings)
    assert settings.domains == ("app.example", "app.example:8443")
    assert settings.signing_key("tokens") != settings.signing_key("webhooks") != load_settings().signing_key("tokens")
    with pytest.raises(SettingsError, match="needs ENCORE_API_SECRET and ENCORE_SIGN_IN_DOMAINS on sepolia"):
        load_settings(network="sepolia").check_for_api()


def test_a_frontend_is_named_by_its_host_and_port() -> None:
    assert load_settings(api_port=8001).domains[:2] == ("localhost:8001", "127.0.0.1:8001")
    for wrong in ("https://app.example", "app.example/login", "user@app.example", "app.example:"):
        with pytest.raises(SettingsError, match="ENCORE_SIGN_IN_DOMAINS"):
            load_settings(sign_in_domains=wrong)


def test_gas_has_a_daily_budget_on_public_networks_unless_the_setting_says_otherwise() -> None:
    assert load_settings().oracle_gas_budget_wei is None
    assert load_settings(network="polygon").oracle_gas_budget_wei == 10**18
    assert load_settings(network="polygon", oracle_gas_budget="0.25").oracle_gas_budget_wei == 25 * 10**16
    assert load_settings(oracle_low_balance="0.1").oracle_low_balance_wei == 10**17


def test_where_errors_and_traces_are_sent_must_be_urls_that_can_be_sent_to() -> None:
    dsn, endpoint = "https://0123abcd@sentry.example/4", "http://collector:4318"
    settings = load_settings(sentry_dsn=dsn, otlp_endpoint=endpoint)
    assert (settings.sentry_dsn, settings.otlp_endpoint) == (dsn, endpoint)
    for wrong in ("sentry.example/4", "https://sentry.example/4", "https://0123abcd@sentry.example", "nonsense"):
        with pytest.raises(SettingsError, match="ENCORE_SENTRY_DSN: must be https://key@host/project"):
            load_settings(sentry_dsn=wrong)
    for wrong in ("collector:4318", "grpc://collector:4317", "http://", "http://collector:4318/?a=b"):
        with pytest.raises(SettingsError, match=r"ENCORE_OTLP_ENDPOINT: must be an http\(s\) URL"):
            load_settings(otlp_endpoint=wrong)
