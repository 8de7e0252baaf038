import type { Driver } from '@edge/mapper';
import { Room } from './room.js';

/** A thermostat whose device is a simulated room; a real one would open a port in `init` and talk to it. */
export const thermostat: Driver<Room> = {
  init(device) {
    return new Room(device.settings.number('start', 18), device.settings.number('degreesPerSecond', 0.5));
  },

  read(property, { connection: room }) {
    return property.name === 'heating' ? room.heating : room.temperature;
  },

  write(_property, value, { connection: room }) {
    room.target = Number(value);
  },
};
