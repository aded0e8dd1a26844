"""Everything that touches a chain without knowing why: networks, deployments, JSON-RPC, the local node, the outbox."""
