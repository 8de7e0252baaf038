export { startContainerd } from './containerd.js';
export type { Containerd, ContainerdOptions } from './containerd.js';
export { mountsBelow, requireContainerd, unmountBelow } from './host.js';
export type { Blob, ImageConfig, ImageParts } from './image.js';
export { startRegistry } from './registry.js';
export type { Registry, RegistryOptions } from './registry.js';
export { BUSYBOX_IMAGE, buildImage, buildImageParts, PAUSE_IMAGE } from './test-images.js';
export type { ImageRecipe } from './test-images.js';
export type { TarEntry } from './tar.js';
