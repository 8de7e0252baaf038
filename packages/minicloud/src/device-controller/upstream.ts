import type { Logger } from '@edge/core';
import type { Message } from '@edge/protocol';
import { readObject } from '../edge-controller/content.js';
import type { Clients, StoredDevice } from '../objects.js';
import { reportReply } from './messages.js';
import { type DeviceReport, readState, readTwins, reportTarget } from './reports.js';
import { StatusWriter } from './status-writer.js';

export interface DeviceUpstreamDeps {
  readonly clients: Pick<Clients, 'devices' | 'deviceStatuses'>;
  /** Whether a node may report only of its own devices. */
  readonly authorize: boolean;
  /** Whether the first report of each property gets lost without an answer, as CloudCore v1.23 lets it. */
  readonly firstReportBug: boolean;
  readonly log: Logger;
}

/** Takes the reports of devices that nodes send. */
export class DeviceUpstream {
  readonly #deps: DeviceUpstreamDeps;
  readonly #writer: StatusWriter;
  /** Properties that were reported before, while the bug is imitated. */
  readonly #seen = new Set<string>();

  constructor(deps: DeviceUpstreamDeps) {
    this.#deps = deps;
    this.#writer = new StatusWriter({ clients: deps.clients });
  }

  /** The answer once a report is committed; none to what is not understood, nor about a device that is not the node's. */
  async handle(node: string, message: Message): Promise<Message | undefined> {
    const { clients, authorize, log } = this.#deps;
    const target = reportTarget(message.route.resource);
    if (!target) {
      log.verbose(2, 'nobody handles this message about devices', { node, resource: message.route.resource.slice(0, 200) });
      return undefined;
    }
    const content = readObject(message.content);
    const report = target.about === 'twins' ? readTwins(content) : readState(content);
    const device = clients.devices.find(target.name, target.namespace);
    if (!device) {
      log.verbose(1, 'a report of a device that does not exist', { node, device: `${target.namespace}/${target.name}` });
      return undefined;
    }
    if (authorize && device.spec.nodeName !== node) {
      log.warn('refused the report of a device of another node', { node, device: `${target.namespace}/${target.name}`, nodeOfDevice: device.spec.nodeName ?? '' });
      return undefined;
    }
    if (this.#deps.firstReportBug && this.#isFirst(device, report)) return undefined;
    return (await this.#writer.write(device, report)) ? reportReply(message) : undefined;
  }

  #isFirst(device: StoredDevice, { twins }: DeviceReport): boolean {
    let isFirst = false;
    for (const property of twins?.keys() ?? []) {
      const key = `${device.metadata.uid}/${property}`;
      isFirst ||= !this.#seen.has(key);
      this.#seen.add(key);
    }
    return isFirst;
  }
}
