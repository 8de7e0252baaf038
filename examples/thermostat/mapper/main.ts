import { runMapper } from '@edge/mapper';
import { thermostat } from './thermostat.js';

await runMapper(thermostat, { name: 'thermostat', protocol: 'simulated-thermostat' });
