import { taskError, TaskErrors } from '../errors.js';

const VERSION = /^v\d+\.\d+\.\d+(-\w[\w.]*(-\w[\w.]*)*)?$/;
const HOST_OR_FIRST = '[A-Za-z0-9][A-Za-z0-9._:-]*';
const PART = '[A-Za-z0-9][A-Za-z0-9._-]*';
const IMAGE = new RegExp(`^${HOST_OR_FIRST}(?:/${PART})+(?:@sha256:[A-Fa-f0-9]{64}|:\\w[\\w.-]{0,127})?$`);
const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}|sha512-[0-9a-z+/]{86}==)$/i;

/** Node's name of a processor → Go's, where they differ. */
const GOARCH: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le' };

/** @throws EdgeError `taskmanager.bad-spec` naming what would be right */
export function checkVersion(version: string): void {
  if (VERSION.test(version)) return;
  throw taskError(TaskErrors.badSpec, `version ${JSON.stringify(version.slice(0, 80))} is none; it must be of the form v1.23.1 or v1.23.1-beta.0`);
}

/**
 * Upstream takes the new version out of `<image>:<version>`, so the name must be one; a job without a name fails there, and
 * the cloud of a mixed fleet sees the same of all its nodes.
 * @throws EdgeError `taskmanager.bad-spec`
 */
export function checkImage(image: string, version: string): void {
  if (IMAGE.test(image)) return;
  throw taskError(TaskErrors.badSpec, `image ${JSON.stringify(`${image.slice(0, 200)}:${version}`)} has an invalid reference format; it must be of the form repository/name`);
}

/**
 * The digest that a job pins for this machine; undefined when it pins none.
 * @param machine processor as Node.js names it
 * @throws EdgeError `taskmanager.bad-spec` when there are digests and none for this machine, or one that is none
 */
export function digestFor(digests: Readonly<Record<string, string>> | undefined, machine: string): string | undefined {
  if (digests === undefined) return undefined;
  const architecture = GOARCH[machine] ?? machine;
  const digest = digests[architecture];
  if (digest === undefined) {
    const given = Object.keys(digests).join(', ') || 'none';
    throw taskError(TaskErrors.badSpec, `the job has no digest for processor ${architecture}, so the version cannot be verified; digests given: ${given}`);
  }
  checkDigest(digest);
  return digest;
}

/** @throws EdgeError `taskmanager.bad-spec` */
export function checkDigest(digest: string): void {
  if (DIGEST.test(digest)) return;
  throw taskError(TaskErrors.badSpec, `digest ${JSON.stringify(digest.slice(0, 160))} is none; it must be sha256: with 64 or sha512: with 128 hexadecimal digits, or as npm writes it`);
}
