"""A camera that nobody here wrote: ipycam with colour bars of its own, behind a login.

Arguments: HTTP port, RTSP port, user, password. Prints "ready" when it streams."""

import sys
import time

import numpy as np
from ipycam import CameraConfig, IPCamera


def main(http_port, rtsp_port, user, password):
    config = CameraConfig()
    config.local_ip = "127.0.0.1"
    config.onvif_port, config.rtsp_port, config.web_port = int(http_port), int(rtsp_port), int(http_port)
    config.username, config.password = user, password
    config.main_width, config.main_height, config.main_fps = 640, 360, 15
    config.sub_fps = 10
    config.hw_accel = "cpu"
    camera = IPCamera(config)
    if not camera.start():
        sys.exit("ipycam does not start")
    columns = np.linspace(0, 255, config.main_width, dtype=np.uint8)
    print("ready", flush=True)
    shift = 0
    while True:
        frame = np.empty((config.main_height, config.main_width, 3), dtype=np.uint8)
        frame[:] = np.roll(columns, shift)[None, :, None]
        camera.stream(frame)
        shift += 4
        time.sleep(1 / config.main_fps)


main(*sys.argv[1:5])
