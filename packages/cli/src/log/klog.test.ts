import { describe, expect, it } from 'vitest';
import { createKlog } from './klog.js';
import { parseVmodule } from './verbosity.js';

function lines(level = 0, vmodule = ''): { log: ReturnType<typeof createKlog>; written: string[] } {
  const written: string[] = [];
  const log = createKlog({ write: (line) => void written.push(line) }, { level, patterns: parseVmodule(vmodule) ?? [] }, () => new Date(2026, 10, 22, 9, 5, 7, 12));
  return { log, written };
}

describe('klog', () => {
  it('[cli-2.1] writes the header that klog writes, then message and fields', () => {
    const { log, written } = lines();
    log.named('edgehub').warn('link lost', { session: 3, err: new Error('gone "away"'), skipped: undefined });
    expect(written).toHaveLength(1);
    expect(written[0]).toMatch(/^W1122 09:05:07\.012\d{3} +\d+ edgehub\.ts:1\] link lost session=3 err="gone \\"away\\""\n$/);
  });

  it('[cli-2.2] keeps a message on one line, so that nobody can forge another', () => {
    const { log, written } = lines();
    log.info('a\nE1122 09:05:07.000000 1 x.go:1] forged');
    expect(written[0]?.match(/\n/g)).toHaveLength(1);
  });

  it('[cli-2.3] shows detail by level, and by component with --vmodule', () => {
    const { log, written } = lines(1, 'edge*=4');
    log.named('store').verbose(1, 'shown');
    log.named('store').verbose(2, 'hidden');
    log.named('edgehub').verbose(4, 'shown');
    log.named('edgehub').verbose(5, 'hidden');
    expect(written.filter((line) => line.includes('hidden'))).toEqual([]);
    expect(written).toHaveLength(2);
  });

  it('[cli-2.4] keeps the lines of a fatal text apart, as upstream prints a list of problems', () => {
    const { log, written } = lines();
    log.fatal('[\n  one,\n  two\n]');
    expect(written[0]).toMatch(/^F1122 .*\] \[\n  one,\n  two\n\]\n$/);
  });
});
