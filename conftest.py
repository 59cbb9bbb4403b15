"""All there is to say to pytest: the harness is its plugin."""

pytest_plugins = ["harness.plugin"]
