import { randomUUID } from 'node:crypto';
import { errorText, type Logger, type NodeIdentity } from '@edge/core';
import type { Message } from '@edge/protocol';
import { readCloudTwins, readMembershipDetail, readMembershipUpdate, type BrokenMember, type Member } from '../decode/membership.js';
import type { TwinRequests } from '../decode/requests.js';
import { Reasons } from '../decode/values.js';
import type { Admission } from '../devices/admission.js';
import type { DeviceBook } from '../devices/device-book.js';
import type { Publisher } from '../devices/publisher.js';
import type { Turns } from '../devices/turns.js';
import { deviceTwinError } from '../errors.js';
import { isDeleted, newDevice, type DeviceState } from '../model/device.js';
import { attributesPayload, deltaPayload, documentPayload, membershipChangePayload, sorted, type WireMember } from '../model/payloads.js';
import { clientTwin, wireAttribute } from '../model/wire.js';
import { planAttributes, type AttributePlan } from '../plan/plan-attributes.js';
import { planCloudTwins, type CloudPlan } from '../plan/plan-cloud.js';
import type { Reports } from '../reports.js';
import { tellingOf, type Confirmations } from '../sync/confirmations.js';
import type { CloudSync } from '../sync/cloud-sync.js';
import { deviceOfCloudUpdate, deviceTopic, nodeTopic } from '../topics.js';

export interface MembershipDeps {
  readonly book: DeviceBook;
  readonly confirmations: Confirmations;
  readonly reports: Reports;
  readonly turns: Turns;
  readonly admission: Admission;
  readonly publisher: Publisher;
  readonly sync: CloudSync;
  readonly identity: NodeIdentity;
  readonly log: Logger;
}

/** Hears of devices that come and go by the cloud's word, before that is on the disk. Runs inside the commit. */
export interface MembershipListener {
  removed(deviceId: string): void;
  /** The disk has refused the removal: the device stands as before. */
  stays(deviceId: string): void;
}

/** Which devices belong to the node, and what the cloud says about their twins. */
export class Membership {
  readonly #deps: MembershipDeps;
  #listener: MembershipListener | undefined;

  constructor(deps: MembershipDeps) {
    this.#deps = deps;
  }

  listen(listener: MembershipListener): void {
    this.#listener = listener;
  }

  /** `membership`: devices added and removed. */
  update(message: Message): void | Promise<void> {
    const { added, removed } = readMembershipUpdate(message.content);
    return this.#all(() => [...this.#whole(added).map((member) => this.add(member)), ...this.#whole(removed).map((member) => this.remove(member.id, member))]);
  }

