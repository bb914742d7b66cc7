"""Serve a folder on this machine while a command runs: a site to crawl that is nobody else's.

python infra/site.py tests/data/site 8765 karez run infra/recipes/crawl.toml
"""

import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer


class Quiet(SimpleHTTPRequestHandler):
    """Files of a folder, over connections that stay open."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the crawler keeps a log."""


def main(folder: str, port: str, *command: str) -> int:
    """Serve a folder on a port of 127.0.0.1 until a command ends; its exit code."""
    try:
        server = ThreadingHTTPServer(("127.0.0.1", int(port)), partial(Quiet, directory=folder))
    except OSError as error:
        print(f"127.0.0.1:{port}: {error.strerror}; something else listens there", file=sys.stderr)
        return 2
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        return subprocess.run(command).returncode
    except KeyboardInterrupt:
        return 1
    finally:
        server.shutdown()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
