import { createMessage, createResponse, Modules, type Message } from '@edge/protocol';

/** The cloud's answer, addressed to the message that was asked on the node. */
export function relay(asked: Message, answer: Message): Message {
  const { resourceVersion } = answer.header;
  return createMessage({
    ...answer.route,
    resource: asked.route.resource,
    content: answer.content,
    parentId: asked.header.id,
    ...(resourceVersion ? { resourceVersion } : {}),
  });
}

/** An answer from the database: a list of stored texts. */
export function fromStore(asked: Message, values: readonly string[]): Message {
  return createResponse(asked, values, { source: Modules.metaManager });
}
