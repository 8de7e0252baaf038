/** Packets that a broker sends, as bytes. Source: MQTT 3.1.1, section 3. */

/** Return codes of CONNACK. */
export const Refusal = {
  protocol: 1,
  clientId: 2,
  unavailable: 3,
  badLogin: 4,
  notAuthorized: 5,
} as const;

export type RefusalCode = (typeof Refusal)[keyof typeof Refusal];

/** A subscription that is not granted. */
export const NOT_GRANTED = 0x80;

export const PINGRESP: Buffer = Buffer.from([0xd0, 0]);

export function connack(returnCode: number, sessionPresent: boolean): Buffer {
  return Buffer.from([0x20, 2, sessionPresent ? 1 : 0, returnCode]);
}

const ACKS = { puback: 0x40, pubrec: 0x50, pubrel: 0x62, pubcomp: 0x70, unsuback: 0xb0 } as const;

export function ack(kind: keyof typeof ACKS, id: number): Buffer {
  return Buffer.from([ACKS[kind], 2, id >> 8, id & 0xff]);
}

export function suback(id: number, granted: readonly number[]): Buffer {
  const length = remaining(2 + granted.length);
  return Buffer.from([0x90, ...length, id >> 8, id & 0xff, ...granted]);
}

/** @param id 0 with QoS 0 */
export function publish(topic: string, payload: Buffer, qos: 0 | 1 | 2, id: number, retain: boolean, again: boolean): Buffer {
  const topicBytes = Buffer.byteLength(topic);
  const body = 2 + topicBytes + (qos > 0 ? 2 : 0) + payload.length;
  const length = remaining(body);
  const out = Buffer.allocUnsafe(1 + length.length + body);
  out[0] = 0x30 | (again ? 8 : 0) | (qos << 1) | (retain ? 1 : 0);
  let at = 1;
  for (const byte of length) out[at++] = byte;
  at = out.writeUInt16BE(topicBytes, at);
  at += out.write(topic, at);
  if (qos > 0) at = out.writeUInt16BE(id, at);
  payload.copy(out, at);
  return out;
}

/** The length of what follows, seven bits a byte. */
function remaining(value: number): number[] {
  const bytes: number[] = [];
  do {
    const low = value & 0x7f;
    value >>= 7;
    bytes.push(value > 0 ? low | 0x80 : low);
  } while (value > 0);
  return bytes;
}
