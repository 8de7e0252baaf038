import { runMapper } from '@edge/mapper';
import { modbus } from './modbus.js';

await runMapper(modbus, { name: 'modbus', protocol: 'modbus-tcp' });
