"""The development chain for machines without Node: py-evm, one block per transaction, behind JSON-RPC over HTTP.

It answers as anvil does wherever clients look, so that everything that runs on one runs on the other.
"""
