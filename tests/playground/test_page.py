"""The playground in Debian's Chromium, without a window and without a network."""

import shutil
import subprocess
import urllib.parse

import pytest
from packages import ROOT

PAGE = ROOT / "target" / "playground.html"


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """What the page shows for a fragment, as HTML."""
    browser = shutil.which("chromium")
    if browser is None:
        pytest.fail("chromium is missing: apt-get install chromium")
    profile = tmp_path_factory.mktemp("profile")

    def show(fields=None, options=()):
        fragment = f"#{urllib.parse.urlencode(fields, quote_via=urllib.parse.quote)}" if fields else ""
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}"]
        command += ["--proxy-server=127.0.0.1:9", "--virtual-time-budget=5000", *options, "--dump-dom"]
        run = subprocess.run([*command, f"file://{PAGE}{fragment}"], capture_output=True, text=True, timeout=120)
        assert run.returncode == 0, run.stderr
        return run.stdout

    return show


def test_the_example_is_explained(shown):
    page = shown()
    assert '<p id="decision" aria-live="polite">refused for missing by rule 0 with realm istio</p>' in page
    assert "/productpage (3 by" in page or "/productpage (2 by" in page
    assert '<li class="lit">rule 0, prefix: /productpage: asked</li>' in page
    assert "www-authenticate: Basic realm=" in page


def test_an_error_stands_at_its_line(shown):
    page = shown({"text": "basic_auth_rules:\n- prefix: /admin*\n  credentials: ['a:b']\n", "url": "/"})
    assert "error, line 2: basic_auth_rules[0].prefix: `*` is no wildcard here" in page
    assert '<a id="share" href="#text=' in page and 'hidden=""' in page


def test_what_is_shared_has_no_password(shown):
    text = "basic_auth_rules:\n- prefix: /admin\n  credentials: ['alice:hunter2']\n"
    page = shown({"text": text, "url": "https://shop.test/admin"})
    link = page[page.index('id="share"') :].split(">", 1)[0]
    assert "hunter2" not in link and "alice" not in link and "user%3Apassword" in link


def test_the_page_asks_for_nothing_from_elsewhere():
    page = PAGE.read_text()
    assert "connect-src 'none'" in page
    head, _, rest = page.partition('const MODULE = "')
    without_core = head + rest.partition('"')[2]
    assert "http:" not in without_core and "src=" not in without_core and "@import" not in without_core
    assert without_core.count("https://") == without_core.count("https://shop.example.com")
