"""JsSIP in a headless Chromium for the suite: says READY when it is registered, and obeys ``call URI``, ``hangup URI``.

The page comes from a web server of its own on loopback; the browser is driven over DevTools, by two pipes and no port.
It reaches 127.0.0.1 and the host of the WebSocket, and nothing else.
"""

from __future__ import annotations

import argparse
import ctypes
import fcntl
import functools
import http.server
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
BUNDLE = Path(os.environ.get("SIPVERDICT_JSSIP", f"{sys.prefix}/.jssip/jssip.js"))
"""JsSIP in one file, as .ci/setup makes it."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_PR_SET_PDEATHSIG = 1
_READS, _WRITES = 3, 4
"""The descriptors on which Chromium reads and writes DevTools messages (--remote-debugging-pipe)."""


def say(*words: object) -> None:
    """One line for the suite and for people; no device must die of a closed pipe."""
    try:
        print(*words, flush=True)
    except OSError:
        os._exit(1)


class Files(http.server.SimpleHTTPRequestHandler):
    """Serves the page and JsSIP."""

    def translate_path(self, path: str) -> str:
        """The one file of that name."""
        name = Path(path).name or "page.html"
        return str(BUNDLE if name == "jssip.js" else HERE / name)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the suite reads what is printed."""


class Browser:
    """A headless Chromium with one page; :meth:`close` ends it."""

    def __init__(self, folder: Path, hosts: set[str], ports: set[int]) -> None:
        """``hosts`` and ``ports``: what it may reach, those that browsers refuse by themselves (5060) among them."""
        program = next(filter(None, map(shutil.which, BROWSERS)), None)
        if program is None:
            sys.exit(f"none of {', '.join(BROWSERS)} is installed (Debian: apt-get install chromium)")
        allowed = "".join(f" , EXCLUDE {host}" for host in sorted(hosts))
        self._number = 0
        self._unread = b""
        theirs_in, ours_out = os.pipe()
        ours_in, theirs_out = os.pipe()
        # Above what they become, so that none is overwritten before it is moved.
        theirs_in, theirs_out = (fcntl.fcntl(one, fcntl.F_DUPFD, 100) for one in (theirs_in, theirs_out))
        self._in, self._out = ours_in, ours_out
        # Its socket has a path in TMPDIR, which must be short: a folder of a run may be too long for one.
        self._short = tempfile.TemporaryDirectory(prefix="sipverdict-", ignore_cleanup_errors=True)
        at_home = {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "XDG_CACHE_HOME": str(folder)}
        self._process = subprocess.Popen(
            [
                program,
                *("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage"),
                *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
                *("--disable-features=WebRtcHideLocalIpsWithMdns,MediaRouter,OptimizationHints", "--mute-audio"),
                *("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"),
                "--ignore-certificate-errors",  # its own store does not know the authority of this run
                f"--host-resolver-rules=MAP * ~NOTFOUND{allowed}",
                f"--explicitly-allowed-ports={','.join(map(str, sorted(ports)))}",
                f"--user-data-dir={folder / 'browser'}",
                "--remote-debugging-pipe",
                "about:blank",
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **at_home, "TMPDIR": self._short.name},
            pass_fds=(_READS, _WRITES),
            preexec_fn=functools.partial(_become_child, theirs_in, theirs_out),
        )

    @property
    def reads(self) -> int:
        """The descriptor on which its messages come."""
        return self._in

    def ask(self, method: str, session: str = "", **parameters: object) -> int:
        """Send a DevTools command; return its number."""
        self._number += 1
        command = {"id": self._number, "method": method, "params": parameters}
        text = json.dumps(command | ({"sessionId": session} if session else {}))
        os.write(self._out, text.encode() + b"\0")
        return self._number

    def messages(self) -> Iterator[dict[str, Any]]:
        """The messages that have come by now, at least one part of one; it ends the phone if the browser has ended."""
        data = os.read(self._in, 1 << 16)
        if not data:
            sys.exit(f"the browser has ended: {self._process.wait()}")
        *whole, self._unread = (self._unread + data).split(b"\0")
        yield from map(json.loads, whole)

    def answer(self, number: int) -> dict[str, Any]:
        """Wait for the answer to a command; what comes meanwhile is nothing that anybody waits for."""
        while True:
            for message in self.messages():
                if message.get("id") == number:
                    return dict(message.get("result", {}))

    def open(self, address: str) -> str:
        """Open a page; return its session."""
        target = self.answer(self.ask("Target.createTarget", url=address))["targetId"]
        session = str(self.answer(self.ask("Target.attachToTarget", targetId=target, flatten=True))["sessionId"])
        self.ask("Runtime.enable", session)
        return session

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._short.cleanup()


