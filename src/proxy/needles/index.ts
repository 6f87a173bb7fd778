/**
 * Looks for many texts at once in bytes that stream past, and knows how base64 spells a text. Pure, a leaf: what is looked
 * for, and why, is the business of other rooms.
 */
export { base64Cores, base64Of, base64Within, type Pair } from './base64.ts';
export { type Needle, Needles, type Sought } from './needles.ts';
