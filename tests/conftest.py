"""What all tests have in common."""

from __future__ import annotations

import signal

# What a shell starts in the background ignores Ctrl-C, and so does all that it starts; ours are to be interrupted.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
