import { decodeMessage, Operations, type Message } from '@edge/protocol';

/** One thing that happened on the recorded link to CloudHub. */
export type CaptureStep =
  | { readonly kind: 'edge' | 'cloud'; readonly at: number; readonly message: Message; readonly text: string }
  | { readonly kind: 'open'; readonly at: number; readonly url: string; readonly headers: Readonly<Record<string, string>> }
  | { readonly kind: 'close'; readonly at: number };

interface CaptureLine {
  readonly t: number;
  readonly link: string;
  readonly event?: string;
  readonly dir?: string;
  readonly text?: string;
  readonly url?: string;
  readonly headers?: Record<string, string>;
}

/** Reads recorded traffic, one JSON object a line; only the link to CloudHub counts here. */
export function readCapture(jsonLines: string): CaptureStep[] {
  return jsonLines
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as CaptureLine)
    .filter((line) => line.link === 'hub')
    .flatMap((line): CaptureStep[] => {
      if (line.event === 'open') return [{ kind: 'open', at: line.t, url: line.url ?? '', headers: line.headers ?? {} }];
      if (line.event === 'close') return [{ kind: 'close', at: line.t }];
      if (line.text === undefined || line.text === '') return [];
      return [{ kind: line.dir === 'edge->cloud' ? 'edge' : 'cloud', at: line.t, message: decodeMessage(line.text), text: line.text }];
    });
}

/** What a message is about: operation and resource. */
export function subject(message: Message): string {
  return `${message.route.operation} ${message.route.resource}`;
}

/** True for what goes on by the clock alone and says nothing about the story. */
export function isRoutine(message: Message): boolean {
  return message.route.operation === Operations.keepalive || message.route.resource.startsWith('membership');
}