  /** `membership/detail`: all devices; others go. */
  detail(message: Message): void | Promise<void> {
    const members = readMembershipDetail(message.content);
    const listed = new Set(this.#whole(members).map(({ id }) => id));
    const broken = members.length > listed.size;
    return this.#all(() => [
      ...this.#whole(members).map((member) => this.add(member)),
      // A list that could not be read to its end is no reason to remove anything.
      ...(broken ? [] : [...this.#deps.book.all].filter(({ id }) => !listed.has(id)).map(({ id }) => this.remove(id))),
    ]);
  }

  /** `twin/cloud_updated`. */
  cloudTwins(message: Message): void | Promise<void> {
    const deviceId = deviceOfCloudUpdate(message.route.resource);
    if (deviceId === undefined) throw deviceTwinError('devicetwin.malformed', `resource ${message.route.resource.slice(0, 200)} names no device`);
    const { eventId, twins } = readCloudTwins(message.content);
    return this.#all(() => [this.#takeTwins(deviceId, eventId, twins)]);
  }

  /** Adds a device, or brings a known one in line. Plans inside the call. */
  add(member: Member): Promise<void> {
    const { book, sync } = this.#deps;
    const stands = book.get(member.id);
    const device = stands ?? newDevice(member.id, member.name, member.description, member.state);
    const twinPlan = planCloudTwins(device, member.twins ?? new Map(), Date.now());
    // A known device loses the attributes that the message lacks, as upstream.
    const attributePlan = planAttributes(twinPlan.next, member.attributes ?? new Map());
    if (stands) sync.encourage(member.id);
    return this.#apply(stands, attributePlan.next, twinPlan, attributePlan, '', async () => {
      if (stands === undefined) await this.#announce(wireMember(member), undefined);
    });
  }

  /** Removes a device; one that is not there is none of our business. Plans inside the call. */
  remove(deviceId: string, member?: Member): Promise<void> {
    const { book, confirmations, reports, sync, turns } = this.#deps;
    if (!book.has(deviceId)) return Promise.resolve();
    sync.forget(deviceId);
    reports.forget(deviceId);
    const durable = book
      .remove(deviceId, () => {
        confirmations.forget(deviceId);
        this.#listener?.removed(deviceId);
      })
      .catch((error: unknown) => {
        this.#listener?.stays(deviceId);
        // What was still to be told of it is to be told again.
        sync.twinChanged(deviceId);
        throw error;
      });
    return turns.take(deviceId, durable, async (failure) => {
      if (failure) throw failure;
      await this.#announce(undefined, member ? wireMember(member) : { id: deviceId });
    });
  }

  #takeTwins(deviceId: string, eventId: string, twins: TwinRequests): Promise<unknown> {
    const device = this.#deps.book.get(deviceId);
    if (device === undefined) return this.#deps.reports.refuse(deviceId, deviceTopic.updateResult(deviceId), eventId, { code: 404, reason: Reasons.noDevice });
    const plan = planCloudTwins(device, twins, Date.now());
    return this.#apply(device, plan.next, plan, undefined, eventId, () => Promise.resolve());
  }

  #apply(stands: DeviceState | undefined, next: DeviceState, twins: CloudPlan, attributes: AttributePlan | undefined, eventId: string, then: () => Promise<void>): Promise<void> {
    const { book, confirmations, turns, publisher, sync } = this.#deps;
    const now = Date.now();
    const { id } = next;
    const nothing = stands === next && twins.rejected.length === 0;
    const durable = nothing
      ? Promise.resolve()
      : book.write(next, { device: stands === undefined, twins: twins.changed, attributes: attributes?.changed ?? [] }, () => {
          for (const name of twins.accepted) confirmations.put(id, name, tellingOf(next.twins.get(name) ?? missing(name)));
          for (const name of twins.rejected) confirmations.forgetOne(id, name);
        });
    return turns.take(id, durable, async (failure) => {
      if (failure) throw failure;
      if (twins.document.size > 0) await publisher.publish(deviceTopic.document(id), documentPayload({ eventId, now }, twins.document));
      const delta = twins.changed.length > 0 ? deltaPayload(() => ({ eventId: randomUUID(), now: Date.now() }), next) : undefined;
      if (delta !== undefined) await publisher.publish(deviceTopic.delta(id), delta);
      if (twins.rejected.length > 0) sync.twinChanged(id);
      if (attributes && attributes.result.size > 0) await publisher.publish(deviceTopic.attributesUpdated(id), attributesPayload({ eventId, now: Date.now() }, attributes.result));
      await then();
    });
  }

  #announce(added: WireMember | undefined, removed: WireMember | undefined): Promise<void> {
    const { publisher, identity } = this.#deps;
    return publisher.publish(nodeTopic.membershipUpdated(identity.name), membershipChangePayload({ eventId: randomUUID(), now: Date.now() }, added, removed));
  }

  #whole(members: readonly (Member | BrokenMember)[]): Member[] {
    return members.filter((member): member is Member => {
      if (!('broken' in member)) return true;
      this.#deps.log.warn('a device in a message about membership cannot be read; left out', { why: member.broken });
      return false;
    });
  }

  /** Changes of a message go to the disk together. What fails is brought in line by the device's object after the next connect. */
  #all(work: () => Promise<unknown>[]): void | Promise<void> {
    return this.#deps.admission.admit(async () => {
      for (const result of await Promise.allSettled(work())) {
        if (result.status === 'rejected') this.#deps.log.error('a message about membership could not be carried out', { err: errorText(result.reason) });
      }
    });
  }
}

/** As upstream repeats it to clients: without versions, a deleted property is null. */
function wireMember(member: Member): WireMember {
  const { id, name, description, state, attributes, twins } = member;
  const device = newDevice(id, name);
  const plan = twins && planCloudTwins(device, twins, Date.now());
  const named = attributes && planAttributes(device, attributes);
  return {
    id,
    ...(name ? { name } : {}),
    ...(description ? { description } : {}),
    ...(state ? { state } : {}),
    ...(named && named.next.attributes.size > 0 ? { attributes: sorted([...named.next.attributes].map(([key, value]) => [key, wireAttribute(value)] as const)) } : {}),
    ...(plan && plan.next.twins.size > 0 ? { twin: sorted([...plan.next.twins].map(([key, twin]) => [key, isDeleted(twin) ? null : clientTwin(twin)] as const)) } : {}),
  };
}

function missing(name: string): never {
  throw new Error(`property ${name} was planned and is not there`);
}
