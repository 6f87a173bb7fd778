/** Phantoms: stand-ins that look like a provider's secrets, are worth nothing, and cannot be guessed. */
export { phantomOfPattern, type RandomBytes } from './from-pattern.ts';
export { couldBePhantom, isFromTemplate, kindOfSecret, phantomFor, phantomOf } from './phantom.ts';
