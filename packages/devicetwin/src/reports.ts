/** What came of a report. `refused` has the reason that the client was given; nothing of it was stored. */
export type ReportOutcome = { readonly kind: 'done' } | { readonly kind: 'refused'; readonly code: number; readonly reason: string };

/** One property of a twin as a client reports it. Absent sides stay as they are. */
export interface ReportedProperty {
  readonly expected?: { readonly value: string };
  readonly actual?: { readonly value: string };
}

/**
 * The one way in for reports about devices, whether they came by MQTT or from a mapper. A promise resolves when the
 * report is on the disk and its results are published; reports of one device are handled in the order of the calls.
 */
export interface DeviceReports {
  /** @param deviceId `NAMESPACE/NAME` */
  reportTwin(deviceId: string, properties: Readonly<Record<string, ReportedProperty>>): Promise<ReportOutcome>;
  reportState(deviceId: string, state: string): Promise<ReportOutcome>;
}
