"""C18, what a deployment publishes on Sourcify: sources that compile to the code on chain, and what became of it."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from vyper.cli.vyper_json import compile_json

from encore.chain.deployments import DeployedContract, Deployment
from encore.settings import Settings, load_settings
from scripts._verification import standard_json, verify_sources

ADDRESS = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
TRANSACTION = "0x" + "ab" * 32
JOB = "72d12273-0723-448e-a9f6-f7957128efa5"


class Sourcify(ThreadingHTTPServer):
    """As much of Sourcify's API, version 2, as is used; its answers as its documentation gives them."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), SourcifyRequest)
        self.is_verified = False
        self.refusal: dict[str, Any] | None = None
        self.polls_to_wait = 1
        self.submissions: list[tuple[str, dict[str, Any]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/server/"


class SourcifyRequest(BaseHTTPRequestHandler):
    server: Sourcify

    def do_GET(self) -> None:
        if self.path.startswith("/server/v2/contract/"):
            self._answer(
                200 if self.server.is_verified else 404, {"match": "match" if self.server.is_verified else None}
            )
            return
        self.server.polls_to_wait -= 1
        self._answer(
            200, {"isJobCompleted": self.server.polls_to_wait < 0, "verificationId": JOB} | (self.server.refusal or {})
        )

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.submissions.append((self.path, body))
        self._answer(202, {"verificationId": JOB})

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it so
        pass

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def sourcify() -> Iterator[Sourcify]:
    server = Sourcify()
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def public(sourcify: Sourcify) -> Settings:
    return load_settings(network="filecoin-calibration", rpc_urls="http://127.0.0.1:1", verifier_url=sourcify.url)


def deployment(**sources: str | None) -> Deployment:
    return Deployment(
        network="filecoin-calibration",
        chain_id=314159,
        deployer=ADDRESS,
        block_number=1,
        timestamp=1,
        contracts={
            name: DeployedContract(
                address=ADDRESS,
                block_number=1,
                transaction_hash=TRANSACTION,
                constructor_arguments=[],
                code_hash=TRANSACTION,
                source=source,
            )
            for name, source in sources.items()
        },
    )


@pytest.mark.parametrize("contract", ["ERC1967Proxy", "ContentAccess"])
def test_what_is_published_compiles_to_what_is_deployed_and_names_no_path_of_this_machine(
    contracts: Any, contract: str
) -> None:
    document = standard_json(contract)
    document.pop("compiler_version")
    (path,) = document["settings"]["outputSelection"]

    compiled = compile_json(document)["contracts"][path][contract]["evm"]["deployedBytecode"]["object"]

    ours = contracts.get_contract(contract).contract_type.runtime_bytecode.bytecode
    assert compiled.removeprefix("0x") == ours.removeprefix("0x")
    assert {source.partition("/")[0] for source in document["sources"]} <= {"contracts", "snekmate"}


def test_sources_are_submitted_and_the_outcome_awaited(sourcify: Sourcify, public: Settings) -> None:
    outcomes = verify_sources(public, deployment(SparkToken="ERC1967Proxy", CreatorTokenBlueprint=None), 0)

    assert outcomes == {"SparkToken": "published"}
    ((path, body),) = sourcify.submissions
    assert path == f"/server/v2/verify/314159/{ADDRESS}"
    assert body["contractIdentifier"] == "contracts/upgrades/ERC1967Proxy.vy:ERC1967Proxy"
    assert body["compilerVersion"].startswith("0.4.3+commit.")
    assert body["creationTransactionHash"] == TRANSACTION
    assert body["stdJsonInput"]["language"] == "Vyper"


def test_what_is_published_is_not_submitted_again(sourcify: Sourcify, public: Settings) -> None:
    sourcify.is_verified = True

    assert verify_sources(public, deployment(Proxy="ERC1967Proxy")) == {"Proxy": "published"}
    assert sourcify.submissions == []


def test_a_refusal_is_told_and_no_failure(sourcify: Sourcify, public: Settings) -> None:
    sourcify.refusal = {"error": {"customCode": "no_match", "message": "The bytecodes do not match"}}

    assert verify_sources(public, deployment(Proxy="ERC1967Proxy"), 0) == {
        "Proxy": "refused: The bytecodes do not match"
    }


def test_a_server_out_of_reach_is_told_and_no_failure(public: Settings) -> None:
    unreachable = public.model_copy(update={"verifier_url": "http://127.0.0.1:1"})

    (outcome,) = verify_sources(unreachable, deployment(Proxy="ERC1967Proxy")).values()

    assert outcome.startswith("not published: Cannot connect to host 127.0.0.1:1")


def test_nothing_is_published_from_a_local_chain_or_without_a_server(sourcify: Sourcify, public: Settings) -> None:
    for settings in (
        load_settings(verifier_url=sourcify.url),
        public.model_copy(update={"verifier_url": ""}),
    ):
        assert verify_sources(settings, deployment(Proxy="ERC1967Proxy")) == {}
    assert sourcify.submissions == []
