"""Runs commands as a user would type them, shows what came, and compares it with what was expected."""

import re
import signal
import subprocess
import time
from typing import NamedTuple

import cluster
from project import ROOT, TRANSCRIPT

# How often a command is tried again while its answer is not yet as expected:
# a change needs a moment from kubectl to Envoy.
SECONDS_BETWEEN_TRIES = 0.05


class Expectation:
    """What a command should print: a sentence for the reader and a check for the machine."""

    def __init__(self, sentence, check):
        self.sentence = sentence
        self._check = check

    def holds(self, result):
        """Whether the command succeeded, and printed what it should."""
        return result.returncode == 0 and self._check(result.output)


class Result(NamedTuple):
    """What a command printed, and its exit code."""

    output: str
    returncode: int


def says(text):
    """Exactly this text."""
    return Expectation(text, lambda output: output == text)


def contains(*texts):
    """All of these texts."""
    return Expectation(", ".join(texts), lambda output: all(text in output for text in texts))


def matches(pattern, sentence):
    """A regular expression, for what differs from run to run."""
    return Expectation(sentence, lambda output: re.search(pattern, output) is not None)


class Transcript:
    """The steps so far: on the screen, in a file, and counted."""

    def __init__(self):
        self.passed = self.failed = 0
        self._file = TRANSCRIPT.open("w")

    def heading(self, title):
        """Begin a section."""
        self._write(f"\n### {title}")

    def say(self, text):
        """A line of explanation."""
        self._write(f"\n# {text}")

    def run(self, command, expected, *, pod=None, within=0.0):
        """Run a command in a shell; for up to `within` seconds, again until it says what is expected."""
        self._prompt(command, pod)
        started = time.monotonic()
        result = wait(start(command, pod))
        tries, taken = 1, 0.0
        while not expected.holds(result) and taken < within:
            time.sleep(SECONDS_BETWEEN_TRIES)
            result = wait(start(command, pod))
            tries, taken = tries + 1, time.monotonic() - started
        self._judge(result, expected, f", after {taken:.1f} s" if tries > 1 else "")

    def begin(self, command, *, pod=None):
        """Run a command in the background until interrupt(), from its first line of output on."""
        self._prompt(command + " &", pod)
        process = start(command, pod)
        self._write(process.stdout.readline().strip())
        return process, pod

    def interrupt(self, begun, expected):
        """End a command in the background and judge what it says."""
        process, pod = begun
        self._prompt("kill -INT %1; wait", pod)
        process.send_signal(signal.SIGINT)
        self._judge(wait(process), expected, "")

    def close(self):
        """The closing line: how many steps were as expected."""
        self._write(f"\n{self.passed} passed, {self.failed} failed")
        self._file.close()

    def _prompt(self, command, pod):
        self._write(f"\n{pod or ''}$ {command}")

    def _judge(self, result, expected, note):
        if result.output:
            self._write(result.output)
        if expected.holds(result):
            self.passed += 1
            verdict = "ok"
        else:
            self.failed += 1
            verdict = f"FAILED (exit code {result.returncode})"
        self._write(f"  expected: {expected.sentence} ... {verdict}{note}")

    def _write(self, text):
        print(text, flush=True)
        print(text, file=self._file, flush=True)


def start(command, pod):
    """A shell with the command, in the network namespace of a pod if one is named."""
    entrance = ["ip", "netns", "exec", pod] if pod else []
    return subprocess.Popen(
        [*entrance, "bash", "-o", "pipefail", "-c", command],
        cwd=ROOT,
        env=cluster.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait(process):
    """What a shell printed, once it has ended."""
    output = process.communicate()[0].strip()
    return Result(output, process.returncode)
