"""Beam's worker processes on this machine: quick to start, quiet, and gone with their parent.

The multi-process mode of `FnApiRunner` starts workers anew for every pipeline, each of which takes
seconds to import Beam, and it waits for ever for one that died.  Here a process that has imported
Beam forks them, and the death of one fails the run.
"""

import logging
import multiprocessing
import os
import signal
import sys
import threading
from multiprocessing import resource_tracker
from multiprocessing.context import ForkServerContext

import grpc
from apache_beam.portability import python_urns
from apache_beam.portability.api import beam_fn_api_pb2, endpoints_pb2
from apache_beam.runners.portability.fn_api_runner import worker_handlers
from google.protobuf import json_format, text_format

PRELOAD = ["pipelines.beam.pipeline", "apache_beam.runners.worker.sdk_worker_main"]
DEAD = (
    "pipelines.errors.RunError: a worker process ended with {code} (-9: killed, often for want of "
    "memory); what is done stays done: run again, with fewer --workers"
)


@worker_handlers.WorkerHandler.register_environment(python_urns.SUBPROCESS_SDK, bytes)
class ForkedWorker(worker_handlers.SubprocessSdkWorkerHandler):
    """A worker in a process of its own."""

    def start_worker(self) -> None:
        """Fork it, and watch over it."""
        control = endpoints_pb2.ApiServiceDescriptor(url=self.control_address)
        options = self.provision_info.provision_info.pipeline_options
        about = environment(self.worker_id, control, json_format.MessageToJson(options))
        threading.excepthook = excepted
        self.process = preloaded().Process(target=serve, args=(about,), daemon=True)
        # ctrl-c is sent to all of us; the parent hears it and ends the workers
        resource_tracker.ensure_running()  # would unblock it, were it started by what follows
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self.process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        self.stopped = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        """Answer in the place of a worker that died."""
        self.process.join()
        error = DEAD.format(code=self.process.exitcode)
        while self.process.exitcode and not self.stopped.wait(0.1):
            for key in list(self.control_conn._futures_by_id):
                answer = beam_fn_api_pb2.InstructionResponse(instruction_id=key, error=error)
                self.control_conn._futures_by_id.pop(key).set(answer)

    def close(self) -> None:
        """Let it finish, unless the run fails or is interrupted."""
        if sys.exc_info()[0] is not None:
            self.process.terminate()
        super().close()

    def stop_worker(self) -> None:
        """Wait for its end."""
        self.stopped.set()
        self.process.join()


def environment(
    worker: str, control: endpoints_pb2.ApiServiceDescriptor, options: str = "{}"
) -> dict[str, str]:
    """What Beam's worker looks for in its environment."""
    return {
        "CONTROL_API_SERVICE_DESCRIPTOR": text_format.MessageToString(control),
        "PIPELINE_OPTIONS": options,
        "WORKER_ID": worker,
    }


def preloaded() -> ForkServerContext:
    """Makes processes out of one that has imported everything."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    return context


def excepted(raised: threading.ExceptHookArgs) -> None:
    """Threads that listened to somebody who died: that is said already."""
    if not isinstance(raised.exc_value, grpc.RpcError):
        threading.__excepthook__(raised)


def serve(about: dict[str, str]) -> None:
    """Be a worker."""
    threading.Thread(target=_follow, daemon=True).start()
    os.environ.update(about)
    from apache_beam.runners.worker import sdk_worker, sdk_worker_main

    logging.disable(logging.CRITICAL)  # what fails is raised, and said once, by who asked for it
    sdk_worker.print = lambda *said, **how: None  # it prints what it raises
    threading.excepthook = excepted
    try:
        sdk_worker_main.main([])
    except grpc.RpcError:  # who asked is gone
        sys.exit(1)


def _follow() -> None:
    """End with the parent, however it ends: it lets go of the run folder's lock."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
