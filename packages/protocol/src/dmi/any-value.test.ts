import { describe, expect, it } from 'vitest';
import { anyOf, valueOf } from './any-value.js';

describe('values of configData', () => {
  it.each(['', '/dev/ttyS0', true, false, 0, 1, -3, 2.5, 0.1, 16_777_216, 16_777_217, -9_007_199_254_740_991])('[dmi-1.1] %j comes back as it went', (value) => {
    expect(valueOf(anyOf(value))).toBe(value);
  });

  it('[dmi-1.2] has the bytes of the recording', () => {
    expect(anyOf('/dev/ttyS0')).toEqual({ typeUrl: 'type.googleapis.com/google.protobuf.StringValue', value: Buffer.from('CgovZGV2L3R0eVMw', 'base64') });
    expect(anyOf(1)).toEqual({ typeUrl: 'type.googleapis.com/google.protobuf.FloatValue', value: Buffer.from('DQAAgD8=', 'base64') });
    expect(anyOf(2)).toEqual({ typeUrl: 'type.googleapis.com/google.protobuf.FloatValue', value: Buffer.from('DQAAAEA=', 'base64') });
  });

  it('[dmi-1.3] whole numbers beyond a float of 32 bits travel as Int64Value', () => {
    expect(anyOf(16_777_217).typeUrl).toBe('type.googleapis.com/google.protobuf.Int64Value');
  });

  it('[dmi-1.4] knows nothing of other types', () => {
    expect(valueOf({ typeUrl: 'type.googleapis.com/google.protobuf.Struct', value: Buffer.alloc(0) })).toBeUndefined();
  });
});
