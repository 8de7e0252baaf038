/** Bytes of a body, as upstream. */
export const BODY_LIMIT = 3 * 1024 * 1024;
