#!/usr/bin/env python3
"""Makes what the other pollers of `tests/bench/others` need, and asks the exporter in their pace.

usage: others.py exporter                       the exporter's module, on standard output
       others.py collectd DEVICES BASE PORT     collectd's configuration
       others.py scrape DEVICES BASE PORT EXPORTER-PORT SECONDS
           asks for every device once a minute, those due in the same second together, and prints how many answered
"""
import asyncio
import ipaddress
import sys

SYSTEM, IF, IFX = "1.3.6.1.2.1.1", "1.3.6.1.2.1.2.2.1", "1.3.6.1.2.1.31.1.1.1"
SCALARS = [f"{SYSTEM}.{n}.0" for n in range(1, 8)] + [
    "1.3.6.1.2.1.2.1.0", "1.3.6.1.2.1.31.1.5.0", "1.3.6.1.2.1.25.1.1.0"]
COLUMNS = [f"{IFX}.1", f"{IFX}.18", f"{IF}.7", f"{IF}.8", f"{IFX}.15", f"{IFX}.6", f"{IFX}.10",
           f"{IF}.14", f"{IF}.20"]
TEXTS = {f"{SYSTEM}.{n}.0" for n in (1, 4, 5, 6)} | {f"{IFX}.1", f"{IFX}.18"}


def addresses(count, base):
    first = int(ipaddress.IPv4Address(base)) + 1
    return [str(ipaddress.IPv4Address(first + n)) for n in range(count)]


def exporter():
    print("bench:\n  version: 2\n  auth:\n    community: public\n  max_repetitions: 25\n  timeout: 5s\n  walk:")
    print("\n".join(f"  - {oid}" for oid in COLUMNS))
    print("  get:\n" + "\n".join(f"  - {oid}" for oid in SCALARS))
    print("  metrics:")
    for oid in SCALARS + COLUMNS:
        kind = "DisplayString" if oid in TEXTS else "OctetString" if oid == f"{SYSTEM}.2.0" else "gauge"
        name = oid.removesuffix(".0") if oid in SCALARS else oid
        print(f"  - name: m_{name.replace('.', '_')}\n    oid: {name}\n    type: {kind}\n    help: .")
        if oid in COLUMNS:
            print("    indexes:\n    - labelname: ifIndex\n      type: gauge")


def collectd(count, base, port):
    """Its values are numbers: the texts are read as names of rows alone (ifName), five scalars are left out."""
    print('Interval 60\nReadThreads 5\nLoadPlugin snmp\nLoadPlugin csv\n<Plugin csv>\n  DataDir "stdout-is-not-used"\n'
          "</Plugin>\n<Plugin snmp>")
    numbers = [oid for oid in SCALARS if oid not in TEXTS and oid != f"{SYSTEM}.2.0"]
    for at, oid in enumerate(numbers):
        print(f'<Data "s{at}">\nType "gauge"\nTable false\nInstance "s{at}"\nValues "{oid}"\n</Data>')
    columns = [oid for oid in COLUMNS if oid not in TEXTS]
    for at, oid in enumerate(columns):
        print(f'<Data "c{at}">\nType "gauge"\nTable true\nTypeInstanceOID "{IFX}.1"\nInstancePrefix "c{at}-"\n'
              f'Values "{oid}"\n</Data>')
    names = " ".join(f'"s{n}"' for n in range(len(numbers))) + " " + " ".join(f'"c{n}"' for n in range(len(columns)))
    for at, address in enumerate(addresses(count, base)):
        print(f'<Host "d{at}">\nAddress "{address}:{port}"\nVersion 2\nCommunity "public"\nCollect {names}\n'
              "Interval 60\nBulkSize 25\n</Host>")
    print("</Plugin>")


async def ask(target, port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET /snmp?module=bench&target={target} HTTP/1.0\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return answer.startswith((b"HTTP/1.0 200", b"HTTP/1.1 200")) and b"\nm_" in answer


async def scrape(count, base, port, exporter_port, seconds):
    loop = asyncio.get_running_loop()
    began, waiting, asked = loop.time(), [], 0
    targets = addresses(count, base)
    for second in range(seconds):
        await asyncio.sleep(max(0, began + second - loop.time()))
        for at in range(count):
            if at * 60 // count == second % 60:
                waiting.append(asyncio.create_task(ask(f"{targets[at]}:{port}", exporter_port)))
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    print(sum(answer is True for answer in answers), len(answers))


match sys.argv[1:]:
    case ["exporter"]:
        exporter()
    case ["collectd", count, base, port]:
        collectd(int(count), base, port)
    case ["scrape", count, base, port, exporter_port, seconds]:
        asyncio.run(scrape(int(count), base, port, int(exporter_port), int(seconds)))
    case _:
        sys.exit(__doc__)
