"""A steady, bounded load on one URL: says how many answers were something else than 200.

Usage: load.py URL USER:PASSWORD SECONDS
"""

import base64
import collections
import http.client
import sys
import threading
import time
from urllib.parse import urlsplit

CONNECTIONS = 2
# A pause between two requests of a connection, so that the proxies keep
# processor time for what is measured.
PAUSE_SECONDS = 0.005


def ask_until(deadline, url, headers, outcomes):
    """Send requests over one connection, made anew if it breaks; count statuses and errors."""
    connection = http.client.HTTPConnection(url.hostname, url.port or 80, timeout=5)
    while time.monotonic() < deadline:
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
    url, pair, seconds = urlsplit(sys.argv[1]), sys.argv[2], float(sys.argv[3])
    headers = {"authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
    outcomes = collections.Counter()
    deadline = time.monotonic() + seconds
    threads = [threading.Thread(target=ask_until, args=(deadline, url, headers, outcomes)) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    others = {outcome: count for outcome, count in outcomes.items() if outcome != "200"}
    print(f"{outcomes['200']} requests answered 200, {sum(others.values())} otherwise {others or ''}".strip())


if __name__ == "__main__":
    main()
