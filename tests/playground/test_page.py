"""The playground in Debian's Chromium, without a window and without a network.

SCREENSHOT=1 writes docs/playground.png.
"""

import os
import shutil
import urllib.parse

import pytest
from packages import ROOT
from playwright.sync_api import sync_playwright

PAGE = ROOT / "target" / "playground.html"
PICTURE = ROOT / "docs" / "playground.png"
PHONE = {"width": 320, "height": 640}
"""The narrowest phones that are sold."""

BACKGROUND = """() => {
    const probe = document.createElement("div");
    probe.style.backgroundColor = "Canvas";
    document.body.append(probe);
    return getComputedStyle(probe).backgroundColor;
}"""


@pytest.fixture(scope="module")
def browser():
    program = shutil.which("chromium")
    if program is None:
        pytest.fail("chromium is missing: apt-get install chromium")
    with sync_playwright() as playwright:
        # Whatever the page asks for, it does not get.
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--proxy-server=127.0.0.1:9", "--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.fixture
def show(browser):
    """Shows the page with a fragment; the options are those of a browser's window. Errors on the page fail the test."""
    contexts, wrong, asked = [], [], []

    def shown(fields=None, **options):
        fragment = f"#{urllib.parse.urlencode(fields, quote_via=urllib.parse.quote)}" if fields else ""
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: wrong.append(error.message))
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{PAGE.as_uri()}{fragment}")
        return page

    yield shown
    for context in contexts:
        assert not context.cookies() and not context.storage_state()["origins"]
        context.close()
    assert not wrong
    assert all(url.startswith(PAGE.as_uri()) for url in asked), asked


def with_rule(**rule):
    """A fragment with a configuration of one rule."""
    lines = [f"  {name}: {value}\n" for name, value in rule.items()]
    return {"text": "basic_auth_rules:\n-" + "".join(lines)[1:], "url": "https://shop.test/admin"}


def test_the_example_is_explained(show):
    page = show()
    assert page.inner_text("#decision") == "refused for missing by rule 0 with realm istio"
    assert "rule 0, prefix: /productpage: asked" in page.locator("#rules .lit").all_inner_texts()
    (lit,) = page.locator("#readings .lit").all_inner_texts()
    assert lit.startswith("/productpage (")
    answer = page.locator("#answer li").all_inner_texts()
    assert answer[0] == "401" and answer[1].startswith("www-authenticate: Basic realm=")


def test_an_error_leads_to_its_line(show):
    page = show(with_rule(prefix="/admin*", credentials="['alice:hunter2']"))
    finding = page.locator("#findings button")
    assert finding.inner_text().startswith("error, line 2: basic_auth_rules[0].prefix: `*` is no wildcard here")
    assert page.locator("#share").is_hidden()
    finding.click()
    selected = "() => { const a = document.activeElement; return a.value.slice(a.selectionStart, a.selectionEnd); }"
    assert page.evaluate(selected) == "- prefix: /admin*"


def test_what_is_shared_has_no_password(show):
    page = show(with_rule(prefix="/admin", credentials="['alice:hunter2']"))
    page.fill("#url", "https://alice:hunter2@shop.test/admin?token=hunter2")
    page.fill("#user", "alice:hunter2")
    assert page.inner_text("#decision") == "accepted as alice by rule 0"
    link = urllib.parse.unquote(page.locator("#share").get_attribute("href"))
    assert "hunter2" not in link and "alice" not in link and "user:password" in link
    shared = show(dict(urllib.parse.parse_qsl(page.locator("#share").get_attribute("href")[1:])))
    assert shared.inner_text("#decision") == "refused for missing by rule 0 with realm istio"
    assert shared.input_value("#user") == ""


def test_the_keyboard_reaches_everything(show):
    page = show(with_rule(prefix="/admin", request_methods="[GET]", credentials="['alice:hunter2']"))
    reached = []
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("() => document.activeElement.id || document.activeElement.localName"))
        if reached[-1] == "method":
            page.keyboard.press("Control+A")
            page.keyboard.type("DELETE")
        if reached[-1] == "share":
            break
    assert reached[0] == "text" and "button" in reached
    assert reached[-4:] == ["method", "url", "user", "share"]
    assert page.inner_text("#decision") == "pass"


def brightness(colour):
    """The relative luminance of `rgb(…)`: WCAG 2.2."""
    parts = [int(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_it_is_read_in_the_dark_and_in_the_light(show, scheme):
    # A warning and a note; an error comes after.
    page = show(with_rule(prefix="/admin", request_methods="[GET]", credentials="['a:b']"), color_scheme=scheme)
    back = brightness(page.evaluate(BACKGROUND))
    assert (back < 0.1) == (scheme == "dark")

    def contrast(selector):
        front = brightness(page.locator(selector).first.evaluate("node => getComputedStyle(node).color"))
        return (max(front, back) + 0.05) / (min(front, back) + 0.05)

    # WCAG 2.2, success criterion 1.4.3.
    assert all(contrast(selector) >= 4.5 for selector in ("body", "#decision", "li.warning button", "#share", "#text"))
    page.fill("#text", "basic_auth_rules: {}")
    assert contrast("li.error button") >= 4.5


def test_it_fits_a_phone(show):
    page = show(viewport=PHONE)
    for text in (page.input_value("#text"), "basic_auth_rules:\n- prefix: /" + "long" * 100):
        page.fill("#text", text)
        page.fill("#url", "https://shop.test/" + "x%2e" * 100)
        assert page.evaluate("() => document.documentElement.scrollWidth") <= PHONE["width"]
    for name in ("text", "method", "url", "user", "decision"):
        box = page.locator(f"#{name}").bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= PHONE["width"], name


def test_markup_is_text(show):
    markup = "<img src=x onerror=alert(1)>"
    page = show(
        with_rule(prefix=f"'/{markup}'", credentials=f"['{markup}:b']") | {"method": markup, "url": f"/{markup}"}
    )
    assert markup in page.inner_text("#rules")
    assert page.locator("img").count() == 0


def test_the_page_has_everything_in_itself():
    page = PAGE.read_text()
    assert "connect-src 'none'" in page
    head, _, rest = page.partition('const MODULE = "')
    without_core = head + rest.partition('"')[2]
    assert "http:" not in without_core and "src=" not in without_core and "@import" not in without_core
    assert without_core.count("https://") == without_core.count("https://shop.example.com")


@pytest.mark.skipif(not os.environ.get("SCREENSHOT"), reason="writes docs/playground.png")
def test_picture(show):
    show(viewport={"width": 1200, "height": 800}).screenshot(path=PICTURE, full_page=True)
