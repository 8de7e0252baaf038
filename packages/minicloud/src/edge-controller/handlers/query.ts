import { isApiError } from '@edge/kubeapi';
import { readObject } from '../content.js';
import type { Handler } from '../context.js';
import { notFoundStatus, queryErrorReply, queryReply, reply, statusOf } from '../messages.js';

/** Answers a question for one object of a type. */
export function queryObject(apiVersion: string, plural: string, options: { namespaced: boolean }): Handler {
  return ({ message, path }, { source }) => {
    try {
      const found = source.resource(apiVersion, plural).find(path.name, options.namespaced ? path.namespace : undefined);
      return Promise.resolve(found ? queryReply(message, found) : queryErrorReply(message, notFoundStatus(path.type, path.name)));
    } catch (error) {
      // A type that this cloud does not serve has no objects.
      if (isApiError(error, 'NotFound')) return Promise.resolve(queryErrorReply(message, notFoundStatus(path.type, path.name)));
      throw error;
    }
  };
}

/** A token for a service account, bound to a pod. */
export const queryToken: Handler = async ({ message, path }, { tokens }) => {
  try {
    return reply(message, await tokens.issue({ namespace: path.namespace, name: path.name }, readObject(message.content)));
  } catch (error) {
    return queryErrorReply(message, statusOf(error));
  }
};
