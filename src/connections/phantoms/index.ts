/** Durable phantoms: what stands for each connection of a vault, the same in every run. */
export { createDurablePhantoms, type DurablePhantom, type DurablePhantoms } from './durable-phantoms.ts';
