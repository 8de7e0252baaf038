import { parser, type IConnectPacket, type IPublishPacket, type ISubscribePacket, type IUnsubscribePacket } from 'mqtt-packet';
import { errorCode, errorText } from '@edge/core';
import { eventBusError, type EventBusErrorCode } from '../errors.js';

/** The one file that knows the library which reads packets. Protocol: MQTT 3.1 and 3.1.1. */

export type ConnectPacket = IConnectPacket;
export type PublishPacket = IPublishPacket & { readonly payload: Buffer };
export type SubscribePacket = ISubscribePacket;
export type UnsubscribePacket = IUnsubscribePacket;

const BAD_CLIENT: EventBusErrorCode = 'eventbus.bad-client';

/** What a client may send. */
export type ClientPacket =
  | ConnectPacket
  | PublishPacket
  | SubscribePacket
  | UnsubscribePacket
  | { readonly cmd: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp'; readonly messageId: number }
  | { readonly cmd: 'pingreq' | 'disconnect' };

/** Bytes in, packets out. */
export interface PacketReader {
  /** @throws EdgeError `eventbus.bad-client` for bytes that are no packet and for a packet that is too large, and what `onPacket` throws with that code */
  push(chunk: Buffer): void;
}

export function packetReader(maxBytes: number, onPacket: (packet: ClientPacket) => void): PacketReader {
  const inner = parser();
  let failure: unknown;
  inner.on('packet', (packet) => {
    if (failure === undefined) onPacket(packet as ClientPacket);
  });
  inner.on('error', (error: unknown) => {
    failure ??= error;
  });
  return {
    push(chunk): void {
      let left = 0;
      try {
        left = inner.parse(chunk);
      } catch (error) {
        // A packet that says one length and holds another, or one that the connection does not want.
        failure ??= error;
      }
      if (errorCode(failure) === BAD_CLIENT) throw failure;
      if (failure !== undefined) throw eventBusError('eventbus.bad-client', `sends what is no MQTT packet: ${errorText(failure)}`, failure);
      if (left > maxBytes) throw eventBusError('eventbus.bad-client', `sends a packet of more than ${maxBytes} bytes`);
    },
  };
}
