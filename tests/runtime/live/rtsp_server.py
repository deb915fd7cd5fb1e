"""An RTSP server that shows pictures, by Debian's gir1.2-gst-rtsp-server-1.0, python3-gi and GStreamer's plugins.

    /usr/bin/python3 tests/runtime/live/rtsp_server.py 1280x720 --encoder "x264enc tune=zerolatency ! rtph264pay"

It prints its address. Each line that it reads is the path of a picture, as raw RGB bytes, which is sent from then on;
when its first frame goes to the encoder, a line says when that was, in seconds of the monotonic clock. It ends with its
input.
"""

import argparse
import sys
import threading
from pathlib import Path
from time import monotonic
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402  # the versions are chosen before

ENCODER = "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=50 ! rtph264pay"


class Camera:
    """Pushes the picture that is shown at the moment into the pipeline, at a rate."""

    def __init__(self, size: str, fps: int, more: str) -> None:
        width, height = map(int, size.split("x"))
        self.caps = f"video/x-raw,format=RGB,width={width},height={height},framerate={fps}/1{more}"
        self._fps = fps
        self._picture = bytes(width * height * 3)
        self._is_new = False
        self._source: Any = None

    def configure(self, _: Any, media: Any) -> None:
        """Starts to send, when the first viewer has come."""
        self._source = media.get_element().get_child_by_name("source")
        GLib.timeout_add(1000 // self._fps, self._push, self._source)

    def show(self, picture: bytes) -> None:
        self._picture, self._is_new = picture, True

    def _push(self, source: Any) -> bool:
        if source is not self._source:  # another connection has made a pipeline of its own
            return False
        if self._is_new:
            self._is_new = False
            print(monotonic(), flush=True)
        return bool(source.emit("push-buffer", Gst.Buffer.new_wrapped(self._picture)) == Gst.FlowReturn.OK)


def login(server: Any, factory: Any, user: str) -> None:
    """Asks for that user, NAME:PASSWORD, by digest."""
    auth = GstRtspServer.RTSPAuth()
    auth.set_supported_methods(2)  # GST_RTSP_AUTH_DIGEST
    name, _, password = user.partition(":")
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    auth.add_digest(name, password, token)
    server.set_auth(auth)
    permissions = GstRtspServer.RTSPPermissions()
    for permission in ("media.factory.access", "media.factory.construct"):
        permissions.add_permission_for_role("viewer", permission, True)
    factory.set_permissions(permissions)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("size", help="WIDTHxHEIGHT of the pictures in pixels")
    parser.add_argument("--fps", type=int, default=25)
    parser.add_argument("--encoder", default=ENCODER, help="elements of GStreamer, the last one a payloader")
    parser.add_argument("--interlaced", action="store_true", help="say that the pictures are of two fields")
    parser.add_argument("--login", default="", metavar="NAME:PASSWORD", help="asked for by digest")
    parser.add_argument("--port", type=int, default=0, help="0 for any free one")
    arguments = parser.parse_args()
    Gst.init(None)
    camera = Camera(arguments.size, arguments.fps, ",interlace-mode=interleaved" * arguments.interlaced)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(str(arguments.port))
    factory = GstRtspServer.RTSPMediaFactory()
    source = f"appsrc name=source is-live=true format=time do-timestamp=true caps={camera.caps}"
    factory.set_launch(f"( {source} ! videoconvert ! video/x-raw,format=I420 ! {arguments.encoder} name=pay0 pt=96 )")
    factory.set_shared(True)
    factory.connect("media-configure", camera.configure)
    server.get_mount_points().add_factory("/camera", factory)
    if arguments.login:
        login(server, factory, arguments.login)
    server.attach(None)
    loop = GLib.MainLoop()

    def listen() -> None:
        for line in sys.stdin:
            camera.show(Path(line.strip()).read_bytes())
        loop.quit()

    threading.Thread(target=listen, daemon=True).start()
    print(f"rtsp://127.0.0.1:{server.get_bound_port()}/camera", flush=True)
    loop.run()


if __name__ == "__main__":
    main()
