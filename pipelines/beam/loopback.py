"""Keep Beam's worker processes on this machine to this machine.

The multi-process mode of `FnApiRunner` listens on every interface, without a password, and has no
option against it.  The two modules that open its sockets are given a `grpc` whose servers bind to
the loopback address instead.
"""

from types import ModuleType
from typing import Any

import grpc
from apache_beam.runners.portability import local_job_service
from apache_beam.runners.portability.fn_api_runner import worker_handlers

EVERYWHERE, HERE = "[::]", "127.0.0.1"


class Grpc(ModuleType):
    """The module `grpc`, but for its servers."""

    def __getattr__(self, name: str) -> Any:
        return getattr(grpc, name)

    def server(self, *arguments: Any, **options: Any) -> grpc.Server:
        """A server that binds to the loopback address where all were asked for."""
        server = grpc.server(*arguments, **options)
        bind = server.add_insecure_port
        server.add_insecure_port = lambda address: bind(address.replace(EVERYWHERE, HERE))
        return server


def stay_here() -> None:
    """Let the runner's modules use it, from now on."""
    for module in (worker_handlers, local_job_service):
        module.grpc = Grpc("grpc")
