import { SpecReader } from './read.js';

/** What a NodeUpgradeJob wants. */
export interface UpgradeSpec {
  readonly version: string;
  /** Name of upstream's installation image; only its form matters here. */
  readonly image: string;
  /** Digests by processor (GOARCH); undefined: none is asked for. */
  readonly digests: Readonly<Record<string, string>> | undefined;
  readonly checkItems: readonly string[];
  readonly requireConfirmation: boolean;
  /** Seconds for each action as the cloud counts; 0: none given. */
  readonly timeoutSeconds: number;
}

/** What an ImagePrePullJob wants. */
export interface PrePullSpec {
  readonly images: readonly string[];
  readonly checkItems: readonly string[];
  /** `namespace/name` of the pull secret; empty: none. */
  readonly secret: string;
  /** How often more after the first time. */
  readonly retryTimes: number;
}

/** What a ConfigUpdateJob wants. */
export interface ConfigUpdateSpec {
  /** Path → value, both as text. */
  readonly fields: Readonly<Record<string, string>>;
}

/** @throws EdgeError `taskmanager.bad-spec` */
export function readUpgradeSpec(content: unknown): UpgradeSpec {
  const spec = new SpecReader(content, 'the spec');
  return {
    version: spec.text('version'),
    image: spec.text('image'),
    // Upstream's key has this spelling.
    digests: spec.has('imageDigestGatter') ? digestsOf(spec.section('imageDigestGatter')) : undefined,
    checkItems: spec.texts('checkItems'),
    requireConfirmation: spec.flag('requireConfirmation'),
    timeoutSeconds: spec.count('timeoutSeconds'),
  };
}

/** Upstream knows the first two; a node of another processor is as worth checking. */
const ARCHITECTURES = ['amd64', 'arm64', 'arm', '386', 'ppc64le', 's390x', 'riscv64', 'loong64'];

function digestsOf(section: SpecReader): Readonly<Record<string, string>> {
  return Object.fromEntries(ARCHITECTURES.map((name) => [name, section.text(name)] as const).filter(([, digest]) => digest !== ''));
}

/** @throws EdgeError `taskmanager.bad-spec` */
export function readPrePullSpec(content: unknown): PrePullSpec {
  const template = new SpecReader(content, 'the spec').section('imagePrePullTemplate');
  return {
    images: template.texts('images'),
    checkItems: template.texts('checkItems'),
    secret: template.text('imageSecrets'),
    retryTimes: template.count('retryTimes'),
  };
}

/** @throws EdgeError `taskmanager.bad-spec` */
export function readConfigUpdateSpec(content: unknown): ConfigUpdateSpec {
  return { fields: new SpecReader(content, 'the spec').table('updateFields') };
}
