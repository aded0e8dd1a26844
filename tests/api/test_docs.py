"""The documentation page needs no host but this one."""

import asyncio
import re
import shutil
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx2
import pytest

from api import docs
from api.main import create_app
from encore.settings import Settings
from tests.api.server import serving

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
REFERENCE = re.compile(r'(?:src|href|url)(?:=|: )"([^"]+)"')


async def test_everything_that_the_page_loads_comes_from_this_api(client: httpx2.AsyncClient) -> None:
    page = await client.get(docs.PATH)
    start = await client.get(urljoin(docs.PATH, "docs/start.js"))
    addresses = [urljoin(str(page.url), found) for found in REFERENCE.findall(page.text + start.text)]
    assert len(addresses) == 5
    for address in addresses:
        assert urlsplit(address).netloc == page.url.netloc.decode()
        assert (await client.get(address)).status_code == 200, address
    assert "validatorUrl: null" in start.text
    assert page.headers["content-security-policy"] == docs.POLICY
    assert set(re.findall(r"src ([^;]+)", docs.POLICY)) == {
        *("'none'", "'self'", "'self' 'unsafe-inline'", "'self' data:")
    }
    assert (await client.get("/docs/assets/../core.py")).status_code == 404


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
async def test_a_browser_without_the_internet_shows_every_operation(tmp_path: Path) -> None:
    app = create_app(Settings(data_dir=tmp_path, _env_file=None))
    async with serving(app) as base:
        arguments = [
            *("--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/profile"),
            *("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--enable-logging=stderr"),
            *("--virtual-time-budget=15000", "--dump-dom", base + docs.PATH),
        ]
        browser = await asyncio.create_subprocess_exec(
            str(CHROMIUM), *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        shown, said = (output.decode() for output in await browser.communicate())
    assert "CONSOLE" not in said, said  # nothing was blocked and nothing failed
    for operations in app.openapi()["paths"].values():
        for operation in operations.values():
            assert operation["summary"].replace("'", "&#39;") in shown.replace("'", "&#39;")
