"""A pool of Beam workers beside a TaskManager: ``python -m pipelines.pool PORT``.

Beam's own pool starts Python and imports Beam anew for every pipeline, and listens on all
interfaces.  Here a process that has imported everything forks the workers, and only this machine is
listened to: pool and TaskManager share a host, as the containers of a pod do.
"""

import contextlib
import multiprocessing
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import forkserver

import grpc
from apache_beam.portability.api import beam_fn_api_pb2, beam_fn_api_pb2_grpc

from pipelines.workers import environment, preloaded, serve

Worker = tuple[str, str]
"""A worker's id, and where its TaskManager listens: each of these numbers its workers from 1-1."""


class Pool(beam_fn_api_pb2_grpc.BeamFnExternalWorkerPoolServicer):
    """Starts a process for each worker that is asked for, and ends it when it is to stop."""

    def __init__(self) -> None:
        self._context = preloaded()
        forkserver.ensure_running()  # the first worker need not wait for all the imports
        self._lock = threading.Lock()
        self._processes: dict[Worker, multiprocessing.process.BaseProcess] = {}

    def StartWorker(  # noqa: N802 (Beam's name)
        self, request: beam_fn_api_pb2.StartWorkerRequest, context: grpc.ServicerContext
    ) -> beam_fn_api_pb2.StartWorkerResponse:
        """Fork it."""
        worker = request.worker_id, request.control_endpoint.url
        about = environment(request.worker_id, request.control_endpoint)
        process = self._context.Process(target=serve, args=(about,), daemon=True)
        with self._lock:
            self._sweep()
            process.start()
            self._processes[worker] = process
        return beam_fn_api_pb2.StartWorkerResponse()

    def StopWorker(  # noqa: N802
        self, request: beam_fn_api_pb2.StopWorkerRequest, context: grpc.ServicerContext
    ) -> beam_fn_api_pb2.StopWorkerResponse:
        """A worker ends by itself when its TaskManager lets go; an id alone does not name it."""
        return beam_fn_api_pb2.StopWorkerResponse()

    def _sweep(self) -> None:
        """Forget those that ended."""
        self._processes = {w: p for w, p in self._processes.items() if p.is_alive()}


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
