import type { Store, Table } from '@edge/core';
import { createResponse, encodeJson, isFields, metaV2Table, Modules, Operations, type Message, type MetaV2Row } from '@edge/protocol';
import { metaManagerError } from '../errors.js';

/** What upstream keeps of an upgrade until somebody confirms it. */
interface JobRecord {
  readonly version: string;
  readonly job: string;
  readonly node: string;
  readonly value: unknown;
}

interface RecordKind {
  readonly groupVersionResource: string;
  readonly key: (job: string, node: string) => string;
  /** Job and node in a key. */
  readonly pattern: RegExp;
}

const GROUP = 'operations.kubeedge.io';

/** One row of each at a time; keys and columns are upstream's. */
const KINDS: Readonly<Record<string, RecordKind>> = {
  v1alpha2: {
    groupVersionResource: `${GROUP}/v1alpha2, Resource=nodeupgradejobspecs`,
    key: (job, node) => `/${GROUP}/v1alpha2/nodeupgradejobspecs/${job}/nodes/${node}`,
    pattern: /\/([^/]+)\/nodes\/([^/]+)$/,
  },
  v1alpha1: {
    groupVersionResource: `${GROUP}/v1alpha1, Resource=nodeupgradejobtaskrequests`,
    key: (job) => `/${GROUP}/v1alpha1/nodeupgradejobtaskrequests/${job}`,
    pattern: /\/([^/]+)$/,
  },
};

/** The task manager's way to upgrades that wait to be confirmed; upstream keeps them in `meta_v2`, and either agent can go on with them. [metamanager-15] */
export class JobRecordHandler {
  readonly #store: Store;
  readonly #metaV2: Table<MetaV2Row>;

  constructor(deps: { store: Store }) {
    this.#store = deps.store;
    this.#metaV2 = deps.store.table<MetaV2Row>(metaV2Table);
  }

  /**
   * `get`: `{items}` of all that can be read; `insert`: in the place of the one of its version; `delete`: that of a version.
   * @throws EdgeError `metamanager.malformed`
   */
  async handle(message: Message): Promise<Message> {
    const { operation } = message.route;
    if (operation === Operations.get) return createResponse(message, { items: this.#all() }, { source: Modules.metaManager });
    const kind = kindOf(message.content);
    const row = operation === Operations.insert ? rowOf(kind, message.content) : undefined;
    await this.#store.commit(() => {
      this.#metaV2.remove({ group_version_resource: kind.groupVersionResource });
      if (row) this.#metaV2.put(row);
    });
    return createResponse(message, 'OK', { source: Modules.metaManager });
  }

  #all(): JobRecord[] {
    return Object.entries(KINDS).flatMap(([version, { groupVersionResource, pattern }]) =>
      this.#metaV2.all({ group_version_resource: groupVersionResource }, { orderBy: ['key'] }).flatMap(({ key, value }) => {
        const [, job, node = ''] = pattern.exec(key) ?? [];
        const content = parse(value);
        return job === undefined || content === undefined ? [] : [{ version, job, node, value: content }];
      }),
    );
  }
}

function kindOf(content: unknown): RecordKind {
  const version = isFields(content) ? content.version : undefined;
  const kind = typeof version === 'string' && Object.hasOwn(KINDS, version) ? KINDS[version] : undefined;
  if (!kind) throw metaManagerError('metamanager.malformed', `version ${JSON.stringify(version)} of a job's record is not known; known are ${Object.keys(KINDS).join(' and ')}`);
  return kind;
}

function rowOf({ key, groupVersionResource }: RecordKind, content: unknown): MetaV2Row {
  const { job, node, value } = content as Readonly<Record<string, unknown>>;
  if (typeof job !== 'string' || typeof node !== 'string' || job === '' || !isFields(value)) {
    throw metaManagerError('metamanager.malformed', 'a job\'s record needs job and node as texts and an object as value');
  }
  return { key: key(job, node), group_version_resource: groupVersionResource, namespace: 'null', name: job, resource_version: 0, value: encodeJson(value) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