def _become_child(reads: int, writes: int) -> None:
    """In the new process: DevTools at their places, and no life without the phone."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.dup2(reads, _READS)
    os.dup2(writes, _WRITES)


def main() -> None:
    """Run until SIGTERM or the end of standard input."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--exchange", required=True, help="host:port of the WebSocket server, which is its registrar")
    parser.add_argument("--transport", choices=("ws", "wss"), required=True)
    parser.add_argument("--folder", type=Path, required=True, help="for the browser's files")
    parser.add_argument("--user", default="100")
    parser.add_argument("--password", default="")
    parser.add_argument("--answers", action="store_true", help="answer calls as the parameter n of their URI says")
    options = parser.parse_args()
    if not BUNDLE.is_file():
        sys.exit(f"{BUNDLE} is missing: make devices")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host, _, port = options.exchange.rpartition(":")
    browser = Browser(options.folder, {"127.0.0.1", host.strip("[]")}, {int(port)})
    try:
        session = browser.open(f"http://127.0.0.1:{server.server_port}/")
        settings = {
            "url": f"{options.transport}://{options.exchange}/",
            "uri": f"sip:{options.user}@{options.exchange}",
            "password": options.password,
            "answers": options.answers,
        }
        _serve(browser, session, settings)
    finally:
        browser.close()


def _serve(browser: Browser, session: str, settings: dict[str, object]) -> None:
    """Start the phone in the page, pass on orders, and print what it says."""
    unread = b""
    # The page may still be loading: it is asked when it says that its scripts are there.
    started = False
    browser.ask("Page.enable", session)
    loaded = browser.ask("Runtime.evaluate", session, expression="typeof start")
    while True:
        ready, _, _ = select.select([browser.reads, sys.stdin], [], [])
        if browser.reads in ready:
            for message in browser.messages():
                result = message.get("result", {}).get("result", {})
                there = message.get("id") == loaded and result.get("value") == "function"
                if not started and (there or message.get("method") == "Page.loadEventFired"):
                    started = True
                    _evaluate(browser, session, "start", settings)
                _report(message)
        if sys.stdin in ready:
            data = os.read(sys.stdin.fileno(), 1 << 16)
            if not data:
                return
            *lines, unread = (unread + data).split(b"\n")
            for line in lines:
                act, _, uri = line.decode().partition(" ")
                if act in ("call", "hangup"):
                    _evaluate(browser, session, act, uri)


def _evaluate(browser: Browser, session: str, function: str, argument: object) -> None:
    # An argument is data: JSON is a literal of JavaScript.
    browser.ask("Runtime.evaluate", session, expression=f"{function}({json.dumps(argument)})")


def _report(message: dict[str, Any]) -> None:
    if message.get("method") == "Runtime.consoleAPICalled":
        words = [str(one.get("value", "")) for one in message["params"]["args"]]
        if words[:1] == ["phone"]:
            say(*(("READY jssip", *words[2:]) if words[1:2] == ["registered"] else words[1:]))
    elif wrong := message.get("result", {}).get("exceptionDetails"):
        say("error:", wrong.get("exception", {}).get("description", wrong.get("text", "")).splitlines()[0])


if __name__ == "__main__":
    main()
