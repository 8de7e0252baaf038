import type { EdgeError } from '@edge/core';
import { upgradeError, UpgradeErrors, type UpgradeErrorCode } from '../errors.js';

const CAUSES: readonly { readonly codes: RegExp; readonly code: UpgradeErrorCode; readonly text: string }[] = [
  { codes: /^(E404|ETARGET|ENOVERSIONS)$/, code: UpgradeErrors.noVersion, text: 'it is not there; look at the version, and at which registry or folder was asked' },
  { codes: /^EINTEGRITY$/, code: UpgradeErrors.integrity, text: 'what came is not what the registry announces' },
  { codes: /^(ENOSPC|EDQUOT)$/, code: UpgradeErrors.diskFull, text: 'the disk is full; a version needs about 60 MB' },
  { codes: /^EBADENGINE$/, code: UpgradeErrors.unusable, text: `it does not run on Node.js ${process.versions.node}; a newer one has to be installed first` },
  { codes: /^(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ERR_SOCKET_TIMEOUT|E5\d\d|FETCH_ERROR|EIDLETIMEOUT)$/, code: UpgradeErrors.noSource, text: 'the registry does not answer; look at the network, or take the packages from a folder' },
  { codes: /^(E401|E403|ENEEDAUTH)$/, code: UpgradeErrors.noSource, text: 'the registry refuses access; put its token into the .npmrc of the user that the agent runs as' },
  { codes: /^NO_NPM$/, code: UpgradeErrors.npm, text: 'npm cannot be started; it comes with Node.js and has to be in the search path' },
];

/** What npm said, as an error with a code and with what can be done. */
export function npmFailure(words: readonly string[], registry: string | undefined, said: string): EdgeError {
  const npmCode = /^npm error code (\S+)/m.exec(said)?.[1] ?? (/ENOSPC/.test(said) ? 'ENOSPC' : '');
  const cause = CAUSES.find(({ codes }) => codes.test(npmCode));
  const lines = said.split('\n').map((line) => line.replace(/^npm error ?/, '').trim());
  const details = lines.filter((line) => line !== '' && !/^(code |A complete log|[A-Za-z]?:?\/\S+-debug)/.test(line)).slice(0, 3);
  const where = registry === undefined ? '' : ` from ${registry.replace(/\/\/[^/@]*@/, '//')}`;
  return upgradeError(cause?.code ?? UpgradeErrors.npm, `npm ${words.join(' ')}${where} failed: ${[...(cause ? [cause.text] : []), ...details].join('; ')}`);
}
