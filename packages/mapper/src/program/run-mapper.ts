import type { Driver } from '../driver.js';
import { errorText } from '../errors.js';
import { startMapper } from '../mapper.js';
import type { MapperOptions } from '../options.js';
import { commandLine } from './command-line.js';

/**
 * A mapper as a program: reads flags, environment and configuration file, works until SIGINT or SIGTERM, stops the drivers
 * and ends. A setting that cannot be used is said on the standard error output, exit code 1.
 */
export async function runMapper<Connection>(driver: Driver<Connection>, options: MapperOptions): Promise<void> {
  try {
    const line = commandLine(process.argv.slice(2), process.env, options);
    if ('print' in line) {
      process.stdout.write(line.print);
      return;
    }
    // Before the start, so that no signal is missed.
    const told = untilTold();
    const mapper = await startMapper(driver, line.options);
    line.options.log?.info(`mapper ${line.options.name} serves at ${mapper.socketPath}${mapper.httpPort === undefined ? '' : ` and http://127.0.0.1:${mapper.httpPort}`}`);
    await told;
    await mapper.stop();
  } catch (error) {
    process.stderr.write(`${errorText(error)}\n`);
    process.exitCode = 1;
  }
}

function untilTold(): Promise<void> {
  return new Promise((resolve) => {
    const told = (): void => {
      // A second signal ends the program the hard way.
      process.off('SIGINT', told).off('SIGTERM', told);
      resolve();
    };
    process.on('SIGINT', told).on('SIGTERM', told);
  });
}
