"""Other Modbus masters on the line of tests/bench/bus: what a request costs their process.

usage: masters.py LINK UNITS REQUESTS PAUSE_MS

libmodbus (C, by ctypes; comes with Debian's mbpoll) and pymodbus, one request after another with so long a pause
between them. 100 requests are not counted.
"""

import ctypes
import ctypes.util
import sys
import time

WARM_UP = 100


def measure(name, read, units, requests, pause_s):
    """Prints one row, in the form of the bench."""
    for at in range(WARM_UP):
        read(1 + at % units)
    began, cpu = time.perf_counter(), time.process_time()
    for at in range(requests):
        read(1 + at % units)
        if pause_s:
            time.sleep(pause_s)
    took, cpu = time.perf_counter() - began, time.process_time() - cpu
    print(f"{name}: {requests} requests to {units} units, pause {pause_s * 1e3:.0f} ms: "
          f"{requests / took:.0f} a second, CPU {cpu * 1e3 / requests:.4f} ms a request", flush=True)


def libmodbus(link):
    """A reader by libmodbus; None where it is not installed."""
    name = ctypes.util.find_library("modbus")
    if not name:
        return None
    library = ctypes.CDLL(name, use_errno=True)
    library.modbus_new_rtu.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.modbus_new_rtu(link.encode(), 115200, ctypes.c_char(b"N"), 8, 1))
    assert library.modbus_connect(context) == 0, "libmodbus does not connect"
    # An answer to whoever asked before may still be on the line; libmodbus would take it for its own.
    time.sleep(0.3)
    library.modbus_flush(context)
    registers = (ctypes.c_uint16 * 2)()

    def read(unit):
        library.modbus_set_slave(context, unit)
        assert library.modbus_read_input_registers(context, 1, 2, registers) == 2 and registers[0] == 235

    return read


def pymodbus(link):
    """A reader by pymodbus; None where it is not installed."""
    try:
        from pymodbus.client import ModbusSerialClient
    except ImportError:
        return None
    client = ModbusSerialClient(link, baudrate=115200, timeout=1)
    assert client.connect(), "pymodbus does not connect"

    def read(unit):
        assert client.read_input_registers(1, count=2, device_id=unit).registers[0] == 235

    return read


def main():
    """One row a master."""
    link, units, requests, pause_ms = sys.argv[1], *map(int, sys.argv[2:5])
    for name, reader in (("libmodbus", libmodbus), ("pymodbus", pymodbus)):
        read = reader(link)
        if read is None:
            print(f"{name}: not installed")
        else:
            measure(name, read, units, requests, pause_ms / 1e3)


main()
