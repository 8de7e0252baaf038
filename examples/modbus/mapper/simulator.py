"""A Modbus TCP server to try the mapper against: python3 simulator.py [port]. Needs pymodbus 3.0 (Debian: python3-pymodbus, python3-serial-asyncio)."""
import asyncio
import socket
import sys

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server import StartAsyncTcpServer

port = int(sys.argv[1]) if len(sys.argv) > 1 else 5020
store = ModbusSlaveContext(
    di=ModbusSequentialDataBlock(0, [1, 0] * 8),
    co=ModbusSequentialDataBlock(0, [0] * 16),
    hr=ModbusSequentialDataBlock(0, [0] * 16),
    ir=ModbusSequentialDataBlock(0, [215, 65436, 0x8D00, 0x42A9] + [0] * 12),
    zero_mode=True,
)
# The library keeps quiet about a port that is taken.
with socket.create_server(("127.0.0.1", port)):
    pass
print(f"a device listens on 127.0.0.1:{port}", flush=True)
server = StartAsyncTcpServer(ModbusServerContext(slaves=store, single=True), address=("127.0.0.1", port), allow_reuse_address=True)
asyncio.run(server)
