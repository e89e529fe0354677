"""Debian's Chromium, without a window. docs/clients.md says what was seen here."""

import asyncio
import shutil

import pytest
from playwright.async_api import Error, async_playwright

PATIENCE = 60
"""Seconds for a test: a browser that waits for a person would wait for ever."""

OK = {"username": "ok", "password": "test"}

FETCH = """async ([url, options]) => {
    try {
        const answer = await fetch(url, options);
        return answer.status;
    } catch (error) {
        return error.name;
    }
}"""

SOCKET = """url => new Promise(resolve => {
    const socket = new WebSocket(url);
    socket.onopen = () => socket.send("hello");
    socket.onmessage = message => { resolve(message.data); socket.close(); };
    socket.onerror = () => resolve("error");
})"""

AUTHORIZATION = {"headers": {"authorization": "Basic b2s6dGVzdA=="}}
WRONG = {"headers": {"authorization": "Basic b2s6d3Jvbmc="}}


@pytest.fixture
def browse(proxy):
    """Lets a coroutine browse that takes a browser."""
    # The name is asked for at https without a port, as in the world.
    rules = f"MAP shop.test:443 127.0.0.1:{proxy.ports['tls']}, MAP shop.test 127.0.0.1"
    arguments = ["--no-sandbox", f"--host-resolver-rules={rules}"]

    async def all_of(visit):
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
            try:
                await asyncio.wait_for(visit(browser), PATIENCE)
            finally:
                await browser.close()

    return lambda visit: asyncio.run(all_of(visit))


async def logged_in(browser, url):
    """A page of somebody who typed name and password."""
    page = await (await browser.new_context(http_credentials=OK)).new_page()
    assert (await page.goto(f"{url}/shop")).status == 200
    return page


async def open_page(browser, url):
    """A page that nobody had to log in for."""
    page = await (await browser.new_context()).new_page()
    await page.goto(f"{url}/open")
    return page


def test_the_prompt_names_the_realm_and_one_login_serves_all_of_it(browse, url):
    asked = []

    async def visit(browser):
        page = await (await browser.new_context()).new_page()
        session = await page.context.new_cdp_session(page)
        running = set()

        def send(method, **parameters):
            task = asyncio.ensure_future(session.send(method, parameters))
            running.add(task)

        def answer(event):
            realm = event["authChallenge"]["realm"]
            asked.append((event["authChallenge"]["scheme"], realm))
            user = {"shop": "ok", "staff": "boss"}[realm]
            given = {"response": "ProvideCredentials", "username": user, "password": "test"}
            send("Fetch.continueWithAuth", requestId=event["requestId"], authChallengeResponse=given)

        session.on("Fetch.requestPaused", lambda event: send("Fetch.continueRequest", requestId=event["requestId"]))
        session.on("Fetch.authRequired", answer)
        await session.send("Fetch.enable", {"handleAuthRequests": True})
        for path in ("/shop", "/shop/again", "/api", "/staff"):
            assert (await page.goto(f"{url}{path}")).status == 200, path

    browse(visit)
    assert asked == [("basic", "shop"), ("basic", "staff")]


def test_without_an_answer_to_the_prompt_the_refusal_is_shown(browse, url):
    async def visit(browser):
        page = await (await browser.new_context()).new_page()
        try:
            answer = await page.goto(f"{url}/shop")
        except Error as error:
            # An error without a body is shown as Chromium's own page.
            assert "ERR_INVALID_AUTH_CREDENTIALS" in str(error) or "ERR_HTTP_RESPONSE_CODE_FAILURE" in str(error)
        else:
            assert answer.status == 401

    browse(visit)


def test_a_page_fetches_with_credentials(browse, url):
    async def visit(browser):
        page = await open_page(browser, url)
        assert await page.evaluate(FETCH, [f"{url}/api", AUTHORIZATION]) == 200
        # Without `omit` the challenge would open the browser's prompt, and the page would wait for a person.
        assert await page.evaluate(FETCH, [f"{url}/api", {**WRONG, "credentials": "omit"}]) == 401
        # After a login the browser adds them itself, unless it is told to omit them.
        page = await logged_in(browser, url)
        assert await page.evaluate(FETCH, [f"{url}/shop/x", {}]) == 200
        assert await page.evaluate(FETCH, [f"{url}/shop/x", {"credentials": "omit"}]) == 401

    browse(visit)


def test_a_page_of_another_origin_asks_beforehand(browse, proxy, url):
    allowed, challenged = (f"http://127.0.0.1:{proxy.ports[name]}/api" for name in ("cors", "web"))

    async def visit(browser):
        page = await open_page(browser, url.replace("127.0.0.1", "localhost"))
        assert await page.evaluate(FETCH, [allowed, AUTHORIZATION]) == 200
        # `unauthorized.headers` lets the page read that it was refused.
        assert await page.evaluate(FETCH, [allowed, WRONG]) == 401
        # A preflight that is challenged is a failure of the network to the page.
        assert await page.evaluate(FETCH, [challenged, AUTHORIZATION]) == "TypeError"

    browse(visit)


def test_a_socket_opens_after_a_login_and_not_before(browse, url):
    socket = f"{url.replace('http:', 'ws:')}/socket"

    async def visit(browser):
        page = await open_page(browser, url)
        assert await page.evaluate(SOCKET, socket) == "error"
        page = await logged_in(browser, url)
        assert await page.evaluate(SOCKET, socket) == "hello"

    browse(visit)


def test_nobody_is_asked_before_the_page_is_at_https(browse, proxy):
    async def visit(browser):
        context = await browser.new_context(http_credentials=OK, ignore_https_errors=True)
        page = await context.new_page()
        answers = []
        page.on("response", lambda answer: answers.append(answer.status))
        assert (await page.goto(f"http://shop.test:{proxy.ports['plain']}/shop?x=1")).status == 200
        assert answers[0] == 308 and page.url == "https://shop.test/shop?x=1"

    browse(visit)
