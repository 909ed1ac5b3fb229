#!/usr/bin/python3
"""An RTSP server on 127.0.0.1 for tests/streams.sh: a moving ball at rtsp://127.0.0.1:PORT/cam.

Prints "port N" when it is ready, and "sessions N" whenever the number of sessions changes.
"""
import argparse

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer

SOURCE = "videotestsrc is-live=true pattern=ball num-buffers={frames}"
FORMAT = "video/x-raw,format=I420,width=160,height=120,framerate={fps}/1"
CODER = "x264enc tune=zerolatency key-int-max={fps} speed-preset=ultrafast threads=1"
VIDEO = f"{SOURCE} ! {FORMAT} ! {CODER} ! rtph264pay name=pay0 pt=96 config-interval=1"
SOUND = "audiotestsrc is-live=true ! alawenc ! rtppcmapay name=pay0 pt=8"


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--fps", type=int, default=10)
    parser.add_argument("--frames", type=int, default=-1, help="then it is silent; -1: no end")
    parser.add_argument("--udp", action="store_true", help="RTP over UDP alone")
    parser.add_argument("--sound", action="store_true", help="sound, and no picture")
    parser.add_argument("--user")
    parser.add_argument("--password")
    parser.add_argument("--digest", action="store_true")
    return parser.parse_args()


def protect(server, factory, args):
    """Only args.user may see the camera."""
    auth, token = GstRtspServer.RTSPAuth(), GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "user")
    if args.digest:
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest(args.user, args.password, token)
    else:
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(args.user, args.password), token)
    allowed = GstRtspServer.RTSPPermissions()
    allowed.add_permission_for_role("user", "media.factory.access", True)
    allowed.add_permission_for_role("user", "media.factory.construct", True)
    factory.set_permissions(allowed)
    server.set_auth(auth)


def main():
    args = arguments()
    Gst.init(None)
    server, factory = GstRtspServer.RTSPServer(), GstRtspServer.RTSPMediaFactory()
    server.set_address("127.0.0.1")
    server.set_service(str(args.port))
    launch = SOUND if args.sound else VIDEO.format(fps=args.fps, frames=args.frames)
    factory.set_launch(f"( {launch} )")
    factory.set_shared(True)
    if args.udp:
        factory.set_protocols(GstRtsp.RTSPLowerTrans.UDP)
    if args.user:
        protect(server, factory, args)
    server.get_mount_points().add_factory("/cam", factory)
    if not server.attach(None):
        raise SystemExit(f"port {args.port} is taken")

    told = [-1]

    def tell():
        now = server.get_session_pool().get_n_sessions()
        if now != told[0]:
            told[0] = now
            print("sessions", now, flush=True)
        return True

    GLib.timeout_add(100, tell)
    print("port", server.get_bound_port(), flush=True)
    GLib.MainLoop().run()


main()
