"""A real nginx, and real pages behind it: the files of Debian packages, nothing installed."""

import grp
import os
import pwd
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.helpers.begun import free_port, wait_for_server
from tests.helpers.needs import unpacked

CONF = """\
daemon off; user {user}; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
  access_log off; include {types}; gzip on; keepalive_requests 100000;
  client_body_temp_path {folder}/t; proxy_temp_path {folder}/t; fastcgi_temp_path {folder}/t;
  uwsgi_temp_path {folder}/t; scgi_temp_path {folder}/t;
  server {{
    listen 127.0.0.1:{port}; root {folder}/site;
    location /plain/ {{ gzip off; etag off; if_modified_since off; add_header Last-Modified ""; }}
  }}
}}
"""
ROBOTS = """\
User-agent: GPTBot
User-agent: CCBot
Disallow: /

User-agent: *
Disallow: /private/
Disallow: /*?print=
Allow: /
"""
HANDBOOK = "3d5dbeac1f1afc9c094eab9d0f701f6ecff99c4927d5a4794cf6c85678134faa"  # 11.20220922


def handbook() -> Path:
    """The Debian Administrator's Handbook in 26 languages, a folder each: 3,302 pages of 19 kB."""
    return unpacked("debian-handbook", HANDBOOK) / "usr/share/doc/debian-handbook/html"


@contextmanager
def nginx(folder: Path, sites: Mapping[str, Path]) -> Iterator[str]:
    """Its address, without a last slash, while the block runs.

    Args:
        folder: empty; holds all that it writes.
        sites: the folder that stands at each path; what stands at "plain" is sent unpacked, and
            whole however often it is asked for.
    """
    port, types = free_port(), unpacked("nginx-common") / "etc/nginx/mime.types"
    (folder / "site").mkdir(parents=True)
    for name, place in sites.items():
        (folder / "site" / name).symlink_to(place.resolve())
    (folder / "site/robots.txt").write_text(ROBOTS)
    me, mine = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name
    (folder / "nginx.conf").write_text(
        CONF.format(folder=folder, types=types, port=port, user=f"{me} {mine}")
    )
    program = unpacked("nginx") / "usr/sbin/nginx"
    with subprocess.Popen([program, "-c", folder / "nginx.conf", "-e", "stderr"]) as process:
        try:
            wait_for_server(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
