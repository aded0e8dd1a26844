"""The demo: a listening log made up from nothing, and wallets that trade what it brings about."""
