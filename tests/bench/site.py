#!/usr/bin/env python3
"""Prints a site file for a farm of agents: device i is BASE + 1 + i, all on one port.

usage: site.py --devices N --interval 60s --store DIR --profiles DIR [--base 127.1.0.0] [--port 1161]
               [--fast A-B=5s] [--uplink A-B=Gi0/7] [--listen 127.0.0.1:8099] [--profile bench-226]
"""
import argparse
import ipaddress


def span(text):
    devices, value = text.split("=", 1)
    first, _, last = devices.partition("-")
    return range(int(first), int(last or first) + 1), value


p = argparse.ArgumentParser()
p.add_argument("--devices", type=int, default=1000)
p.add_argument("--interval", default="60s")
p.add_argument("--store", required=True)
p.add_argument("--profiles", required=True)
p.add_argument("--base", default="127.1.0.0")
p.add_argument("--port", type=int, default=1161)
p.add_argument("--fast", type=span, action="append", default=[])
p.add_argument("--uplink", type=span, action="append", default=[])
p.add_argument("--listen", default="127.0.0.1:8099")
p.add_argument("--profile", default="bench-226")
a = p.parse_args()

print(f"""[site]
name = "基准"
timezone = "Asia/Shanghai"
[store]
path = "{a.store}"
[panel]
listen = "{a.listen}"
[profiles]
path = "{a.profiles}"
[credentials.farm]
snmp = {{ version = "2c", community = "public" }}
""")
base = int(ipaddress.IPv4Address(a.base))
for d in range(a.devices):
    interval = next((value for devices, value in a.fast if d in devices), a.interval)
    print(f"""[[device]]
id = "d{d:05}"
name = "设备 {d}"
profile = "{a.profile}"
tier = "station"
network = "business"
address = "{ipaddress.IPv4Address(base + 1 + d)}:{a.port}"
credentials = "farm"
reach = "snmp"
interval = "{interval}" """)
    for devices, label in a.uplink:
        if d in devices:
            print(f'tag = {{ "{label}" = "uplink" }}')
