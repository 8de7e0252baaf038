import type { PushMethodOTEL } from '@edge/protocol/dmi';
import { MapperError, MapperErrors } from '../errors.js';
import { post } from './post.js';
import { numberOf, PUSH_MS, type PushedValue, type PushTarget } from './push-target.js';

/** A gauge named after the property, in OTLP's JSON over HTTP; the device is the resource attribute `device.id`. */
export function otelTarget({ endpointURL }: PushMethodOTEL): PushTarget {
  return {
    push: (value, signal) => post(endpointURL, JSON.stringify(metrics(value)), { 'content-type': 'application/json' }, PUSH_MS, signal),
  };
}

/** The request ExportMetricsServiceRequest with one point. Source: OTLP 1.x, JSON encoding. */
export function metrics(value: PushedValue): unknown {
  const number = numberOf(value);
  if (number === undefined) throw new MapperError(MapperErrors.pushFailed, `OpenTelemetry takes numbers; property ${value.property} is ${value.type}`);
  const attributes = [{ key: 'device.id', value: { stringValue: `${value.namespace}/${value.device}` } }];
  const point = { timeUnixNano: `${value.at}000000`, asDouble: number };
  return { resourceMetrics: [{ resource: { attributes }, scopeMetrics: [{ scope: { name: '@edge/mapper' }, metrics: [{ name: value.property, gauge: { dataPoints: [point] } }] }] }] };
}
