import { readFile } from 'node:fs/promises';
import { errorText } from '@edge/core';
import { eventBusError } from '../errors.js';
import { parseUsers, passwordFits } from './passwords.js';
import { allows, parseRules, type Rules, type Who } from './rules.js';

/** Who may come in, and what they may do. */
export class Access {
  readonly #users: ReadonlyMap<string, string> | undefined;
  readonly #rules: Rules | undefined;

  /** Without users everybody may come in, without rules all may do all. */
  constructor(deps: { users?: ReadonlyMap<string, string> | undefined; rules?: Rules | undefined }) {
    this.#users = deps.users;
    this.#rules = deps.rules;
  }

  /** The user's name, empty when there is none; undefined when the client may not come in. */
  async login(name: string | undefined, password: string | undefined, certificateName: string | undefined): Promise<string | undefined> {
    // What was checked counts more than what anybody may say.
    if (this.#users === undefined) return certificateName ?? name ?? '';
    // A certificate that was checked is a login by itself.
    if (name === undefined) return certificateName;
    const hash = this.#users.get(name);
    return hash !== undefined && password !== undefined && (await passwordFits(hash, password)) ? name : undefined;
  }

  mayPublish(who: Who, topic: string): boolean {
    return this.#rules === undefined || allows(this.#rules, who, 'write', topic);
  }

  maySubscribe(who: Who, filter: string): boolean {
    return this.#rules === undefined || allows(this.#rules, who, 'read', filter);
  }
}

/**
 * Reads the files of users and rules; an empty name means none.
 * @throws EdgeError `eventbus.bad-file`
 */
export async function readAccess(passwordFile: string, rulesFile: string): Promise<Access> {
  const [users, rules] = await Promise.all([read(passwordFile), read(rulesFile)]);
  return new Access({
    users: users === undefined ? undefined : parseUsers(passwordFile, users),
    rules: rules === undefined ? undefined : parseRules(rulesFile, rules),
  });
}

async function read(file: string): Promise<string | undefined> {
  if (file === '') return undefined;
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw eventBusError('eventbus.bad-file', `${file} cannot be read: ${errorText(cause)}`, cause);
  }
}
