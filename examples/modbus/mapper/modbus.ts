import { MapperError, MapperErrors, type Driver } from '@edge/mapper';
import modbusSerial from 'modbus-serial';
import { decode, encode, isCoil, placeOf } from './registers.js';

type Client = InstanceType<typeof modbusSerial.default>;
const ModbusRTU = modbusSerial.default ?? modbusSerial;

/** Modbus TCP. The device's settings are `ip`, `port`, `slaveID` and `timeout` (milliseconds), the properties' those of `Place`. */
export const modbus: Driver<Client> = {
  async init({ settings }) {
    const client = new ModbusRTU();
    // Whoever reads learns of it by the read that fails.
    client.on('error', () => undefined);
    await client.connectTCP(settings.text('ip', '127.0.0.1'), { port: settings.integer('port', 502) });
    client.setID(settings.integer('slaveID', 1));
    client.setTimeout(settings.integer('timeout', 3000));
    return client;
  },

  async read(property, { connection }) {
    const place = placeOf(property);
    const { register, offset, limit } = place;
    return guarded(connection, async () => {
      if (register === 'CoilRegister') return (await connection.readCoils(offset, limit)).data[0] ?? false;
      if (register === 'DiscreteInputRegister') return (await connection.readDiscreteInputs(offset, limit)).data[0] ?? false;
      const { data } = register === 'InputRegister' ? await connection.readInputRegisters(offset, limit) : await connection.readHoldingRegisters(offset, limit);
      return decode(data, place, property.type);
    });
  },

  async write(property, value, { connection }) {
    const place = placeOf(property);
    if (place.register !== 'CoilRegister' && place.register !== 'HoldingRegister') throw new MapperError(MapperErrors.readOnly, `a ${place.register} cannot be written`);
    if (isCoil(place.register)) return void (await guarded(connection, () => connection.writeCoil(place.offset, value === true || Number(value) === 1)));
    const registers = encode(value, place);
    // Some devices know the one function only, some the other.
    const [first = 0, ...others] = registers;
    await guarded<unknown>(connection, () => (others.length === 0 ? connection.writeRegister(place.offset, first) : connection.writeRegisters(place.offset, registers)));
  },

  async stop({ connection }) {
    if (!connection.isOpen) return;
    await new Promise<void>((resolve) => connection.destroy(() => resolve()));
  },
};

/** A call; when it failed because the connection is gone, the mapper is told to make another at once. */
async function guarded<T>(connection: Client, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String((error as { message?: unknown }).message ?? error);
    if (!connection.isOpen) throw new MapperError(MapperErrors.deviceAway, `the connection is lost: ${reason}`);
    throw new Error(reason);
  }
}
