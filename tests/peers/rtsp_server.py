"""An RTSP server with Digest on GStreamer: H.264 at /live, H.265 at /live265, JPEG at /jpeg, nothing at /silent.

Arguments: user, password. Prints the port it got."""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer

SOURCE = "videotestsrc is-live=true pattern=ball ! video/x-raw,width=640,height=360,framerate=25/1 ! "
X264 = "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=25 bitrate=800"
STREAMS = {
    "/live": SOURCE + X264 + " ! h264parse ! rtph264pay name=pay0 pt=96",
    "/live265": SOURCE + "x265enc tune=zerolatency speed-preset=ultrafast key-int-max=25 ! h265parse ! rtph265pay name=pay0 pt=96",
    "/jpeg": SOURCE.replace("raw,", "raw,format=I420,") + "jpegenc ! rtpjpegpay name=pay0 pt=26",
    # Nothing ever reaches the encoder.
    "/silent": SOURCE + "valve drop=true ! " + X264 + " ! h264parse ! rtph264pay name=pay0 pt=96",
}


def main(user, password):
    Gst.init(None)
    server = GstRtspServer.RTSPServer(address="127.0.0.1", service="0")
    auth = GstRtspServer.RTSPAuth()
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    auth.add_digest(user, password, token)
    server.set_auth(auth)
    for path, launch in STREAMS.items():
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch("( " + launch + " )")
        factory.set_shared(True)
        permissions = GstRtspServer.RTSPPermissions()
        permissions.add_permission_for_role("viewer", "media.factory.access", True)
        permissions.add_permission_for_role("viewer", "media.factory.construct", True)
        factory.set_permissions(permissions)
        server.get_mount_points().add_factory(path, factory)
    server.attach(None)
    print(server.get_bound_port(), flush=True)
    GLib.MainLoop().run()


main(*sys.argv[1:3])
