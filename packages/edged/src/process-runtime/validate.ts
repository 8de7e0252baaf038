import type { ContainerConfig } from '@edge/core';
import { EdgeError } from '@edge/core';
import { RuntimeErrors } from './errors.js';

/** Throws when no process can be made from the configuration. */
export function validateContainer(config: ContainerConfig): void {
  const { name } = config.metadata;
  const argv = [...config.command, ...config.args];
  if (argv.length === 0) {
    throw new EdgeError(
      RuntimeErrors.noCommand,
      `container ${name} has no command: the process runtime does not use images (here ${config.userSpecifiedImage || config.image}), so the pod must say what to run in "command"`,
    );
  }
  const texts = [...argv, ...config.env.flatMap((variable) => [variable.name, variable.value]), config.workingDir ?? ''];
  if (texts.some((text) => text.includes('\0'))) throw invalid(name, 'a zero byte in command, args, env or workingDir');
  const wrong = config.env.find((variable) => variable.name === '' || variable.name.includes('='));
  if (wrong) throw invalid(name, `a variable named ${JSON.stringify(wrong.name)}`);
  const relative = config.mounts.find((mount) => !mount.hostPath.startsWith('/'));
  if (relative) throw invalid(name, `a mount from ${JSON.stringify(relative.hostPath)}, which is not an absolute path`);
}

function invalid(container: string, what: string): EdgeError {
  return new EdgeError(RuntimeErrors.invalidConfig, `container ${container} has ${what}`);
}
