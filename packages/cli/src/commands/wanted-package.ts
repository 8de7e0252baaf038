import { EdgeError, parseVersion } from '@edge/core';

const NAME = /^(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/;

/**
 * Reads which package is wanted: `1.4.2`, `@acme/clock`, or `@acme/clock@1.4.2`.
 * @param present the package that has the role now, which a version alone means
 * @returns without a version when the newest is wanted
 * @throws EdgeError `cli.flag`
 */
export function wantedPackage(text: string, present: string): { readonly name: string; readonly version?: string } {
  const alone = versionOf(text);
  if (alone !== undefined) return { name: present, version: alone };
  const at = text.lastIndexOf('@');
  const [name, rest] = at > 0 ? [text.slice(0, at), text.slice(at + 1)] : [text, undefined];
  const version = rest === undefined ? undefined : versionOf(rest);
  if (!NAME.test(name) || (rest !== undefined && version === undefined)) {
    throw new EdgeError('cli.flag', `"${text}" is no version and no package; write a version as 1.4.2, or a package as @acme/clock or @acme/clock@1.4.2`);
  }
  return { name, ...(version === undefined ? {} : { version }) };
}

function versionOf(text: string): string | undefined {
  const plain = text.replace(/^v(?=\d)/, '');
  return parseVersion(plain) === undefined ? undefined : plain;
}
