"""The short run of what `make fuzz-api` does at length."""

from pathlib import Path

from tests.api.fuzz import fuzz


async def test_no_request_that_openapi_allows_or_forbids_gets_an_answer_that_it_does_not_tell_of(
    tmp_path: Path,
) -> None:
    code, said, answers = await fuzz(2, seed=6, folder=tmp_path)
    assert code == 0, said
    assert len(answers) > 50
