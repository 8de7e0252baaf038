const DEVICE = /^\/devices\.kubeedge\.io\/[^/]+\/devices\//;

/**
 * Whether objects under this key of `meta_v2` can be changed on the node itself. Such a change leaves the version as the
 * cloud gave it, so that two states of one version are two states all the same.
 */
export function isEditedHere(key: string): boolean {
  return DEVICE.test(key);
}
