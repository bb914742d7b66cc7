"""A pool of Beam workers beside a TaskManager: ``python -m pipelines.beam.pool PORT``.

Beam's own pool starts Python and imports Beam anew for every pipeline, and listens on all
interfaces.  Here a process that has imported everything forks the workers, and only this machine is
listened to: pool and TaskManager share a host, as the containers of a pod do.
"""

import contextlib
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess

import grpc
from apache_beam.portability.api import beam_fn_api_pb2, beam_fn_api_pb2_grpc

from pipelines.beam.workers import environment, preloaded, serve


class Pool(beam_fn_api_pb2_grpc.BeamFnExternalWorkerPoolServicer):
    """Starts a process for each worker that is asked for; it ends when its TaskManager lets go."""

    def __init__(self) -> None:
        self._context = preloaded()
        forkserver.ensure_running()  # the first worker need not wait for all the imports
        self._lock = threading.Lock()
        self._processes: list[BaseProcess] = []  # one that nobody holds would end

    def StartWorker(  # noqa: N802 (Beam's name)
        self, request: beam_fn_api_pb2.StartWorkerRequest, context: grpc.ServicerContext
    ) -> beam_fn_api_pb2.StartWorkerResponse:
        """Fork it."""
        about = environment(request.worker_id, request.control_endpoint)
        process = self._context.Process(target=serve, args=(about,), daemon=True)
        with self._lock:
            process.start()
            self._processes = [process, *(p for p in self._processes if p.is_alive())]
        return beam_fn_api_pb2.StartWorkerResponse()

    def StopWorker(  # noqa: N802
        self, request: beam_fn_api_pb2.StopWorkerRequest, context: grpc.ServicerContext
    ) -> beam_fn_api_pb2.StopWorkerResponse:
        """Nothing: each TaskManager numbers its workers from 1-1, so an id names none for sure."""
        return beam_fn_api_pb2.StopWorkerResponse()


def main(port: int) -> None:
    """Serve until the process is told to end."""
    server = grpc.server(ThreadPoolExecutor(8))
    beam_fn_api_pb2_grpc.add_BeamFnExternalWorkerPoolServicer_to_server(Pool(), server)
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with contextlib.suppress(KeyboardInterrupt):
        server.wait_for_termination()


if __name__ == "__main__":
    main(int(sys.argv[1]))
