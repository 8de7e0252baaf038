import { Client, credentials } from '@grpc/grpc-js';
import { DeviceManagerServiceDefinition, ReportDeviceStatusRequest } from '@edge/protocol/dmi';
import { answerQuestions } from './ask.js';

interface Question {
  readonly socket: string;
  readonly devices: number;
  readonly reports: number;
  readonly window: number;
}

const PATH = `/${DeviceManagerServiceDefinition.fullName}/${DeviceManagerServiceDefinition.methods.reportDeviceStatus.name}`;
let round = 0;

/** A mapper that reports one property of its devices in turn; resolves with reports a second, each acknowledged. */
answerQuestions<Question>(async ({ socket, devices, reports, window }) => {
  round += 1;
  const client = new Client(`unix:${socket}`, credentials.createInsecure(), { 'grpc.default_authority': 'localhost' });
  const report = (number: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const twins = [{ propertyName: 'temperature', observedDesired: { value: '20', metadata: {} }, reported: { value: `${round}.${number}`, metadata: {} } }];
      const request: ReportDeviceStatusRequest = { deviceName: `d${number % devices}`, deviceNamespace: 'default', reportedDevice: { twins, reportToCloud: true, reportCycle: 0 } };
      client.makeUnaryRequest(PATH, serialize, () => undefined, request, (error) => (error ? reject(error) : resolve()));
    });
  try {
    await report(0);
    let next = 1;
    const worker = async (): Promise<void> => {
      while (next <= reports) await report(next++);
    };
    const start = performance.now();
    await Promise.all(Array.from({ length: window }, worker));
    return reports / ((performance.now() - start) / 1000);
  } finally {
    client.close();
  }
});

function serialize(request: ReportDeviceStatusRequest): Buffer {
  return Buffer.from(ReportDeviceStatusRequest.encode(request).finish());
}
