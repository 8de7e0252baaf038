/** Upstream's answer to a log that is not followed, `{"logMessages":["…"]}`, made while the log is read so that none has to fit into memory. */
export async function* logMessages(log: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  yield '{"logMessages":["';
  for await (const piece of log) yield inner(decoder.decode(piece, { stream: true }));
  yield `${inner(decoder.decode())}"]}`;
}

/** Text as it stands between the quotes of a JSON string. */
function inner(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}
