"""A steady load on one URL until it is interrupted: says how many answers were something else than 200.

It says so, too, once it has begun, which is after the first answer.

Usage: load.py URL USER:PASSWORD
"""

import base64
import collections
import http.client
import signal
import sys
import threading
import time
from urllib.parse import urlsplit

CONNECTIONS = 2
# A pause between two requests of a connection, so that the proxies keep
# processor time for what is measured.
PAUSE_SECONDS = 0.005


# It goes on for a moment after the interrupt, and ends by itself if none comes.
SECONDS_AFTERWARDS = 1
SECONDS_AT_MOST = 30


def ask_until(stop, url, headers, outcomes):
    """Send requests over one connection, made anew if it breaks; count statuses and errors."""
    connection = http.client.HTTPConnection(url.hostname, url.port or 80, timeout=5)
    while not stop.is_set():
        try:
            connection.request("GET", url.path, headers=headers)
            answer = connection.getresponse()
            answer.read()
            outcomes[str(answer.status)] += 1
        except (OSError, http.client.HTTPException) as error:
            outcomes[type(error).__name__] += 1
            connection.close()
        time.sleep(PAUSE_SECONDS)


def main():
    """Run the load and print one line."""
    url, pair = urlsplit(sys.argv[1]), sys.argv[2]
    headers = {"authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
    outcomes = collections.Counter()
    interrupted, stop = threading.Event(), threading.Event()
    signal.signal(signal.SIGINT, lambda *_: interrupted.set())
    threads = [threading.Thread(target=ask_until, args=(stop, url, headers, outcomes)) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    while not outcomes:
        time.sleep(PAUSE_SECONDS)
    print("sending requests", flush=True)
    if interrupted.wait(SECONDS_AT_MOST):
        time.sleep(SECONDS_AFTERWARDS)
    stop.set()
    for thread in threads:
        thread.join()
    others = {outcome: count for outcome, count in outcomes.items() if outcome != "200"}
    print(f"{outcomes['200']} requests answered 200, {sum(others.values())} otherwise {others or ''}".strip())


if __name__ == "__main__":
    main()
