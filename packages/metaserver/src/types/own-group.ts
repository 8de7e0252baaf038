/** The API group of what only nodes have. No cloud knows it. */
export const OWN_GROUP = 'edge.kubeedge.io';
